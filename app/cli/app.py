"""app.cli.app: the command `kilnlight app`; all it does lies in `app.web`."""

from pathlib import Path

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("app")
    def show(
        project: Path = typer.Option(
            Path("kilnlight-project"), "--project", help="The project folder to show."
        ),
        port: int = typer.Option(8501, "--port", help="Port on 127.0.0.1."),
        host: str = typer.Option("127.0.0.1", "--host", help="127.0.0.1; any other address is refused."),
    ) -> None:
        """Show a project on a map in the browser, offline: browse, review, label, export.

        It listens on 127.0.0.1 only, since there are no accounts yet.

        Example: [bold]kilnlight app --project kilns-2026 --port 8600[/]
        """
        from app.web.start import run

        run(project, port, host)
