"""app.cli.detect: the command `kilnlight detect`: options in, a bar and a line out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.cli.options import (
    Acquired,
    AllowDamaged,
    Bands,
    Model,
    Scenes,
    Threads,
    Zoom,
    acquired_at,
    band_names,
    cores,
)
from app.cli.progress import windows_bar
from geodata.files import without_empty_folders


class Format(StrEnum):
    """Formats besides GeoParquet."""

    geojson = "geojson"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("detect", no_args_is_help=True)(detect)


def detect(
    scenes: Scenes,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the result.", show_default=False)],
    model: Model = None,
    bands: Bands = None,
    acquired: Acquired = None,
    product: Annotated[
        str | None, typer.Option(metavar="NAME", help="Product, where the files do not tell: S2-L2A")
    ] = None,
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Also write what lies below the model's threshold.")
    ] = False,
    format: Annotated[Format | None, typer.Option(help="Also write a copy in this format.")] = None,
    allow_damaged: AllowDamaged = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Run the good scenes and name the others in run.json.")
    ] = False,
    zoom: Zoom = None,
    threads: Threads = None,
) -> None:
    """Find possible kilns in scenes and write them, with what was looked at, to a folder.

    Scenes are GeoTIFF, COG or JPEG 2000 files, or folders of them, in any CRS, with pixels of 8 to 12 m
    (finer ones are averaged). The folder gets detections.parquet, coverage.parquet and, last, run.json; it
    may hold other files.

    Example:
        kilnlight detect scene.tif --out runs/2024-01 --candidates
    """
    from app.services.detecting import DetectRequest
    from app.services.detecting import detect as run_detection
    from geodata.sources.files import OpenOptions

    request = DetectRequest(
        scenes=tuple(scenes),
        out=out,
        model=model,
        options=OpenOptions(
            band_names=band_names(bands),
            acquired_at=acquired_at(acquired),
            product=product,
            allow_damaged=allow_damaged,
        ),
        candidates=candidates,
        geojson=format is Format.geojson,
        skip_bad=skip_bad,
        threads=threads or cores(),
        zoom=zoom,
    )
    with without_empty_folders(out), windows_bar("Looking for kilns") as (progress, warn):
        result = run_detection(request, warn, progress)
    below = f", {result.candidates:,} candidates below the threshold" if result.candidates is not None else ""
    skipped = f"; {result.skipped} left out" if result.skipped else ""
    Console().print(
        f"{result.detections:,} possible kilns{below} on {result.observed_km2:,.0f} km² of {result.scenes} "
        f"scene(s){skipped}: {out}",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
