"""app.services.run_output: the files of a run, written so that readers see a whole run or none."""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import rasterio

from detection.pipeline import RunTables
from detection.scan import Detector
from detection.suppress import IOU
from detection.windows import CORE_PX, REACH_PX
from geodata.files import sha256_of
from geodata.tables.coverage import write_coverage
from geodata.tables.detections import write_detections, write_geojson
from geodata.tables.run import (
    CANDIDATES,
    CANDIDATES_GEOJSON,
    COVERAGE,
    DETECTIONS,
    DETECTIONS_GEOJSON,
    RunInput,
    RunRecord,
    RunSettings,
    SkippedInput,
    withdraw_run,
    write_run,
)


@dataclass(frozen=True)
class RunOutput:
    """What is to be written."""

    tables: RunTables
    inputs: tuple[RunInput, ...]
    skipped: tuple[SkippedInput, ...]
    detector: Detector
    candidates: bool
    geojson: bool


def write_output(folder: Path, output: RunOutput) -> None:
    """Write the tables and, last, `run.json`; an older run of the folder is taken back first.

    Raises:
        InputError: the folder cannot be written.
    """
    withdraw_run(folder)
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
    write_run(folder, _record(folder, names, output))


def _record(folder: Path, names: list[str], output: RunOutput) -> RunRecord:
    card = output.detector.card
    return RunRecord(
        model_id=output.detector.model_id,
        model_name=card.name,
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
