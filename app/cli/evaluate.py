"""app.cli.evaluate: the command `kilnlight evaluate`: options in, a table or JSON out."""

import shlex
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
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
    Model,
    Scenes,
    Threads,
    acquired_at,
    band_names,
    cores,
)
from app.cli.progress import windows_bar
from geodata.errors import InputError
from geodata.files import ensure_output_folder, without_empty_folders

if TYPE_CHECKING:
    from app.services.evaluating import Evaluation
    from detection.evaluate.summary import Row

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
            "--labels", "--kilns", metavar="FILE", help="Known kilns: one polygon each.", show_default=False
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
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Compare with this model bundle or run folder, in the report."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for evaluation.json and outcomes.geojson.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for report.html (one file) and report.json.")
    ] = None,
    land: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=FILES", help="Kind of land of some scenes: city=a.tif,b_*.tif"),
    ] = None,
    allow_training_data: Annotated[
        bool,
        typer.Option("--allow-training-data", help="Score scenes that the model was trained on too."),
    ] = False,
    coordinates: Annotated[
        bool, typer.Option("--coordinates", help="Give longitude and latitude in the report.")
    ] = False,
    pictures: Annotated[
        int, typer.Option(min=0, metavar="N", help="Pictures of each kind in the report, at most.")
    ] = 60,
    bands: Bands = None,
    acquired: Acquired = None,
    product: Annotated[
        str | None, typer.Option(metavar="NAME", help="Product, where the files do not tell: S2-L2A")
    ] = None,
    allow_damaged: AllowDamaged = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    threads: Threads = None,
) -> None:
    """Score a model on whole scenes with known kilns.

    Detections and kilns are matched one to one by their centres, at 100 m (also 50 and 200). Intervals are
    95 %, from a bootstrap over tiles of 1 km. Kilns cut by a scene's edge or under cloud count neither way;
    so do detections at unverified places (--ignore), and the figures are also given without that.

    Scenes that the model's card lists as training ground are refused.

    Example:
        kilnlight evaluate a.tif b.tif --labels kilns.geojson --ignore unverified.csv --report report
    """
    from app.services.evaluating import EvaluateRequest
    from app.services.evaluating import evaluate as run_evaluation
    from app.services.evaluation_file import as_json, write_evaluation
    from app.services.evaluation_report import ReportOptions, report_evaluation
    from geodata.sources.files import OpenOptions

    if against is not None and report is None:
        raise InputError("--against compares in the report; add --report DIR.")
    request = EvaluateRequest(
        scenes=tuple(scenes),
        labels=labels,
        ignore=ignore,
        model=model,
        run=run,
        against=against,
        lands=_lands(land or []),
        allow_training_data=allow_training_data,
        options=OpenOptions(
            band_names=band_names(bands),
            acquired_at=acquired_at(acquired),
            product=product,
            allow_damaged=allow_damaged,
        ),
        threads=threads or cores(),
    )
    folders = [folder for folder in (out, report) if folder is not None]
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(without_empty_folders(folder))
        progress, warn = stack.enter_context(windows_bar("Looking for kilns"))
        for folder in folders:
            ensure_output_folder(folder)
        result, details = run_evaluation(request, warn, progress)
        if out is not None:
            write_evaluation(out, result)
        if report is not None:
            now = datetime.now(UTC).replace(microsecond=0)
            how = ReportOptions(report, _command(), now, pictures, coordinates)
            page = report_evaluation(details, how)
    if json:
        typer.echo(as_json(result), nl=False)
    else:
        show(result)
        if report is not None:
            typer.echo(f"Wrote the report {page}")


def _command() -> str:
    """The command as it was typed."""
    return shlex.join(["kilnlight", *sys.argv[1:]])


def _lands(texts: list[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of land and file pattern from `--land city=a.tif,b.tif`. Raises `InputError` for other forms."""
    out = []
    for text in texts:
        land, equals, files = text.partition("=")
        patterns = [pattern.strip() for pattern in files.split(",")]
        if not (land.strip() and equals and all(patterns)):
            raise InputError(f"--land {text!r} names no land and files; write it like city=a.tif,b_*.tif.")
        out += [(land.strip(), pattern) for pattern in patterns]
    return tuple(out)


def show(result: "Evaluation") -> None:
    """Print the figures as tables."""
    console = Console()
    if result.training_shares:
        named = ", ".join(f"{name} ({100 * share:.0f} %)" for name, share in result.training_shares.items())
        console.print(f"NOT A TEST: the model was trained on ground that is scored here: {named}.")
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
