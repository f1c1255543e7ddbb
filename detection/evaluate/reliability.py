"""detection.evaluate.reliability: do probabilities mean what they say? Pure and repeatable.

The expected calibration error is that of Naeini et al. 2015 ("Obtaining well calibrated probabilities using
Bayesian binning"), with bins of equal counts as Nixon et al. 2019 ("Measuring calibration in deep learning")
advise: sum over bins of n_bin / n * |mean probability - share of hits|. It is never 0 for a finite n, so the
same number for a model that is calibrated *perfectly* is simulated beside it (Broecker and Smith 2007,
"Increasing the reliability of reliability diagrams", call the like consistency resampling).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.evaluate.blocks import SEED, Index
from detection.evaluate.estimate import Estimate, estimate, share_estimate
from geodata.grid import Floats

BINS = 15
AT_LEAST_IN_A_BIN = 10
SIMULATIONS = 1000
NOTABLE = 0.05
"""A probability from which a candidate is worth a look. Most candidates lie far below, where every model is
right by saying next to nothing."""


@dataclass(frozen=True)
class Bin:
    """Detections of neighbouring probabilities."""

    n: int
    predicted: float
    """Mean probability."""
    observed: Estimate
    """Share of hits."""


@dataclass(frozen=True)
class Reliability:
    """How well probabilities fit what was there."""

    n: int
    hits: int
    expected_hits: float
    """Sum of the probabilities."""
    ece: Estimate
    perfect_median: float
    """Median ECE of simulated models that are calibrated perfectly and give these probabilities."""
    perfect_p90: float
    within_perfect: bool
    """The ECE is at most the 90th percentile of a perfectly calibrated model's."""
    perfect_share: float
    """Share of the simulated models whose ECE is at least as high."""
    brier: Estimate
    """Mean squared difference of probability and outcome (Brier 1950)."""
    bins: tuple[Bin, ...]


def reliability(
    probability: Floats, hit: NDArray[np.bool_], place: Index, weights: Floats, bins: int = BINS
) -> Reliability | None:
    """Reliability of probabilities; None without any.

    Args:
        probability: (n,) in 0 to 1.
        hit: (n,), what became of each.
        place: (n,) index of the place of each in `weights`.
        weights: (draws, places), from `blocks.draw_blocks`.
        bins: at most so many, of at least `AT_LEAST_IN_A_BIN` detections where there are so many.
    """
    n = len(probability)
    if not n:
        return None
    order = np.argsort(probability, kind="stable")
    p, y, place = probability[order], hit[order].astype(np.float64), place[order]
    starts = _starts(n, bins)
    gap = np.add.reduceat(p - y, starts)
    ece = float(np.abs(gap).sum() / n)
    simulated = _perfect(p, starts)
    drawn, observed = _drawn(p, y, place, weights, starts)
    return Reliability(
        n=n,
        hits=int(y.sum()),
        expected_hits=float(p.sum()),
        ece=estimate(ece, drawn),
        perfect_median=float(np.median(simulated)),
        perfect_p90=float(np.percentile(simulated, 90)),
        within_perfect=bool(ece <= np.percentile(simulated, 90)),
        perfect_share=float((simulated >= ece).mean()),
        brier=estimate(float(((p - y) ** 2).mean()), _mean_draws((p - y) ** 2, place, weights)),
        bins=_bins(p, y, starts, observed),
    )


def _starts(n: int, bins: int) -> Index:
    """Where each bin begins; their counts differ by one at the most."""
    count = max(1, min(bins, n // AT_LEAST_IN_A_BIN))
    return np.array([part[0] for part in np.array_split(np.arange(n), count)], dtype=np.intp)


def _perfect(p: Floats, starts: Index) -> Floats:
    """ECE of models whose probabilities are true, (simulations,)."""
    rng = np.random.default_rng(SEED)
    out = np.empty(SIMULATIONS)
    for k in range(SIMULATIONS):
        out[k] = np.abs(np.add.reduceat(p - (rng.random(len(p)) < p), starts)).sum() / len(p)
    return out


def _drawn(p: Floats, y: Floats, place: Index, weights: Floats, starts: Index) -> tuple[Floats, Floats]:
    """ECE (draws,) and share of hits (draws, bins) with places drawn anew and the bins as they are."""
    of_bin = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(p))))
    cells = place * len(starts) + of_bin
    size = weights.shape[1] * len(starts)

    def sums(values: Floats) -> Floats:
        return weights @ np.bincount(cells, values, size).reshape(-1, len(starts))

    counts = sums(np.ones(len(p)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(sums(p - y)).sum(axis=1) / counts.sum(axis=1), sums(y) / counts


def _mean_draws(values: Floats, place: Index, weights: Floats) -> Floats:
    whole = weights @ np.bincount(place, minlength=weights.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(weights @ np.bincount(place, values, weights.shape[1]) / whole)


def _bins(p: Floats, y: Floats, starts: Index, observed: Floats) -> tuple[Bin, ...]:
    ends = np.append(starts[1:], len(p))
    return tuple(
        Bin(int(b - a), float(p[a:b].mean()), share_estimate(int(y[a:b].sum()), int(b - a), observed[:, k]))
        for k, (a, b) in enumerate(zip(starts, ends, strict=True))
    )
