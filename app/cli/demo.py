"""app.cli.demo: the command `demo`, which runs the other commands on a made-up scene, one after the other."""

import json
from pathlib import Path
from typing import Annotated

import typer

from app.web.address import refuse_busy_port
from geodata.errors import InputError
from geodata.files import sha256_of
from geodata.tables.run import RUN, open_run

NAME = "made_up"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for all that the demo makes.")] = Path(
        "demo-output"
    ),
    port: Annotated[int, typer.Option(metavar="N", help="Port of the app on this machine.")] = 8501,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Another seed paints another scene.")] = 1,
    serve: Annotated[bool, typer.Option("--app/--no-app", help="Open the app at the end.")] = True,
) -> None:
    """Show the whole way on a made-up scene: paint, detect, import, evaluate, app.

    Nothing is downloaded. The scene is painted and lies in open sea; it shows the plumbing, not the accuracy.

    Example:
        kilnlight demo --port 8501
    """
    if serve:
        # minutes before the app would say so
        refuse_busy_port(port)
    paint, *others = steps(out, seed)
    run_command(paint)
    refuse_second_scene(out)
    for step in others:
        run_command(step)
    typer.secho("\n" + summary(out / "project" / "evaluations" / NAME / "evaluation.json"), bold=True)
    if serve:
        run_command(["app", "--project", str(out / "project"), "--port", str(port)])


def steps(out: Path, seed: int) -> list[list[str]]:
    """The commands, as one would type them."""
    painted, run, project = out / "painted", str(out / "run"), out / "project"
    scene, truth, marks = (str(painted / f"{NAME}{end}") for end in (".tif", "_kilns.geojson", "_marks.csv"))
    return [
        ["paint", "--out", str(painted), "--seed", str(seed)],
        ["detect", scene, "--out", run, "--candidates"],
        ["import", run, "--marks", marks, "--project", str(project)],
        ["evaluate", scene, "--run", run, "--labels", truth, "--out", str(project / "evaluations" / NAME)],
    ]


def refuse_second_scene(out: Path) -> None:
    """An older demo of another scene must not share a project with this one: both lie at one place.

    Raises:
        InputError: the folder holds the run of another scene.
    """
    if not (out / "run" / RUN).is_file():
        return
    try:
        known = {scene.sha256 for scene in open_run(out / "run").record.inputs}
    except InputError:
        # of another version, or changed: it cannot be this one
        known = set()
    if sha256_of(out / "painted" / f"{NAME}.tif") not in known:
        raise InputError(
            f"{out} holds the demo of another scene; name another folder with --out, or that scene's --seed."
        )


def summary(evaluation: Path) -> str:
    """One sentence with the figures at 100 m that `evaluate` wrote."""
    rows = json.loads(evaluation.read_text("utf-8"))["rows"]
    row = next(row for row in rows if row["radius_m"] == 100)
    return (
        f"On this made-up scene the shipped model reaches F1 {row['f1']:.2f} at 100 m: {row['hits']} of "
        f"{row['kilns']} kilns found, {row['false_alarms']} false alarms. It shows the plumbing, "
        "not the accuracy."
    )


def run_command(arguments: list[str]) -> None:
    """Print a command as it would be typed, and run it. Raises `typer.Exit` with its code where it fails."""
    from app.cli.main import build

    typer.secho("\n$ kilnlight " + " ".join(arguments), bold=True)
    code = build()(arguments, standalone_mode=False)
    if isinstance(code, int) and code != 0:
        raise typer.Exit(code)
