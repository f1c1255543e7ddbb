"""app.cli.evaluate: the command `kilnlight evaluate`: options in, a table or JSON out."""

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.cli.options import (
    Acquired,
    AllowDamaged,
    Bands,
    Classes,
    Model,
    Scenes,
    SkipBad,
    Threads,
    acquired_at,
    band_names,
    class_names,
    cores,
)
from app.cli.progress import windows_bar
from geodata.errors import InputError
from geodata.files import ensure_output_folder, without_empty_folders

if TYPE_CHECKING:
    from app.services.evaluating import Evaluation
    from detection.evaluate.report import Row

_FIGURES = (
    ("F1", "f1", 3),
    ("precision", "precision", 3),
    ("recall", "recall", 3),
    ("average precision", "average_precision", 3),
    ("false per 1,000 km²", "false_per_1000_km2", 1),
    ("centre error (m)", "centre_error_m", 1),
)
"""Label, field of `Scores`, digits after the point."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("evaluate", no_args_is_help=True)(evaluate)


def evaluate(
    scenes: Scenes,
    labels: Annotated[
        Path,
        typer.Option(
            "--labels",
            "--kilns",
            metavar="PATH",
            help="Known kilns: outlines or points, CSV, YOLO-OBB folder, project.",
            show_default=False,
        ),
    ],
    ignore: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Unverified places: CSV with lon and lat, 80 m around each."),
    ] = None,
    model: Model = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Score the detections of this run folder; no model is run."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for evaluation.json and outcomes.geojson.")
    ] = None,
    classes: Classes = "CFCBK,FCBK,Zigzag",
    skip_bad: SkipBad = False,
    bands: Bands = None,
    acquired: Acquired = None,
    allow_damaged: AllowDamaged = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    threads: Threads = None,
) -> None:
    """Score a model on whole scenes with known kilns.

    Detections and kilns are matched one to one by their centres, at 100 m (also 50 and 200). Intervals are
    95 %, from a bootstrap over tiles of 1 km. Kilns cut by a scene's edge or under cloud count neither way;
    so do detections at unverified places (--ignore), and the figures are also given without that.

    Example:
        kilnlight evaluate a.tif b.tif --labels kilns.geojson --ignore unverified.csv
    """
    from app.services.evaluating import EvaluateRequest
    from app.services.evaluating import evaluate as run_evaluation
    from app.services.evaluation_file import as_json, write_evaluation
    from geodata.labels.forms import ReadOptions
    from geodata.sources.files import OpenOptions

    if model is not None and run is not None:
        raise InputError("--model and --run cannot both be given; a run has its model already.")
    request = EvaluateRequest(
        scenes=tuple(scenes),
        labels=labels,
        ignore=ignore,
        model=model,
        run=run,
        options=OpenOptions(
            band_names=band_names(bands), acquired_at=acquired_at(acquired), allow_damaged=allow_damaged
        ),
        label_options=ReadOptions(class_names(classes), skip_bad),
        threads=threads or cores(),
    )
    with without_empty_folders(out or Path()), windows_bar("Looking for kilns") as (progress, warn):
        if out is not None:
            ensure_output_folder(out)
        result = run_evaluation(request, warn, progress)
        if out is not None:
            write_evaluation(out, result)
    if json:
        typer.echo(as_json(result), nl=False)
    else:
        show(result)


def show(result: "Evaluation") -> None:
    """Print the figures as tables."""
    console = Console()
    console.print(
        f"Model {result.model_id} at threshold {result.threshold:.3f}: {result.area_km2:,.0f} km² of "
        f"{len(result.scenes)} scene(s). In brackets: 95 % intervals.",
        highlight=False,
    )
    console.print(_table("Unverified places excused", [row for row in result.rows if row.with_places]))
    console.print(_table("Nothing excused", [row for row in result.rows if not row.with_places]))


def _table(title: str, rows: "list[Row]") -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("centres within")
    for row in rows:
        table.add_column(f"{row.scores.radius_m:.0f} m", justify="right")
    for label, name, digits in _FIGURES:
        table.add_row(label, *(_cell(row, name, digits) for row in rows))
    table.add_row("hits of kilns", *(f"{row.scores.hits} of {row.scores.kilns}" for row in rows))
    table.add_row("false alarms", *(str(row.scores.false_alarms) for row in rows))
    return table


def _cell(row: "Row", name: str, digits: int) -> str:
    value: float = getattr(row.scores, name)
    if not isfinite(value):
        return "–"
    low, high = row.intervals.get(name, (value, value))
    return f"{value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
