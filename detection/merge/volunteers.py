"""detection.merge.volunteers: hit and false-alarm rate of each volunteer; knows nothing of places.

Dawid and Skene (1979) with Beta priors, the detector's log-odds as the prior of each site, and votes that are
damped, since they depend on each other. The equations and what was measured are in docs/merging.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.merge.evidence import Vote
from geodata.grid import Floats

Bools = NDArray[np.bool_]
Index = NDArray[np.intp]

_ROUNDS = 100
_SETTLED = 1e-6


@dataclass(frozen=True)
class VoteOptions:
    """Priors and limits of the votes."""

    hit: tuple[float, float] = (7.0, 3.0)
    """Beta prior of the crowd's hit rate: marks and misses on kilns."""
    false_alarm: tuple[float, float] = (2.0, 8.0)
    """Beta prior of the crowd's false-alarm rate: marks and nones on what is no kiln."""
    person_strength: float = 6.0
    """Each volunteer's own rates begin as this many votes at the crowd's rates."""
    most_per_vote: float = 2.0
    """No vote adds or takes more log-odds than this: odds change 7.4-fold at most."""


@dataclass(frozen=True)
class Rates:
    """How often someone marks a kiln that is there (`hit`) and one that is not (`false_alarm`)."""

    hit: float
    false_alarm: float


@dataclass(frozen=True)
class CrowdRates:
    """Rates of the volunteers that were seen, and those of anyone else."""

    by_volunteer: Mapping[str, Rates]
    anyone: Rates

    def of(self, volunteer_id: str) -> Rates:
        """The rates of a volunteer; of an unknown one, the crowd's."""
        return self.by_volunteer.get(volunteer_id, self.anyone)


def votes_log_odds(votes: Sequence[Vote], crowd: CrowdRates, options: VoteOptions) -> float:
    """What the votes on one site add to its log-odds; one more mark never lowers it."""
    if not votes:
        return 0.0
    rates = [crowd.of(vote.volunteer_id) for vote in votes]
    marked = np.array([vote.is_kiln for vote in votes])
    hit, false_alarm = np.array([r.hit for r in rates]), np.array([r.false_alarm for r in rates])
    strength = _strength(marked, hit, false_alarm, options.most_per_vote)
    return float(_damped_sum(np.zeros(len(votes), dtype=np.intp), marked, strength, 1)[0])


def fit_rates(votes: Sequence[Sequence[Vote]], detector_log_odds: Floats, options: VoteOptions) -> CrowdRates:
    """Learn the rates from the votes of all sites, given the detector's word on each."""
    flat = sorted((site, v.volunteer_id, v.is_kiln) for site, given in enumerate(votes) for v in given)
    if not flat:
        return CrowdRates({}, Rates(_mean(options.hit), _mean(options.false_alarm)))
    people, person = np.unique([who for _, who, _ in flat], return_inverse=True)
    site = np.array([k for k, _, _ in flat], dtype=np.intp)
    marked = np.array([said for *_, said in flat])
    log_odds = detector_log_odds
    hit = false_alarm = np.full(len(people), np.nan)
    for _ in range(_ROUNDS):
        before = hit, false_alarm
        chance = 1 / (1 + np.exp(-log_odds[site]))
        hit, any_hit = _shrunk(marked, chance, person, options.hit, options.person_strength)
        false_alarm, any_false = _shrunk(
            marked, 1 - chance, person, options.false_alarm, options.person_strength
        )
        if max(np.abs(hit - before[0]).max(), np.abs(false_alarm - before[1]).max()) < _SETTLED:
            break
        strength = _strength(marked, hit[person], false_alarm[person], options.most_per_vote)
        log_odds = detector_log_odds + _damped_sum(site, marked, strength, len(votes))
    each = zip(people.tolist(), hit.tolist(), false_alarm.tolist(), strict=True)
    return CrowdRates({who: Rates(h, f) for who, h, f in each}, Rates(any_hit, any_false))


def _strength(marked: Bools, hit: Floats, false_alarm: Floats, most: float) -> Floats:
    """Log-odds of each vote in its own direction, 0 to `most`.

    Who does worse than chance is not believed and not reversed either: a mark never speaks against a site.
    """
    speaks = np.where(marked, np.log(hit / false_alarm), np.log((1 - false_alarm) / (1 - hit)))
    return np.clip(speaks, 0.0, most)


def _damped_sum(site: Index, marked: Bools, strength: Floats, n_sites: int) -> Floats:
    """Marks minus nones per site, where the k-th strongest vote of a direction counts 1/k."""
    order = np.lexsort((-strength, marked, site))
    group = 2 * site[order] + marked[order]
    starts = np.r_[True, group[1:] != group[:-1]]
    place = np.arange(len(group))
    rank = place - np.maximum.accumulate(np.where(starts, place, 0)) + 1
    signed = np.where(marked, strength, -strength)[order] / rank
    return np.asarray(np.bincount(site[order], signed, n_sites), dtype=np.float64)


def _shrunk(
    marked: Bools, weight: Floats, person: Index, prior: tuple[float, float], strength: float
) -> tuple[Floats, float]:
    """Share of marks per person, shrunk to the crowd's, and the crowd's, shrunk to the prior."""
    yes, seen = np.bincount(person, weight * marked), np.bincount(person, weight)
    crowd = float((yes.sum() + prior[0]) / (seen.sum() + sum(prior)))
    return (yes + strength * crowd) / (seen + strength), crowd


def _mean(beta: tuple[float, float]) -> float:
    return beta[0] / sum(beta)
