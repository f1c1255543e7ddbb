"""app.cli.audit: the command `kilnlight audit`: a folder or run file in, a table and a verdict out.

One of the two modules of the app that import training, and only when asked: for a run file's folds.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.cli.options import Classes, Frame, SkipBad, class_names

if TYPE_CHECKING:
    from geodata.labels.audit import Audit, Leak

LEAKS = 1
"""Exit code where splits share something."""
_SHOWN = 10


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit", no_args_is_help=True)(audit)


def audit(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="DIR|RUN.toml",
            help="Folder with pictures and labels, or a run file of `kilnlight train`.",
            show_default=False,
        ),
    ],
    splits: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="File with picture,split.", show_default="one split"),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Kilns of any form.", show_default="YOLO-OBB text in DIR"),
    ] = None,
    classes: Classes = "CFCBK,FCBK,Zigzag",
    frame: Frame = None,
    skip_bad: SkipBad = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Look at a data set before it is believed: what it holds, and what its splits share.

    Ends with exit code 1 if splits share ground, kilns or pictures that look the same: a score on such a
    split flatters. Of a run file the folds are looked at, with their gap, over all scenes.

    Example:
        kilnlight labels split tiles --out splits.csv
        kilnlight audit tiles --splits splits.csv
        kilnlight audit RUN.toml
    """
    if what.suffix.lower() == ".toml":
        _run_file(what, as_json)
        return
    from geodata.labels.audit import audit as look
    from geodata.labels.forms import ReadOptions
    from geodata.labels.kilns import check_meet
    from geodata.labels.pictures import sort_out
    from geodata.labels.read import read_labels
    from geodata.labels.split_files import read_splits
    from geodata.labels.split_kilns import check_counts
    from geodata.labels.yolo_folder import read_yolo

    pictures, broken = sort_out(what)
    options = ReadOptions(class_names(classes), skip_bad, frame, what)
    read = read_labels(labels, options) if labels else read_yolo(what, pictures, options, broken)
    kilns, problems = read.labels, read.problems
    named = read_splits(splits) if splits else {picture.path.name: "all" for picture in pictures}
    found = look(pictures, kilns, named)
    found = replace(found, broken=(*(path.name for path in broken), *found.broken))
    if as_json:
        typer.echo(json.dumps({**asdict(found), "problems": problems}, indent=2))
    else:
        _show(found, problems)
    check_meet(kilns, [picture.grid for picture in pictures], labels or what)
    if splits:
        _warn(check_counts({part.name: part.kilns for part in found.parts}))
    if found.leaks:
        raise typer.Exit(LEAKS)


def _run_file(path: Path, as_json: bool) -> None:
    from training.config import read_config
    from training.leaks import audit_run, leaks_in_words

    found = audit_run(read_config(path), path.parent)
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        table = Table("fold", "scenes", "held km²", "kilns", "learnt km²", "kilns")
        for p in found.folds:
            held, learnt = f"{p.held_km2:.1f}", f"{p.learnt_km2:.1f}"
            table.add_row(p.name, str(p.scenes), held, str(p.held_kilns), learnt, str(p.learnt_kilns))
        Console().print(table)
        if found.outside:
            typer.echo(f"{len(found.outside)} labels lie in no scene: {_some(found.outside)}")
        leaks = leaks_in_words(found.leaks)
        for sentence in leaks[:_SHOWN]:
            typer.secho(sentence, fg="red")
        if len(leaks) > _SHOWN:
            typer.echo(f"and {len(leaks) - _SHOWN} more pairs of scenes.")
        if not leaks:
            typer.echo("No leak between folds." if found.folds else "No folds, nothing to leak.")
    _warn(found.warnings)
    if found.leaks:
        raise typer.Exit(LEAKS)


def _warn(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        typer.secho(sentence, err=True, fg="yellow")


def _show(found: "Audit", problems: tuple[str, ...]) -> None:
    table = Table("split", "pictures", "without kilns", "km²", "kilns", "classes")
    for part in found.parts:
        classes = ", ".join(f"{name} {n}" for name, n in part.classes.items())
        table.add_row(
            part.name, str(part.pictures), str(part.empty), f"{part.area_km2:.1f}", str(part.kilns), classes
        )
    Console().print(table)
    if isfinite(found.length_m[1]):
        length, width = (f"{v[1]:.0f} m ({v[0]:.0f}–{v[2]:.0f})" for v in (found.length_m, found.width_m))
        typer.echo(f"Kilns are {length} long and {width} wide: medians, and 5 to 95 %.")
    for text, names in (
        ("do not decode", found.broken),
        ("hold one value only", found.constant),
        ("are on one side of the splits' file only, pictures or names", found.unnamed),
        ("are broken label rows", problems),
        ("kilns lie in no picture", found.outside),
        ("kilns have a size that no kiln has", found.odd_sizes),
        ("kilns are labelled again within 45 m of another label", found.repeated),
    ):
        if names:
            typer.echo(f"{len(names)} {text}: {_some(names)}")
    for leak in found.leaks:
        typer.secho(_leak(leak), fg="red")
    if not found.leaks:
        typer.echo("No leak between splits." if len(found.parts) > 1 else "One split, nothing to leak.")


def _leak(leak: "Leak") -> str:
    shared = [
        f"{leak.shared_km2:.2f} km² of ground ({leak.picture_pairs} pairs of pictures)"
        if leak.picture_pairs
        else "",
        f"{leak.kilns} kilns" if leak.kilns else "",
        f"{len(leak.duplicates)} pictures that look the same"
        f" ({_some([f'{one} = {other}' for one, other in leak.duplicates])})"
        if leak.duplicates
        else "",
    ]
    return (
        f"LEAK: {leak.one} and {leak.other} share {', '.join(filter(None, shared))}; "
        "split by place: `kilnlight labels split`."
    )


def _some(names: tuple[str, ...] | list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
