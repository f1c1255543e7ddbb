"""detection.merge.method: the shipped way to merge; its equations are in docs/merging.md."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from detection.merge.detector import logit, witness_log_odds
from detection.merge.evidence import SiteEvidence, SiteMerger, SiteProbability
from detection.merge.volunteers import CrowdRates, RateOptions, fit_rates, votes_log_odds

TRUTHS_TO_CALIBRATE = 100


@dataclass(frozen=True)
class DampedDawidSkene:
    """Detector as prior, votes with learnt rates, damped; a `MergeMethod`."""

    rates: RateOptions = field(default_factory=RateOptions)
    not_found_chance: float = 0.1
    """Chance of a site that the detector does not show at all (a volunteer's mark made it)."""

    def fit(self, sites: Sequence[SiteEvidence], truths: Mapping[str, bool]) -> SiteMerger:
        """Learn the volunteers' rates from all sites; see `MergeMethod.fit`."""
        not_found = logit(self.not_found_chance)
        prior = np.array([witness_log_odds(site.scores, not_found)[0] for site in sites])
        crowd = fit_rates([site.votes for site in sites], prior, self.rates)
        known = sum(1 for site in sites if site.site_id in truths)
        return FittedDawidSkene(crowd, self.rates, not_found, known >= TRUTHS_TO_CALIBRATE)


@dataclass(frozen=True)
class FittedDawidSkene:
    """`DampedDawidSkene` after it has seen all sites; a `SiteMerger`."""

    crowd: CrowdRates
    options: RateOptions
    not_found_log_odds: float
    enough_truths: bool

    def merge(self, evidence: SiteEvidence) -> SiteProbability:
        """One probability from all evidence of one site."""
        detector, detector_calibrated = witness_log_odds(evidence.scores, self.not_found_log_odds)
        votes = votes_log_odds(evidence.votes, self.crowd, self.options)
        total = detector + votes
        kiln = sum(vote.is_kiln for vote in evidence.votes)
        return SiteProbability(
            log_odds=total,
            probability=1 / (1 + math.exp(-total)),
            calibrated=self.enough_truths and detector_calibrated,
            detector_log_odds=detector,
            votes_log_odds=votes,
            votes_kiln=kiln,
            votes_none=len(evidence.votes) - kiln,
        )
