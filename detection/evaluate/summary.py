"""detection.evaluate.summary: the figures of several looks as one table; knows nothing of files or pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from detection.evaluate.blocks import Interval
from detection.evaluate.intervals import intervals
from detection.evaluate.matching import HIT_RADIUS_M, Look, match_looks
from detection.evaluate.metrics import Scores, scores_of

RADII_M = (50.0, HIT_RADIUS_M, 200.0)
HIT, MISSED, FALSE_ALARM, EXCUSED = "hit", "missed", "false_alarm", "excused"


@dataclass(frozen=True)
class Row:
    """Figures for one radius, with or without the unverified places."""

    with_places: bool
    """True where a detection at an unverified place is neither right nor wrong."""
    scores: Scores
    intervals: dict[str, Interval]
    """95 %, by the names of `Scores`."""


@dataclass(frozen=True)
class Outcome:
    """What became of one detection, or a kiln that was missed."""

    lon: float
    lat: float
    outcome: str
    score: float | None
    """None for a missed kiln."""
    distance_m: float | None
    """From the kiln; None for anything but a hit."""


def report(looks: Sequence[Look], threshold: float) -> list[Row]:
    """Figures at 50, 100 and 200 m, each with and without the unverified places."""
    area_km2 = sum(look.area_km2 for look in looks)
    rows = []
    for with_places in (True, False):
        judged = looks if with_places else [replace(k, truth=k.truth.without_places()) for k in looks]
        for radius_m in RADII_M:
            found, truth, matching = match_looks(judged, radius_m)
            scores = scores_of(found, truth, matching, area_km2, threshold, radius_m)
            rows.append(Row(with_places, scores, intervals(found, truth, area_km2, threshold, matching)))
    return rows


def outcomes(looks: Sequence[Look], threshold: float) -> list[Outcome]:
    """Each detection at or above the threshold and each missed kiln, at 100 m, unverified places excused."""
    found, truth, matching = match_looks(looks)
    above = found.score >= threshold
    names = np.where(matching.hit, HIT, np.where(matching.excused, EXCUSED, FALSE_ALARM))
    out = [
        Outcome(
            float(found.lon[k]),
            float(found.lat[k]),
            str(names[k]),
            float(found.score[k]),
            float(matching.distance_m[k]) if matching.hit[k] else None,
        )
        for k in np.flatnonzero(above)
    ]
    missed = ~truth.kiln_ignored
    missed[matching.kiln[matching.hit & above]] = False
    out += [
        Outcome(float(truth.kiln_lon[k]), float(truth.kiln_lat[k]), MISSED, None, None)
        for k in np.flatnonzero(missed)
    ]
    return out
