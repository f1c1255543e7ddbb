"""app.services.run_output: the files of a run, written so that readers see a whole run or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import rasterio

from detection.pipeline import RunTables
from detection.scan import Detector
from detection.suppress import IOU
from detection.windows import CORE_PX, REACH_PX
from geodata.errors import InputError
from geodata.files import ensure_output_folder, flush_folder, sha256_of
from geodata.tables.coverage import write_coverage
from geodata.tables.detections import write_detections, write_geojson
from geodata.tables.run import (
    CANDIDATES,
    CANDIDATES_GEOJSON,
    COVERAGE,
    DETECTIONS,
    DETECTIONS_GEOJSON,
    FILES,
    RUN,
    RunInput,
    RunRecord,
    RunSettings,
    SkippedInput,
    withdraw_run,
    write_run,
)
from geodata.tables.scene_paths import SCENE_PATHS, write_scene_paths


@dataclass(frozen=True)
class RunOutput:
    """What is to be written."""

    tables: RunTables
    inputs: tuple[RunInput, ...]
    scene_paths: Mapping[str, Path]
    """Where the inputs lie, by SHA-256."""
    skipped: tuple[SkippedInput, ...]
    detector: Detector
    candidates: bool
    geojson: bool


def ensure_run_folder(folder: Path) -> None:
    """Make the folder and try that all files of a run can take their places in it.

    Raises:
        InputError: it cannot be written, or a folder bears the name of one of the files.
    """
    ensure_output_folder(folder)
    for name in (*FILES, SCENE_PATHS, RUN):
        if (folder / name).is_dir():
            raise InputError(
                f"{folder / name} is a folder, where a file of the run has to be; move it away, or name "
                "another folder for the output."
            )


def write_output(folder: Path, output: RunOutput) -> None:
    """Write the tables and, last, `run.json`; an older run of the folder goes when the new one is on disk.

    Raises:
        InputError: the folder cannot be written.
        OSError: the disk is full; the folder is as it was then.
    """
    ensure_run_folder(folder)
    with TemporaryDirectory(prefix=".run.", suffix=".part", dir=folder, ignore_cleanup_errors=True) as name:
        aside = Path(name)
        names = _write_tables(aside, output)
        write_run(aside, _record(aside, names, output))
        write_scene_paths(aside, output.scene_paths)
        withdraw_run(folder)
        for file in (*names, SCENE_PATHS, RUN):
            (aside / file).replace(folder / file)
            flush_folder(folder)


def _write_tables(folder: Path, output: RunOutput) -> list[str]:
    """Write the tables; their names."""
    names = [DETECTIONS, COVERAGE]
    write_detections(folder / DETECTIONS, output.tables.detections)
    write_coverage(folder / COVERAGE, output.tables.coverage)
    if output.geojson:
        write_geojson(folder / DETECTIONS_GEOJSON, output.tables.detections)
        names.append(DETECTIONS_GEOJSON)
    if output.candidates:
        write_detections(folder / CANDIDATES, output.tables.candidates)
        names.append(CANDIDATES)
    if output.candidates and output.geojson:
        write_geojson(folder / CANDIDATES_GEOJSON, output.tables.candidates)
        names.append(CANDIDATES_GEOJSON)
    return names


def _utc(at: datetime) -> datetime:
    """A card's time; one without a zone is UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _record(folder: Path, names: list[str], output: RunOutput) -> RunRecord:
    card = output.detector.card
    return RunRecord(
        model_id=output.detector.model_id,
        model_name=card.name,
        model_created_at=_utc(card.created_at),
        settings=RunSettings(
            threshold=card.threshold,
            candidate_floor=card.candidate_floor,
            suppression_iou=IOU,
            window_px=CORE_PX,
            halo_px=REACH_PX,
            candidates=output.candidates,
        ),
        versions={
            **{name: version(name) for name in ("kilnlight", "numpy", "onnxruntime", "rasterio")},
            "gdal": rasterio.__gdal_version__,
        },
        inputs=output.inputs,
        skipped=output.skipped,
        files={name: sha256_of(folder / name) for name in names},
    )
