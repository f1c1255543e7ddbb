"""app.cli.evaluate: the command `kilnlight evaluate`: options in, a table or JSON out."""

import shlex
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.evaluation_table import show
from app.cli.options import (
    Acquired,
    AllowDamaged,
    Bands,
    Classes,
    Model,
    Scenes,
    SkipBad,
    Threads,
    Zoom,
    acquired_at,
    band_names,
    class_names,
    cores,
)
from app.cli.progress import windows_bar
from geodata.errors import InputError
from geodata.files import ensure_output_folder, without_empty_folders

if TYPE_CHECKING:
    from app.services.evaluating import EvaluateRequest, Evaluation
    from app.services.evaluation_report import ReportOptions


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
    classes: Classes = "CFCBK,FCBK,Zigzag",
    skip_bad: SkipBad = False,
    bands: Bands = None,
    acquired: Acquired = None,
    product: Annotated[
        str | None, typer.Option(metavar="NAME", help="Product, where the files do not tell: S2-L2A")
    ] = None,
    allow_damaged: AllowDamaged = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    zoom: Zoom = None,
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
    from app.services.evaluation_file import as_json
    from app.services.evaluation_report import ReportOptions
    from geodata.labels.forms import ReadOptions
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
        label_options=ReadOptions(class_names(classes), skip_bad),
        threads=threads or cores(),
        zoom=zoom,
    )
    now = datetime.now(UTC).replace(microsecond=0)
    how = ReportOptions(report, _command(), now, pictures, coordinates) if report else None
    result, page = _run(request, out, how)
    if json:
        typer.echo(as_json(result), nl=False)
        return
    show(result)
    if page is not None:
        typer.echo(f"Wrote the report {page}")


def _run(
    request: "EvaluateRequest", out: Path | None, how: "ReportOptions | None"
) -> "tuple[Evaluation, Path | None]":
    """Evaluate and write what was asked for; folders that are not there yet stay so where it fails."""
    from app.services.evaluating import evaluate as run_evaluation
    from app.services.evaluation_file import write_evaluation
    from app.services.evaluation_report import report_evaluation

    folders = [folder for folder in (out, how.folder if how else None) if folder is not None]
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(without_empty_folders(folder))
        progress, warn = stack.enter_context(windows_bar("Looking for kilns"))
        for folder in folders:
            ensure_output_folder(folder)
        result, details = run_evaluation(request, warn, progress)
        if out is not None:
            write_evaluation(out, result)
        page = report_evaluation(details, how) if how else None
    return result, page


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
