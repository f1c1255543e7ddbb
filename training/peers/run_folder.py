"""training.peers.run_folder: held-out detections as a run folder, so that `kilnlight evaluate --run` takes them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from detection.coverage import coverage_rows, in_order
from detection.frames import detection_rows, with_ids
from detection.pipeline import join
from detection.scan import Scan
from detection.windows import CORE_PX, REACH_PX
from geodata.files import sha256_of
from geodata.tables.coverage import write_coverage
from geodata.tables.detections import write_detections
from geodata.tables.run import (
    CANDIDATES,
    COVERAGE,
    DETECTIONS,
    RunInput,
    RunRecord,
    RunSettings,
    withdraw_run,
    write_run,
)
from training.peers.nets import SCORE_FLOOR


def write_held_out(
    folder: Path, name: str, threshold: float, scans: Sequence[Scan], bands: Sequence[str]
) -> None:
    """Write detections, candidates, coverage and, last, `run.json`.

    Args:
        folder: where to; an older run there goes.
        name: of the model.
        threshold: of its score; what is below are candidates.
        scans: one per scene, each part seen by a net that had not learnt from it.
        bands: that were read.
    """
    scans = join(scans)
    rows = with_ids(
        [detection_rows(one, np.full(len(one.scores), np.nan, dtype=np.float32), name) for one in scans]
    )
    above = rows["score"].to_numpy(np.float64) >= threshold
    coverage = [coverage_rows(s.info, s.observed, s.boxes.take(s.scores >= threshold), name) for s in scans]
    withdraw_run(folder)
    write_detections(folder / DETECTIONS, rows[above].reset_index(drop=True))
    write_detections(folder / CANDIDATES, rows[~above].reset_index(drop=True))
    write_coverage(folder / COVERAGE, in_order(coverage))
    record = RunRecord(
        model_id=name,
        model_name=f"{name} (held-out folds)",
        # a date of no meaning: the same run, the same bytes
        model_created_at=datetime(1970, 1, 1, tzinfo=UTC),
        settings=RunSettings(
            threshold=threshold,
            candidate_floor=SCORE_FLOOR,
            suppression_iou=0.0,
            window_px=CORE_PX,
            halo_px=REACH_PX,
            candidates=True,
        ),
        versions={package: version(package) for package in ("kilnlight", "numpy", "torch", "torchvision")},
        inputs=tuple(_input(one, bands) for one in scans),
        files={file: sha256_of(folder / file) for file in (DETECTIONS, CANDIDATES, COVERAGE)},
    )
    write_run(folder, record)


def _input(one: Scan, bands: Sequence[str]) -> RunInput:
    info = one.info
    return RunInput(
        name=info.name,
        sha256=info.sha256,
        scene_id=info.scene_id,
        acquired_at=info.acquired_at,
        product=info.product,
        bands=tuple(bands),
        pixel_size_m=info.grid.pixel_size_m(),
        made_up=info.made_up,
        observed_km2=one.observed.km2,
        damaged_share=0.0,
        outside_domain=(),
    )
