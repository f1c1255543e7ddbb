"""detection.review_reliability: how far chances agree with reviews of a weighted sample; knows no files.

For the report of a model, whose detections all count the same, see `detection.evaluate.reliability`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.calibrate import fit_calibration, probability
from geodata.grid import Floats

BINS = 10
DRAWS = 1000
SEED = 20_240_115
LEVEL = (2.5, 97.5)
FOLDS = 5


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error of some chances."""

    ece: float
    low: float
    high: float
    """95 %, from a bootstrap over blocks."""
    perfect: float
    """What 90 % of perfectly calibrated scores of the same chances and number stay below."""
    n: int


def expected_calibration_error(chance: Floats, is_kiln: NDArray[np.bool_], weight: Floats) -> float:
    """Mean difference between chance and share of kilns over ten bins of equal count, by weight.

    Naeini, Cooper and Hauskrecht 2015 ("Obtaining well calibrated probabilities using Bayesian binning"),
    with equal-count bins: equal-width ones would be near empty in the middle.
    """
    order = np.lexsort((is_kiln, chance))
    bins = np.array_split(order, min(BINS, len(order)))
    gaps = [abs((weight[b] * (chance[b] - is_kiln[b])).sum()) for b in bins]
    return float(np.sum(gaps) / weight.sum())


def calibration_error(
    chance: Floats, is_kiln: NDArray[np.bool_], weight: Floats, block: NDArray[np.str_]
) -> CalibrationError:
    """ECE with its interval and with what a perfect score would show; repeatable.

    Args:
        chance: (n,), n >= 1.
        is_kiln: (n,).
        weight: (n,), how many detections each stands for.
        block: (n,), the place each lies in: what lies in one block is kept or repeated together.
    """
    rng = np.random.default_rng(SEED)
    names, place = np.unique(block, return_inverse=True)
    drawn = []
    for _ in range(DRAWS):
        times = rng.poisson(1.0, len(names))[place]
        index = np.repeat(np.arange(len(chance)), times)
        if len(index):
            drawn.append(expected_calibration_error(chance[index], is_kiln[index], weight[index]))
    perfect = [
        expected_calibration_error(chance, rng.random(len(chance)) < chance, weight) for _ in range(DRAWS)
    ]
    low, high = np.percentile(drawn, LEVEL)
    ece = expected_calibration_error(chance, is_kiln, weight)
    return CalibrationError(ece, float(low), float(high), float(np.percentile(perfect, 90)), len(chance))


def held_out_chances(scores: Floats, is_kiln: NDArray[np.bool_], block: NDArray[np.str_]) -> Floats:
    """The chance of each detection by a fit on the other blocks; blocks are dealt into five folds by size.

    Raises:
        ValueError: all lie in one block.
    """
    fold = folds_of(block)
    out = np.empty(len(scores))
    for k in np.unique(fold):
        held = fold == k
        out[held] = probability(fit_calibration(scores[~held], is_kiln[~held], ""), scores[held])
    return out


def folds_of(block: NDArray[np.str_]) -> NDArray[np.intp]:
    """The fold of each item: the largest blocks first, each into the emptiest fold."""
    names, place, size = np.unique(block, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise ValueError("one block cannot be held out from itself")
    filled = np.zeros(min(FOLDS, len(names)), dtype=np.intp)
    fold_of = np.zeros(len(names), dtype=np.intp)
    for k in np.argsort(-size, kind="stable"):
        fold_of[k] = int(np.argmin(filled))
        filled[fold_of[k]] += size[k]
    return np.asarray(fold_of[place])


def blocks_of(tiles: Sequence[tuple[int, int]], at_least: int = 2 * FOLDS) -> NDArray[np.str_]:
    """The block of each tile (x, y): squares of 8, 4, 2 or 1 tiles, the largest that give `at_least`."""
    xy = np.array(tiles, dtype=np.int64).reshape(-1, 2)
    for side in (8, 4, 2, 1):
        names = np.array([f"{x}/{y}" for x, y in xy // side], dtype=np.str_)
        if len(np.unique(names)) >= at_least:
            break
    return names
