"""app.cli.import_: the command `import`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import band_names


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import")(import_)


def import_(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Folders that [bold]kilnlight detect[/] has written.")
    ] = None,
    marks: Annotated[
        list[Path] | None, typer.Option("--marks", help="Volunteers' marks, CSV or GeoJSON; may be repeated.")
    ] = None,
    project: Annotated[
        Path, typer.Option("--project", help="The project's folder; it is made where there is none.")
    ] = Path("kilnlight-project"),
    scenes: Annotated[
        list[Path] | None,
        typer.Option(
            "--scenes", help="Folder that holds the scenes now, if they have moved; may be repeated."
        ),
    ] = None,
    bands: Annotated[
        str | None, typer.Option("--bands", help="Names of the scenes' bands, as given to detect.")
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave broken rows of marks out and name them.")
    ] = False,
) -> None:
    """Bring runs and volunteers' marks into a project, and cut the pictures that it shows.

    The same run or file twice changes nothing. A newer run on a scene takes the place of the older evidence,
    which stays in the history.

    [bold]Example:[/] kilnlight import results --marks marks.csv --project kilnlight-project
    """
    from rich.console import Console
    from rich.progress import Progress

    from app.services.importing import ImportRequest, import_into, read_inputs
    from app.services.project import open_project
    from geodata.errors import InputError

    if not runs and not marks:
        raise InputError("Nothing to import: name a folder that `kilnlight detect` wrote, or a --marks file.")
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Pictures", total=None)
        request = ImportRequest(
            runs=tuple(runs or ()),
            marks=tuple(marks or ()),
            scene_folders=tuple(scenes or ()),
            band_names=band_names(bands),
            skip_bad=skip_bad,
            warn=lambda sentence: console.print(f"Warning: {sentence}", style="yellow", markup=False),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
        # read first, so that a wrong name leaves no empty project behind
        inputs = read_inputs(request)
        with open_project(project, create=True) as opened:
            result = import_into(opened, request, inputs)
            counts = opened.store.counts()
    known = f" ({result.runs_known} known already)" if result.runs_known else ""
    typer.echo(f"Runs: {result.runs_new} new{known}. Looks of volunteers: {result.looks_new} new.")
    typer.echo(
        f"{project} holds {counts.sites} possible kilns and {counts.candidates} candidates, "
        f"{counts.tiles_observed} observed tiles, {counts.queued} pictures to label."
    )
