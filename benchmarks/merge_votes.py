"""Merging compared on real votes.

`python benchmarks/merge_votes.py FOLDER [--seeds 5]` prints the table of docs/merging.md.
FOLDER holds the sets that `crowd_sets.py` names. The detector beside the votes is simulated.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from crowd_sets import (
    SETS,
    Floats,
    SimulatedDetector,
    Votes,
    average_precision,
    calibration_error,
    f1_at_half,
    few,
    read_set,
)
from numpy.typing import NDArray

from detection.merge import DampedDawidSkene, SceneScore, SiteEvidence, Vote

FEW = 3
Method = Callable[[Votes, Floats], Floats]


def ours(votes: Votes, detector: Floats) -> Floats:
    """The shipped method, through its own interface."""
    chance = 1 / (1 + np.exp(-detector))
    given: list[list[Vote]] = [[] for _ in detector]
    for item, worker, yes in zip(votes.item, votes.worker, votes.yes, strict=True):
        given[item].append(Vote(str(worker), bool(yes)))
    sites = [
        SiteEvidence(f"{k:06}", (SceneScore("m", "s", float(p), float(p)),), tuple(said))
        for k, (p, said) in enumerate(zip(chance, given, strict=True))
    ]
    merger = DampedDawidSkene().fit(sites, {})
    return np.array([merger.merge(site).log_odds for site in sites])


def majority(votes: Votes, detector: Floats) -> Floats:
    """Log-odds of the share of yes, smoothed by half a vote each way."""
    yes, seen = (
        np.bincount(votes.item, votes.yes, len(detector)),
        np.bincount(votes.item, None, len(detector)),
    )
    return np.asarray(np.log((yes + 0.5) / (seen - yes + 0.5)), dtype=np.float64)


def dawid_skene(votes: Votes, detector: Floats) -> Floats:
    """Votes alone: Dawid and Skene with Beta(2, 1) counts, votes taken as independent."""
    log_odds = majority(votes, detector)
    for _ in range(60):
        chance = 1 / (1 + np.exp(-log_odds))
        share = np.clip(chance.mean(), 0.01, 0.99)
        on_item = chance[votes.item]
        hit = (np.bincount(votes.worker, on_item * votes.yes) + 2) / (np.bincount(votes.worker, on_item) + 3)
        rest = 1 - on_item
        false = (np.bincount(votes.worker, rest * votes.yes) + 1) / (np.bincount(votes.worker, rest) + 3)
        ratio = np.where(votes.yes, (hit / false)[votes.worker], ((1 - hit) / (1 - false))[votes.worker])
        log_odds = np.log(share / (1 - share)) + np.bincount(votes.item, np.log(ratio), len(detector))
    return np.asarray(log_odds, dtype=np.float64)


def plain_sum(votes: Votes, detector: Floats) -> Floats:
    """Detector and Dawid-Skene added as if all were independent."""
    return detector + dawid_skene(votes, detector)


PARTS: dict[str, Method] = {
    "detector": lambda votes, detector: detector,
    "majority": majority,
    "Dawid-Skene": dawid_skene,
}
METHODS: dict[str, Method] = {**PARTS, "plain sum": plain_sum, "ours": ours}


@dataclass(frozen=True)
class Result:
    """Figures of one case (set, number of votes, kind of detector): one row per seed."""

    name: str
    n_votes: int | None
    dependent: bool
    ap: dict[str, Floats]
    f1: Floats
    error: Floats

    def best_part(self) -> float:
        """Mean AP of the best of detector, majority and Dawid-Skene."""
        return max(float(self.ap[name].mean()) for name in PARTS)

    def target(self) -> float:
        """What may fairly be asked (docs/merging.md)."""
        best = self.best_part()
        if best > 0.95:
            return best - 0.003
        return best + (0.005 if self.dependent else min(0.02, (1 - best) / 2))


def compare(folder: Path, seeds: int, sets: tuple[str, ...] = SETS) -> Iterator[Result]:
    """All cases, one after the other."""
    for name in sets:
        truth, votes = read_set(folder / name)
        for dependent in (False, True):
            detector = SimulatedDetector(truth, votes, dependent)
            for n_votes in (None, FEW):
                yield _case(name, n_votes, dependent, seeds, truth, votes, detector)


def _case(
    name: str,
    n_votes: int | None,
    dependent: bool,
    seeds: int,
    truth: NDArray[np.bool_],
    votes: Votes,
    detector: SimulatedDetector,
) -> Result:
    ap: dict[str, list[float]] = {method: [] for method in METHODS}
    f1, error = [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        some = votes if n_votes is None else few(votes, n_votes, rng)
        prior = detector.log_odds(rng)
        merged = {method: run(some, prior) for method, run in METHODS.items()}
        for method, log_odds in merged.items():
            ap[method].append(average_precision(truth, log_odds))
        f1.append(f1_at_half(truth, merged["ours"]))
        error.append(calibration_error(truth, merged["ours"]))
    figures = {method: np.array(values) for method, values in ap.items()}
    return Result(name, n_votes, dependent, figures, np.array(f1), np.array(error))


def row(result: Result) -> str:
    """One line of the Markdown table."""
    votes = "all" if result.n_votes is None else str(result.n_votes)
    kind = "dependent" if result.dependent else "independent"
    parts = [f"{_short(values)}" for method, values in result.ap.items() if method != "ours"]
    own, target = result.ap["ours"], result.target()
    met = "yes" if own.mean() >= target else f"{own.mean() - target:+.3f}"
    figures = (
        f"**{_short(own)}** ±{own.std(ddof=1):.3f}",
        f"{target:.3f}",
        met,
        _short(result.f1),
        _short(result.error),
    )
    return "| " + " | ".join((result.name, votes, kind, *parts, *figures)) + " |"


def _short(values: Floats) -> str:
    return f"{values.mean():.3f}".removeprefix("0")


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args(arguments)
    others = [name for name in METHODS if name != "ours"]
    heads = ("set", "votes", "detector is", *others, "ours", "target", "reached", "F1", "ECE")
    print("| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    for result in compare(given.folder, given.seeds):
        print(row(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
