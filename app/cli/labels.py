"""app.cli.labels: the commands `kilnlight labels ...`: other forms, splits by place, labels to look at."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Classes, Frame, SkipBad, class_names
from geodata.errors import InputError

if TYPE_CHECKING:
    from geodata.labels.kilns import KilnLabels


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="""Labels in other forms, and splits that do not leak.

    Example:
        kilnlight labels convert tiles kilns.geojson
    """,
    )
    group.command("convert", no_args_is_help=True)(convert)
    group.command("split", no_args_is_help=True)(split)
    group.command("check", no_args_is_help=True)(check)
    app.add_typer(group, name="labels")


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN",
            help="Vector file, CSV with lon and lat, folder of YOLO-OBB text, or project folder.",
            show_default=False,
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="File .geojson, .gpkg or .csv, or a folder for YOLO-OBB.", show_default=False
        ),
    ],
    points: Annotated[bool, typer.Option("--points", help="Write points instead of outlines.")] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Pictures of the YOLO side, in DIR or DIR/images.",
            show_default="the YOLO folder",
        ),
    ] = None,
    classes: Classes = "CFCBK,FCBK,Zigzag",
    frame: Frame = None,
    answered: Annotated[
        bool, typer.Option("--answered", help="Of a project only sites that people have looked at.")
    ] = False,
    skip_bad: SkipBad = False,
) -> None:
    """Turn labels into labels of another form, and say what the other form cannot hold.

    Pictures of a YOLO folder are georeferenced, or tiles named by their place (28.7354_77.3558.png), the form
    of SentinelKilnDB. A kiln that several overlapping tiles show is taken once. Of a project come verdicts
    and merged probabilities.

    Example:
        kilnlight labels convert tiles kilns.geojson
        kilnlight labels convert kilns.geojson yolo --pictures scenes
        kilnlight labels convert kilnlight-project reviewed.geojson
    """
    from geodata.labels.forms import ReadOptions, left_out
    from geodata.labels.losses import lost
    from geodata.labels.pictures import pictures_of
    from geodata.labels.read import read_labels
    from geodata.labels.vectors import WRITTEN, write_labels
    from geodata.labels.yolo_folder import write_yolo

    names = class_names(classes)
    is_file = target.suffix.lower() in WRITTEN
    if not is_file and (target.suffix or (target.exists() and not target.is_dir())):
        raise InputError(f"{target} is no .geojson, .gpkg, .csv or folder; name one of them.")
    if points and not is_file:
        raise InputError("YOLO-OBB text has no points; leave out --points or name a file as OUT.")
    read = read_labels(
        source, ReadOptions(names, skip_bad, frame, pictures if source.is_dir() else None, answered)
    )
    labels = read.labels
    for problem in read.problems:
        typer.secho(left_out(problem), err=True, fg="yellow")
    typer.echo(f"{source}: {read.lines} rows, {in_words(labels)}")
    if is_file:
        write_labels(target, labels, points)
        typer.echo(f"{target}: {in_words(labels)}")
    else:
        lines, written = write_yolo(target, labels, pictures_of(pictures or target), names)
        typer.echo(f"{target}: {lines} lines of {written.sum()} kilns")
        outside = (labels.probability > 0) & ~written
        if outside.any():
            said = f"{outside.sum()} kilns lie whole in no picture and have no line."
            typer.secho(said, err=True, fg="yellow")
        labels = labels.take(~outside)
    for sentence in lost(labels, target.suffix.lower(), points):
        typer.secho(sentence, err=True, fg="yellow")


def in_words(labels: "KilnLabels") -> str:
    """How many kilns, soft labels, places without a kiln, and places that nobody knows."""
    p = labels.probability
    counts = (
        (int((p == 1).sum()), "kilns"),
        (int(((p > 0) & (p < 1)).sum()), "soft labels"),
        (int((p == 0).sum()), "places without a kiln"),
        (int((p != p).sum()), "places that nobody knows (the file has probabilities, and they have none)"),
    )
    return ", ".join(f"{n} {what}" for n, what in counts if n) or "0 kilns"


def split(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with pictures or scenes.", show_default=False)
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="A .csv names pictures, a .geojson or .gpkg holds the ground of each split.",
            show_default=False,
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Kilns of any form.", show_default="YOLO-OBB text in DIR"),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, metavar="K", help="Part all land into K folds.", show_default=False),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="REGION",
            help="Hold back a region: W,S,E,N in degrees, or a vector file of polygons.",
            show_default=False,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=VALUE", help="Of the region's file, these only: country=Nepal", show_default=False
        ),
    ] = None,
    block_km: Annotated[float, typer.Option(min=0.1, metavar="KM", help="Side of a block.")] = 5.0,
    gap_km: Annotated[
        float, typer.Option(min=0, metavar="KM", help="What lies so near to held-back land is not used.")
    ] = 1.3,
    share: Annotated[float, typer.Option(min=0.01, max=0.99, metavar="SHARE", help="To hold back.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Another seed, other blocks.")] = 0,
    classes: Classes = "CFCBK,FCBK,Zigzag",
    frame: Frame = None,
    skip_bad: SkipBad = False,
) -> None:
    """Part pictures or scenes by place: blocks or a region held back, or K folds of blocks, with a gap.

    A split at random would put the same ground, and the same kilns, on both sides. A run file takes what is
    written: [folds] file = "folds.geojson".

    Example:
        kilnlight labels split tiles --out splits.csv --block-km 5
        kilnlight labels split scenes --labels kilns.geojson --folds 5 --out folds.geojson
        kilnlight labels split tiles --region countries.gpkg --where country=Nepal --out splits.csv
    """
    from app.services.splitting import SplitRequest, make_split
    from geodata.labels.forms import ReadOptions
    from geodata.labels.splits import Blocks

    request = SplitRequest(
        folder=folder,
        out=out,
        labels=labels,
        blocks=Blocks(block_km * 1000, gap_km * 1000, share, seed),
        folds=folds,
        region=region,
        where=where,
        options=ReadOptions(class_names(classes), skip_bad, frame, folder),
    )
    made = make_split(request)
    counts = "; ".join(f"{name}: {text}" for name, text in made.parts.items())
    typer.echo(f"{out}: {counts}")
    for warning in made.warnings:
        typer.secho(warning, err=True, fg="yellow")
    if made.gap_px is not None:
        typer.echo(f'In the run file: [folds] file = "{out}", gap_px = {made.gap_px}')


def check(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder of a `kilnlight train` with folds.", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write all of them here, too.", show_default=False)
    ] = None,
) -> None:
    """List labels that nets which have not learnt from them contradict strongly, for a person to look at.

    These are labels with nothing found within 100 m, boxes turned by more than 60 degrees, and places
    without a label where a net is very sure. A label goes by its id, a place by its scene and pixel.

    Example:
        kilnlight train RUN.toml --out my-run
        kilnlight labels check my-run --out look-at-these.csv
    """
    from rich.console import Console
    from rich.table import Table

    from geodata.labels.check import read_contradictions, write_contradictions

    rows = read_contradictions(folder)
    table = Table("what", "label", "scene", "column, row", "score")
    for row in rows:
        table.add_row(row.what, row.label, row.scene, f"{row.col}, {row.row}", f"{row.score:.2f}")
    Console().print(table)
    typer.echo(f"{len(rows)} to look at; what they are, a person has to say.")
    if out is not None:
        write_contradictions(out, rows)
