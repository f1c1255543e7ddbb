"""detection.evaluate.gap: how much better one model is than another on the same ground; pure, repeatable."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.evaluate.blocks import DRAWS, LEVEL, SEED
from detection.evaluate.metrics import f1_of
from detection.evaluate.summary import FALSE_ALARM, HIT, MISSED, Outcome
from geodata.grid import Floats
from geodata.tiles import tile_ids

_COUNTED = (HIT, FALSE_ALARM, MISSED)


@dataclass(frozen=True)
class Gap:
    """F1 of two models at their own thresholds, and the first minus the second with its 95 % interval."""

    first: float
    second: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """The first minus the second."""
        return self.first - self.second


def f1_gap(first: Sequence[Outcome], second: Sequence[Outcome]) -> Gap:
    """Compare two models by the outcomes of the same scenes and kilns.

    A paired bootstrap over tiles of about 1 km (as `intervals`): the same draws of places serve both models,
    so luck with the land, which both share, falls out. NaN where there is neither a kiln nor a detection.
    """
    sides = [[one for one in side if one.outcome in _COUNTED] for side in (first, second)]
    both = [one for side in sides for one in side]
    names = tile_ids([one.lon for one in both], [one.lat for one in both]) if both else []
    _, place = np.unique(np.array(names, dtype="U16"), return_inverse=True)
    n = int(place.max()) + 1 if len(place) else 0
    weights = np.random.default_rng(SEED).poisson(1.0, (DRAWS, n)).astype(np.float64)
    drawn = []
    for side, at in zip(sides, np.split(place, [len(sides[0])]), strict=True):
        hits, alarms, misses = (_draws(side, at, kind, weights) for kind in _COUNTED)
        whole = 2 * hits + alarms + misses
        drawn.append(np.divide(2 * hits, whole, out=np.full(DRAWS, np.nan), where=whole > 0))
    apart = drawn[0] - drawn[1]
    apart = apart[np.isfinite(apart)]
    low, high = np.percentile(apart, LEVEL) if len(apart) else (np.nan, np.nan)
    return Gap(_f1(sides[0]), _f1(sides[1]), float(low), float(high))


def _draws(side: Sequence[Outcome], at: np.ndarray, kind: str, weights: Floats) -> Floats:
    counted = np.array([one.outcome == kind for one in side], dtype=np.bool_)
    return np.asarray(weights @ np.bincount(at[counted], minlength=weights.shape[1]))


def _f1(side: Sequence[Outcome]) -> float:
    hits, alarms, misses = (sum(one.outcome == kind for one in side) for kind in _COUNTED)
    return f1_of(hits, alarms, hits + misses)
