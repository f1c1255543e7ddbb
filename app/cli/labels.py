"""app.cli.labels: the commands `kilnlight labels ...`: labels of one form as labels of another."""

from pathlib import Path
from typing import Annotated

import typer

from geodata.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="""Labels of one form as labels of another.

    Example:
        kilnlight labels convert tiles kilns.geojson
    """,
    )
    group.command("convert", no_args_is_help=True)(convert)
    app.add_typer(group, name="labels")


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="Vector file, or folder of YOLO-OBB text (labels/*.txt).", show_default=False
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="File .geojson or .gpkg, or a folder for YOLO-OBB.", show_default=False
        ),
    ],
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Pictures of the YOLO side, in DIR or DIR/images.",
            show_default="the YOLO folder",
        ),
    ] = None,
    classes: Annotated[
        str, typer.Option(metavar="NAMES", help="Names of the class numbers, in their order.")
    ] = "CFCBK,FCBK,Zigzag",
    frame: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="PX",
            help="Side that IN counts in: 129 for some files.",
            show_default="the picture's",
        ),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good rows where others are broken; name the rest.")
    ] = False,
) -> None:
    """Turn labels into labels of another form: GeoJSON or GeoPackage, and folders of YOLO-OBB text.

    Pictures of a YOLO folder are georeferenced, or tiles named by their place (28.7354_77.3558.png), the form
    of SentinelKilnDB. A kiln that several overlapping tiles show is taken once.

    Example:
        kilnlight labels convert tiles kilns.geojson
        kilnlight labels convert kilns.geojson yolo --pictures scenes
    """
    from geodata.labels.kilns import VECTOR_DRIVERS, read_kilns, write_kilns
    from geodata.labels.pictures import pictures_of
    from geodata.labels.yolo_folder import read_yolo, write_yolo

    names = tuple(name.strip() for name in classes.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise InputError(f"--classes {classes!r} has an empty or a double name; write them like a,b,c.")
    if source.is_dir():
        read = read_yolo(source, pictures_of(pictures or source), names, frame, skip_bad)
        labels = read.labels
        for problem in read.problems:
            typer.secho(f"left out: {problem}", err=True, fg="yellow")
        typer.echo(f"{source}: {read.lines} lines, {len(labels.boxes)} kilns")
    else:
        labels = read_kilns(source)
        typer.echo(f"{source}: {len(labels.boxes)} kilns")
    if target.suffix.lower() in VECTOR_DRIVERS:
        write_kilns(target, labels)
        typer.echo(f"{target}: {len(labels.boxes)} kilns")
        return
    if target.suffix or (target.exists() and not target.is_dir()):
        raise InputError(f"{target} is no .geojson, .gpkg or folder; name one of them.")
    where = pictures or target
    lines = write_yolo(target, labels, pictures_of(where), names)
    typer.echo(f"{target}: {lines} lines")
