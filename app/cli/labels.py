"""app.cli.labels: the commands `kilnlight labels ...`: labels in other forms, and splits by place."""

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
    from geodata.labels.forms import ReadOptions
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
        typer.secho(f"left out: {problem}", err=True, fg="yellow")
    typer.echo(f"{source}: {read.lines} rows, {in_words(labels)}")
    if is_file:
        write_labels(target, labels, points)
        typer.echo(f"{target}: {in_words(labels)}")
    else:
        lines = write_yolo(target, labels, pictures_of(pictures or target), names)
        typer.echo(f"{target}: {lines} lines")
    for sentence in lost(labels, target.suffix.lower(), points):
        typer.secho(sentence, err=True, fg="yellow")


def in_words(labels: "KilnLabels") -> str:
    """How many kilns, soft labels, places without a kiln, and places that nobody knows."""
    p = labels.probability
    counts = (
        (int((p == 1).sum()), "kilns"),
        (int(((p > 0) & (p < 1)).sum()), "soft labels"),
        (int((p == 0).sum()), "places without a kiln"),
        (int((p != p).sum()), "places that nobody knows"),
    )
    return ", ".join(f"{n} {what}" for n, what in counts if n) or "0 kilns"


def split(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with pictures.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="CSV", help="File for picture,split.", show_default=False)],
    region: Annotated[
        str | None,
        typer.Option(
            metavar="W,S,E,N", help="Hold back a region (degrees) instead of blocks.", show_default=False
        ),
    ] = None,
    block_km: Annotated[float, typer.Option(min=0.1, metavar="KM", help="Side of a block.")] = 5.0,
    gap_km: Annotated[
        float, typer.Option(min=0, metavar="KM", help="What lies so near to held-back land is not used.")
    ] = 1.3,
    share: Annotated[float, typer.Option(min=0.01, max=0.99, metavar="SHARE", help="To hold back.")] = 0.2,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Another seed, other blocks.")] = 0,
) -> None:
    """Part pictures by place into train and val, with a gap of unused ones between them.

    Whole blocks of land are held back, or a region. A split at random would put the same ground, and the same
    kilns, on both sides.

    Example:
        kilnlight labels split tiles --out splits.csv --block-km 5
        kilnlight labels split tiles --out splits.csv --region 77.2,28.2,77.7,28.6
    """
    from geodata.labels.pictures import pictures_of
    from geodata.labels.splits import Blocks, split_by_blocks, split_by_box, write_splits

    pictures = pictures_of(folder)
    if region is None:
        splits = split_by_blocks(pictures, Blocks(block_km * 1000, gap_km * 1000, share, seed))
    else:
        splits = split_by_box(pictures, _box(region), gap_km * 1000)
    write_splits(out, splits)
    counts = ", ".join(f"{list(splits.values()).count(name)} {name}" for name in sorted(set(splits.values())))
    typer.echo(f"{out}: {counts}")


def _box(text: str) -> tuple[float, float, float, float]:
    try:
        west, south, east, north = (float(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"--region {text!r} is not four numbers; write it like 77.2,28.2,77.7,28.6."
        ) from None
    if not (west < east and south < north):
        raise InputError(f"--region {text!r} is empty; give west, south, east, north.")
    return west, south, east, north
