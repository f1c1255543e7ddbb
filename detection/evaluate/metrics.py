"""detection.evaluate.metrics: figures from matched detections; knows nothing of models or files."""

from dataclasses import dataclass

import numpy as np

from detection.evaluate.matching import HIT_RADIUS_M, PLACE_RADIUS_M, Found, Matching, Truth, match
from geodata.grid import Floats


@dataclass(frozen=True)
class Scores:
    """How good a set of detections is at one threshold."""

    radius_m: float
    threshold: float
    kilns: int
    hits: int
    false_alarms: int
    excused: int
    precision: float
    recall: float
    f1: float
    average_precision: float
    """Over all detections given, also those below the threshold."""
    area_km2: float
    false_per_1000_km2: float
    centre_error_m: float
    """Median distance of the hits' centres; NaN without a hit."""


@dataclass(frozen=True)
class Curve:
    """Figures at every score that occurs, by falling score."""

    threshold: Floats
    precision: Floats
    recall: Floats
    f1: Floats
    false_alarms: Floats


def f1_of(hits: int, false_alarms: int, kilns: int) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is right, NaN where nothing can be."""
    whole = hits + false_alarms + kilns
    return 2 * hits / whole if whole else float("nan")


def score_detections(
    found: Found,
    truth: Truth,
    area_km2: float,
    threshold: float,
    radius_m: float = HIT_RADIUS_M,
    place_radius_m: float = PLACE_RADIUS_M,
) -> Scores:
    """Score detections against verified kilns; `area_km2` is the observed (valid) area they come from.

    `found` may hold candidates below the threshold: only the average precision looks at them.
    """
    matching = match(found, truth, radius_m, place_radius_m)
    return scores_of(found, truth, matching, area_km2, threshold, radius_m)


def scores_of(
    found: Found, truth: Truth, matching: Matching, area_km2: float, threshold: float, radius_m: float
) -> Scores:
    """As `score_detections`, of a matching that is there already."""
    above = found.score >= threshold
    hit = matching.hit & above
    hits, false_alarms = int(hit.sum()), int((matching.false_alarm & above).sum())
    kilns = truth.kilns
    return Scores(
        radius_m=radius_m,
        threshold=threshold,
        kilns=kilns,
        hits=hits,
        false_alarms=false_alarms,
        excused=int((matching.excused & above).sum()),
        precision=hits / (hits + false_alarms) if hits + false_alarms else float("nan"),
        recall=hits / kilns if kilns else float("nan"),
        f1=f1_of(hits, false_alarms, kilns),
        average_precision=average_precision(found, matching, kilns),
        area_km2=area_km2,
        false_per_1000_km2=1000 * false_alarms / area_km2 if area_km2 > 0 else float("nan"),
        centre_error_m=float(np.median(matching.distance_m[hit])) if hits else float("nan"),
    )


def curve(found: Found, matching: Matching, kilns: int) -> Curve:
    """Precision, recall and F1 at every score that occurs; excused detections do not count."""
    counted = np.flatnonzero(~matching.excused)
    order = counted[np.argsort(-found.score[counted], kind="stable")]
    score = found.score[order]
    hits = np.cumsum(matching.hit[order]).astype(np.float64)
    alarms = np.cumsum(matching.false_alarm[order]).astype(np.float64)
    # Equal scores pass a threshold together: only the last of them is a point of the curve.
    last = np.append(score[1:] != score[:-1], True) if len(score) else np.zeros(0, dtype=np.bool_)
    hits, alarms, score = hits[last], alarms[last], score[last]
    recall = hits / kilns if kilns else np.full(len(hits), np.nan)
    return Curve(score, hits / (hits + alarms), recall, 2 * hits / (hits + alarms + kilns), alarms)


def average_precision(found: Found, matching: Matching, kilns: int) -> float:
    """Area under the precision-recall curve with precision made monotone (all points); NaN without kilns."""
    if not kilns:
        return float("nan")
    points = curve(found, matching, kilns)
    envelope = np.maximum.accumulate(points.precision[::-1])[::-1]
    steps = np.diff(points.recall, prepend=0.0)
    return float((steps * envelope).sum())


def best_threshold(points: Curve) -> float:
    """The threshold with the highest F1, halfway to the next lower score so that rounding cannot move it.

    Raises `ValueError` for an empty curve.
    """
    if not len(points.threshold):
        raise ValueError("a curve without a point has no threshold")
    at = int(np.argmax(points.f1))
    below = points.threshold[at + 1] if at + 1 < len(points.threshold) else points.threshold[at]
    return float((points.threshold[at] + below) / 2)
