"""Real votes with known truths, and a simulated detector beside them; knows nothing of merging.

A set is a folder with `labels.csv` (item, worker, label) and `truth.csv` (item, truth); labels and truths are
0 or 1.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

SETS = ("les_cayes", "bluebird", "SP", "rte", "SP_amt", "d_sentiment")
DETECTOR_AP = 0.8
_WEAKER = 1.2
"""How much a dependent detector's separation shrinks with the share of wrong votes on an item."""


@dataclass(frozen=True)
class Votes:
    """One row per vote: the item's and the worker's number, and whether the label was 1."""

    item: Ints
    worker: Ints
    yes: NDArray[np.bool_]

    def take(self, rows: Ints) -> "Votes":
        """Some of the votes."""
        return Votes(self.item[rows], self.worker[rows], self.yes[rows])


def read_set(folder: Path) -> tuple[NDArray[np.bool_], Votes]:
    """Truth per item, and all votes on items with a truth; empty labels (bad imagery) are no votes."""
    labels, truth = pd.read_csv(folder / "labels.csv"), pd.read_csv(folder / "truth.csv")
    labels = labels[labels.label.notna() & labels["item"].isin(truth["item"])]
    truth = truth[truth["item"].isin(labels["item"])]
    number = {item: k for k, item in enumerate(truth["item"])}
    worker = np.unique(labels.worker.astype(str), return_inverse=True)[1]
    votes = Votes(labels["item"].map(number).to_numpy(np.intp), worker, labels.label.to_numpy() == 1)
    return truth.truth.to_numpy() == 1, votes


def few(votes: Votes, most: int, rng: np.random.Generator) -> Votes:
    """At most so many votes of each item, drawn at random."""
    order = rng.permutation(len(votes.item))
    order = order[np.argsort(votes.item[order], kind="stable")]
    item = votes.item[order]
    place = np.arange(len(item))
    starts = np.r_[True, item[1:] != item[:-1]]
    return votes.take(order[place - np.maximum.accumulate(np.where(starts, place, 0)) < most])


class SimulatedDetector:
    """A calibrated detector with an AP of about .80 on one set.

    Its signal is normal about +-separation/2. *Dependent*: the separation of an item shrinks by 1.2 x the
    share of wrong votes on it, so the detector is weak where people are. The truth will lie between.
    """

    def __init__(self, truth: NDArray[np.bool_], votes: Votes, dependent: bool) -> None:
        wrong = np.bincount(votes.item, votes.yes != truth[votes.item]) / np.bincount(votes.item)
        self._truth, self._dependent = truth, dependent
        self._shrunk = np.maximum(0, 1 - _WEAKER * wrong) if dependent else np.ones(len(truth))
        self._separation = self._found_separation()

    def log_odds(self, rng: np.random.Generator) -> Floats:
        """One draw of its log-odds per item."""
        signal = self._signal(self._separation, rng.normal(size=len(self._truth)))
        if self._dependent:
            return _calibrated(signal, self._truth)
        share = self._truth.mean()
        return np.asarray(self._separation * signal + np.log(share / (1 - share)), dtype=np.float64)

    def _signal(self, separation: float, noise: Floats) -> Floats:
        return np.asarray((self._truth - 0.5) * separation * self._shrunk + noise, dtype=np.float64)

    def _found_separation(self) -> float:
        draws = max(1, 20_000 // len(self._truth))
        noise = np.random.default_rng(0).normal(size=(draws, len(self._truth)))
        low, high = 0.1, 8.0
        for _ in range(20):
            middle = (low + high) / 2
            reached = np.mean([average_precision(self._truth, self._signal(middle, one)) for one in noise])
            low, high = (middle, high) if reached < DETECTOR_AP else (low, middle)
        return low


def _calibrated(signal: Floats, truth: NDArray[np.bool_]) -> Floats:
    """Log-odds from a logistic regression of the truth on the signal (Newton's method)."""
    x = np.c_[signal, np.ones(len(signal))]
    b = np.array([1.0, 0.0])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ b))
        b = b + np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x, x.T @ (truth - p))
    return np.asarray(x @ b, dtype=np.float64)


def average_precision(truth: NDArray[np.bool_], rank_by: Floats) -> float:
    """Area under precision over recall; ties count as one step."""
    order = np.argsort(-rank_by, kind="stable")
    hits, ranked = np.cumsum(truth[order]), rank_by[order]
    last = np.r_[ranked[1:] != ranked[:-1], True]
    precision, recall = (hits / np.arange(1, len(hits) + 1))[last], hits[last] / truth.sum()
    return float(np.sum(np.diff(np.r_[0, recall]) * precision))


def calibration_error(truth: NDArray[np.bool_], log_odds: Floats) -> float:
    """Expected calibration error over ten bins of equal width."""
    chance = 1 / (1 + np.exp(-log_odds))
    bins = np.minimum((chance * 10).astype(int), 9)
    members = [bins == k for k in range(10)]
    return float(sum(abs(truth[m].mean() - chance[m].mean()) * m.mean() for m in members if m.any()))


def f1_at_half(truth: NDArray[np.bool_], log_odds: Floats) -> float:
    """F1 where a chance of at least .5 says yes."""
    said = log_odds >= 0
    return float(2 * (said & truth).sum() / max(said.sum() + truth.sum(), 1))
