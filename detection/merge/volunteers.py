"""detection.merge.volunteers: hit and false-alarm rate of each volunteer; knows nothing of places.

Dawid and Skene (1979) with Beta priors and with the detector's log-odds as the prior of each site. The
equations are in docs/merging.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detection.merge.evidence import Vote
from geodata.grid import Floats


@dataclass(frozen=True)
class Rates:
    """How often a volunteer marks a kiln that is there (`hit`) and one that is not (`false_alarm`)."""

    hit: float
    false_alarm: float

    def weight(self, is_kiln: bool, most: float) -> float:
        """Log-odds that one vote adds, between 0 and `most` for a mark, between -`most` and 0 for none.

        The sign is held, so that a mark never speaks against a site, whatever was learnt of its author.
        """
        if is_kiln:
            return float(np.clip(np.log(self.hit / self.false_alarm), 0.0, most))
        return float(np.clip(np.log((1 - self.hit) / (1 - self.false_alarm)), -most, 0.0))


@dataclass(frozen=True)
class RateOptions:
    """Priors and damping of the votes; the values are measured in docs/merging.md."""

    hit: tuple[float, float] = (7.0, 3.0)
    """Beta prior of the crowd's hit rate: marks, misses."""
    false_alarm: tuple[float, float] = (2.0, 8.0)
    """Beta prior of the crowd's false-alarm rate: marks, none."""
    person_strength: float = 10.0
    """Votes' worth of the crowd's rates in each volunteer's own."""
    vote_weight: float = 0.5
    """Votes on one site depend on each other (same picture, same look-alike); 1 would deny it."""
    most_per_vote: float = 2.0
    """No single vote adds or takes more than these log-odds before damping."""
    rounds: int = 50


@dataclass(frozen=True)
class CrowdRates:
    """Rates of the volunteers that were seen, and those of anyone else."""

    by_volunteer: Mapping[str, Rates]
    anyone: Rates

    def of(self, volunteer_id: str) -> Rates:
        """The rates of a volunteer; of an unknown one, the crowd's."""
        return self.by_volunteer.get(volunteer_id, self.anyone)


def votes_log_odds(votes: Sequence[Vote], rates: CrowdRates, options: RateOptions) -> float:
    """What the votes on one site add to its log-odds."""
    weights = sorted(rates.of(v.volunteer_id).weight(v.is_kiln, options.most_per_vote) for v in votes)
    return options.vote_weight * float(np.sum(weights))


def fit_rates(votes: Sequence[Sequence[Vote]], prior_log_odds: Floats, options: RateOptions) -> CrowdRates:
    """Learn the rates from the votes of all sites; `prior_log_odds` is the detector's word on each site."""
    people = sorted({v.volunteer_id for site in votes for v in site})
    number = {person: k for k, person in enumerate(people)}
    flat = [(k, number[v.volunteer_id], v.is_kiln) for k, site in enumerate(votes) for v in site]
    if not flat:
        return CrowdRates({}, Rates(_mean(options.hit), _mean(options.false_alarm)))
    site, person, marked = (np.asarray(column) for column in zip(*flat, strict=True))
    hit, false_alarm, crowd = _crowd_rates(marked, 1 / (1 + np.exp(-prior_log_odds[site])), person, options)
    for _ in range(options.rounds):
        before = hit, false_alarm
        added = np.where(
            marked,
            np.clip(np.log(hit / false_alarm), 0, options.most_per_vote)[person],
            np.clip(np.log((1 - hit) / (1 - false_alarm)), -options.most_per_vote, 0)[person],
        )
        total = prior_log_odds + options.vote_weight * np.bincount(site, added, len(prior_log_odds))
        chance = 1 / (1 + np.exp(-total[site]))
        hit, false_alarm, crowd = _crowd_rates(marked, chance, person, options)
        if max(np.abs(hit - before[0]).max(), np.abs(false_alarm - before[1]).max()) < 1e-6:
            break
    each = {who: Rates(float(hit[k]), float(false_alarm[k])) for who, k in number.items()}
    return CrowdRates(each, crowd)


def _crowd_rates(
    marked: np.ndarray, chance: Floats, person: np.ndarray, options: RateOptions
) -> tuple[Floats, Floats, Rates]:
    """Rates per person, shrunk to the crowd's, and the crowd's, shrunk to the prior."""
    hit, crowd_hit = _shrunk(marked, chance, person, options.hit, options.person_strength)
    false_alarm, crowd_false = _shrunk(
        marked, 1 - chance, person, options.false_alarm, options.person_strength
    )
    return hit, false_alarm, Rates(crowd_hit, crowd_false)


def _shrunk(
    marked: np.ndarray, weight: Floats, person: np.ndarray, prior: tuple[float, float], strength: float
) -> tuple[Floats, float]:
    yes, all_ = np.bincount(person, weight * marked), np.bincount(person, weight)
    crowd = float((yes.sum() + prior[0]) / (all_.sum() + sum(prior)))
    return (yes + strength * crowd) / (all_ + strength), crowd


def _mean(beta: tuple[float, float]) -> float:
    return beta[0] / sum(beta)
