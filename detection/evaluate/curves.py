"""detection.evaluate.curves: precision and false alarms against recall, with their bands; pure."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from detection.evaluate.blocks import LEVEL, Blocks, Scored
from geodata.grid import Floats

RECALLS = np.linspace(0.0, 1.0, 101)
RATES = np.concatenate([[0.0], np.geomspace(0.5, 500.0, 61)])
"""False alarms per 1,000 km²."""

_Curve = Callable[[Floats, Floats, float], Floats]
"""Hits and false alarms by falling score, summed up, and the number of kilns -> the curve's heights."""


@dataclass(frozen=True)
class Band:
    """A curve with its 95 % band, point by point."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats


def precision_by_recall(scored: Scored, blocks: Blocks) -> Band:
    """The best precision at each recall or a higher one (what the average precision is the area under).

    0 at recalls that are not reached.
    """

    def one(hits: Floats, alarms: Floats, kilns: float) -> Floats:
        precision = hits / np.maximum(hits + alarms, 1e-12)
        envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
        at = np.searchsorted(hits, RECALLS * kilns - 1e-9)
        return np.asarray(envelope[at])

    return _band(scored, blocks, RECALLS, one)


def recall_by_false_alarms(scored: Scored, blocks: Blocks, area_km2: float) -> Band:
    """The recall at each rate of false alarms per 1,000 km² (free-response curve, Bunch et al. 1978)."""

    def one(hits: Floats, alarms: Floats, kilns: float) -> Floats:
        reached = np.insert(hits, 0, 0.0) / kilns
        at = np.searchsorted(alarms, RATES * area_km2 / 1000 + 1e-9, side="right")
        return np.asarray(reached[at])

    return _band(scored, blocks, RATES, one)


def _band(scored: Scored, blocks: Blocks, x: Floats, one: _Curve) -> Band:
    found, truth, matching = scored
    counted = np.flatnonzero(~matching.excused)
    order = counted[np.argsort(-found.score[counted], kind="stable")]
    hit = matching.hit[order].astype(np.float64)
    place, required = blocks.found[order], ~truth.kiln_ignored
    if not required.any():
        nothing = np.full(len(x), np.nan)
        return Band(x, nothing, nothing, nothing)
    kilns = blocks.kiln_sums(required)
    drawn = []
    for k in np.flatnonzero(kilns):
        times = blocks.weights[k, place]
        drawn.append(one(np.cumsum(times * hit), np.cumsum(times * (1 - hit)), kilns[k]))
    low, high = np.percentile(drawn, LEVEL, axis=0)
    return Band(x, one(np.cumsum(hit), np.cumsum(1 - hit), float(required.sum())), low, high)
