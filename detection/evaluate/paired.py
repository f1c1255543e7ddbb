"""detection.evaluate.paired: two models on the same ground; pure and repeatable.

The same draws of places serve both models, and the figures' differences are taken draw by draw (the paired
bootstrap: Efron and Tibshirani 1993, chapter 16; blocks of land as in `blocks`). So luck with the land, which
is the same for both, falls out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import nan

import numpy as np

from detection.evaluate.blocks import Blocks, between, draw_blocks
from detection.evaluate.estimate import Estimate
from detection.evaluate.intervals import figure_draws
from detection.evaluate.matching import HIT_RADIUS_M, Matching, Truth
from detection.evaluate.metrics import scores_of
from detection.evaluate.oriented import match_overlaps
from detection.evaluate.sample import Index, Sample, match_sample
from geodata.grid import Floats

COMPARED = ("f1", "precision", "recall", "average_precision", "false_per_1000_km2")


@dataclass(frozen=True)
class Judged:
    """A model's sample with its threshold."""

    sample: Sample
    threshold: float
    cut: bool = False
    """Nothing below the threshold is known, so that curves end there."""


@dataclass(frozen=True)
class Difference:
    """One figure of both models, and the first minus the second."""

    name: str
    first: float
    second: float
    difference: Estimate
    p: float
    """Two-sided: twice the smaller share of draws on either side of 0, at most 1."""


@dataclass(frozen=True)
class Comparison:
    """Two models on the same kilns."""

    differences: tuple[Difference, ...]
    only_first: Index
    """Indexes of the kilns that only the first finds."""
    only_second: Index


def compare(first: Judged, second: Judged) -> Comparison:
    """Compare two models on the same kilns; by areas under curves only where neither is cut.

    Raises:
        ValueError: the kilns are not the same.
    """
    if first.sample.kilns.names != second.sample.kilns.names:
        raise ValueError("the two samples do not have the same kilns")
    sides = (first, second)
    by_centre = [match_sample(side.sample) for side in sides]
    by_overlap = [match_overlaps(side.sample) for side in sides]
    one, two = _figures(sides, by_centre, lambda s: s.truth, COMPARED)
    turned = _figures(sides, by_overlap, lambda s: s.sized_truth, ("average_precision",))
    for all_figures, more in zip((one, two), turned, strict=True):
        all_figures["rotated_ap50"] = more["average_precision"]
    if first.cut or second.cut:
        for figures in (one, two):
            del figures["average_precision"], figures["rotated_ap50"]
    found = [_found(side, matching) for side, matching in zip(sides, by_centre, strict=True)]
    required = ~first.sample.kilns.ignored
    return Comparison(
        tuple(_difference(name, one[name], two[name]) for name in one),
        np.flatnonzero(required & found[0] & ~found[1]),
        np.flatnonzero(required & found[1] & ~found[0]),
    )


_Figures = dict[str, tuple[float, Floats]]
"""Value and draws."""


def _figures(
    sides: tuple[Judged, Judged],
    matchings: list[Matching],
    truth: Callable[[Sample], Truth],
    names: tuple[str, ...],
) -> tuple[_Figures, _Figures]:
    scored = [(s.sample.found, truth(s.sample), m) for s, m in zip(sides, matchings, strict=True)]
    blocks = draw_blocks(scored)

    def one(k: int, drawn: Blocks) -> _Figures:
        area, threshold = sides[k].sample.area_km2, sides[k].threshold
        values = scores_of(*scored[k], area, threshold, HIT_RADIUS_M)
        draws = figure_draws(scored[k], area, threshold, drawn)
        return {name: (getattr(values, name), draws[name]) for name in names}

    return one(0, blocks[0]), one(1, blocks[1])


def _difference(name: str, first: tuple[float, Floats], second: tuple[float, Floats]) -> Difference:
    (value, draws), (other, other_draws) = first, second
    apart = draws - other_draws
    # two models with the same outcomes differ in nothing, wherever places are drawn
    difference = Estimate(value - other, *(between(apart) or (nan, nan)))
    return Difference(name, value, other, difference, _p_value(apart))


def _p_value(draws: Floats) -> float:
    draws = draws[np.isfinite(draws)]
    if not len(draws):
        return nan
    # one more on either side, since no finite number of draws shows a chance of 0
    smaller = min((draws <= 0).sum(), (draws >= 0).sum())
    return float(min(1.0, 2 * (smaller + 1) / (len(draws) + 1)))


def _found(side: Judged, matching: Matching) -> np.ndarray:
    above = matching.hit & (side.sample.detections.score >= side.threshold)
    out = np.zeros(len(side.sample.kilns), dtype=np.bool_)
    out[matching.kiln[above]] = True
    return out
