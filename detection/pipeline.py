"""detection.pipeline: scans of one run -> its tables; pure, knows nothing of files or of the command line."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from detection.bundle import Card
from detection.calibrate import probability
from detection.coverage import coverage_rows, in_order
from detection.domain import calibration_for
from detection.frames import detection_rows, with_ids
from detection.scan import Scan, concatenate
from detection.suppress import suppress


@dataclass(frozen=True)
class RunTables:
    """What a run found and what it looked at."""

    detections: gpd.GeoDataFrame
    """At or above the card's threshold."""
    candidates: gpd.GeoDataFrame
    """From the card's `candidate_floor` up to the threshold."""
    coverage: gpd.GeoDataFrame


def run_tables(scans: Sequence[Scan], card: Card, model_id: str) -> RunTables:
    """The tables of a run, from at least one scan."""
    scans = join(scans)
    rows = with_ids([_rows(one, card, model_id) for one in scans])
    above = rows["score"].to_numpy(np.float64) >= card.threshold
    coverage = []
    for members in same_look(scans):
        boxes, scores = concatenate([(scans[k].boxes, scans[k].scores) for k in members])
        found = boxes.take(scores >= card.threshold)
        coverage += [coverage_rows(scans[k].info, scans[k].observed, found, model_id) for k in members]
    return RunTables(
        rows[above].reset_index(drop=True), rows[~above].reset_index(drop=True), in_order(coverage)
    )


def _rows(one: Scan, card: Card, model_id: str) -> gpd.GeoDataFrame:
    return detection_rows(one, probability(calibration_for(card, one.info, one.zoom), one.scores), model_id)


def join(scans: Sequence[Scan]) -> list[Scan]:
    """Take away what is double between scenes that share their acquisition time or have none.

    Detections of different dates all stay: they are looks of their own.
    """
    out = list(scans)
    for members in same_look(scans):
        if len(members) > 1:
            boxes, scores = concatenate([(scans[k].boxes, scans[k].scores) for k in members])
            owner = np.repeat(members, [len(scans[k].scores) for k in members])
            first = np.cumsum([0, *(len(scans[k].scores) for k in members[:-1])])
            kept = np.sort(suppress(boxes, scores))
            for k, start in zip(members, first, strict=True):
                out[k] = scans[k].take(kept[owner[kept] == k] - start)
    return out


def same_look(scans: Sequence[Scan]) -> list[NDArray[np.intp]]:
    """Indices of scans, in groups that share their acquisition time (or have none)."""
    groups: dict[object, list[int]] = {}
    for k, one in enumerate(scans):
        groups.setdefault(one.info.acquired_at, []).append(k)
    return [np.array(members, dtype=np.intp) for members in groups.values()]
