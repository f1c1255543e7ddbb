"""detection.evaluate.report.entries: each hit, miss, false alarm and excused detection as a record; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detection.evaluate.matching import Matching
from detection.evaluate.sample import Index, Sample
from detection.evaluate.summary import EXCUSED, FALSE_ALARM, HIT, MISSED
from geodata.grid import Floats
from geodata.near import pairs_within

ONLY_FIRST, ONLY_SECOND = "only_first", "only_second"
NEAR_M = 300.0
"""A false alarm's distance to a kiln is told up to here."""


@dataclass(frozen=True)
class Entry:
    """What became of one detection or kiln, and where: scene and pixel; degrees only where asked for."""

    outcome: str
    region: int
    """Index of the region."""
    scene: str
    col: int
    row: int
    detection: int | None
    """Index in the sample's detections; for a missed kiln the best candidate on it, below the threshold."""
    score: float | None
    """Of that detection."""
    kiln: int | None
    """Index in the sample's kilns."""
    kiln_name: str | None
    distance_m: float | None
    """Between the detection and its kiln; for a false alarm the nearest kiln within 300 m."""
    lon: float | None = None
    lat: float | None = None


def entries_of(sample: Sample, matching: Matching, threshold: float) -> list[Entry]:
    """Every detection from the threshold up and every missed kiln: the worst of each kind first.

    False alarms and excused detections by falling score, hits by rising score, misses with nothing at all on
    them first.
    """
    score = sample.detections.score
    above = score >= threshold
    candidate = _candidate_of_kiln(sample, matching)
    near = _nearest_kiln(sample)
    out = []
    falling = np.argsort(-score, kind="stable")
    for kind, mask, order in (
        (FALSE_ALARM, matching.false_alarm & above, falling),
        (EXCUSED, matching.excused & above, falling),
        (HIT, matching.hit & above, falling[::-1]),
    ):
        for k in order[mask[order]]:
            kiln = int(matching.kiln[k]) if kind == HIT else None
            distance = float(matching.distance_m[k] if kind == HIT else near[k])
            out.append(_of_detection(sample, kind, int(k), kiln, distance))
    found = np.zeros(len(sample.kilns), dtype=np.bool_)
    found[matching.kiln[matching.hit & above]] = True
    missed = np.flatnonzero(~found & ~sample.kilns.ignored)
    best = np.where(candidate[missed] >= 0, score[candidate[missed]] if len(score) else 0.0, -1.0)
    for n in missed[np.argsort(best, kind="stable")]:
        out.append(of_kiln(sample, MISSED, int(n), int(candidate[n]), matching))
    return out


def of_kiln(sample: Sample, outcome: str, kiln: int, detection: int, matching: Matching) -> Entry:
    """An entry at a kiln, with the detection matched to it (-1 for none)."""
    boxes = sample.kilns.boxes
    region = int(sample.kilns.region[kiln])
    col, row = _pixel(sample, region, float(boxes.lon[kiln]), float(boxes.lat[kiln]))
    there = detection >= 0
    return Entry(
        outcome,
        region,
        sample.regions[region].scene,
        col,
        row,
        detection if there else None,
        float(sample.detections.score[detection]) if there else None,
        kiln,
        sample.kilns.names[kiln],
        float(matching.distance_m[detection]) if there else None,
        float(boxes.lon[kiln]),
        float(boxes.lat[kiln]),
    )


def kilns_of(sample: Sample, outcome: str, kilns: Index, matching: Matching) -> list[Entry]:
    """Entries at some kilns, with what was matched to each, be it below the threshold."""
    candidate = _candidate_of_kiln(sample, matching)
    return [of_kiln(sample, outcome, int(n), int(candidate[n]), matching) for n in kilns]


def without_places(entries: Sequence[Entry]) -> list[Entry]:
    """The same entries with no coordinates."""
    return [replace(entry, lon=None, lat=None) for entry in entries]


def _of_detection(sample: Sample, kind: str, k: int, kiln: int | None, distance_m: float) -> Entry:
    boxes = sample.detections.boxes
    region = int(sample.detections.region[k])
    lon, lat = float(boxes.lon[k]), float(boxes.lat[k])
    col, row = _pixel(sample, region, lon, lat)
    return Entry(
        kind,
        region,
        sample.regions[region].scene,
        col,
        row,
        k,
        float(sample.detections.score[k]),
        kiln,
        None if kiln is None else sample.kilns.names[kiln],
        distance_m if np.isfinite(distance_m) else None,
        lon,
        lat,
    )


def _pixel(sample: Sample, region: int, lon: float, lat: float) -> tuple[int, int]:
    col, row = sample.regions[region].grid.pixel(lon, lat)
    return int(np.floor(col)), int(np.floor(row))


def _candidate_of_kiln(sample: Sample, matching: Matching) -> Index:
    """Index of the detection or candidate that each kiln was matched with, else -1."""
    out = np.full(len(sample.kilns), -1, dtype=np.intp)
    hits = np.flatnonzero(matching.hit)
    out[matching.kiln[hits]] = hits
    return out


def _nearest_kiln(sample: Sample) -> Floats:
    """Metres to the nearest kiln of each detection; NaN beyond `NEAR_M`."""
    boxes, kilns = sample.detections.boxes, sample.kilns.boxes
    out = np.full(len(boxes), np.inf)
    if len(boxes) and len(kilns):
        point, _kiln, distance = pairs_within((boxes.lon, boxes.lat), (kilns.lon, kilns.lat), NEAR_M)
        np.minimum.at(out, point, distance)
    return np.where(np.isfinite(out), out, np.nan)
