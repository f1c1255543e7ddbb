"""detection.merge.method: the shipped way to merge; its equations are in docs/merging.md."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detection.merge.calibration import agrees
from detection.merge.detector import logit, witness_log_odds
from detection.merge.evidence import SiteEvidence, SiteProbability
from detection.merge.volunteers import CrowdRates, VoteOptions, fit_rates, votes_log_odds


@dataclass(frozen=True)
class DampedDawidSkene:
    """Detector as prior, votes with learnt rates, damped; a `MergeMethod`."""

    votes: VoteOptions = field(default_factory=VoteOptions)
    not_found_chance: float = 0.1
    """Chance, before the votes, of a site that no detection shows: a mark made it."""

    def fit(self, sites: Sequence[SiteEvidence], truths: Mapping[str, bool]) -> "FittedDawidSkene":
        """Learn the volunteers' rates from all sites.

        `truths` (site id -> is a kiln) are only compared with the result, to tell whether it may be called
        calibrated; they change no probability. See `MergeMethod.fit`.
        """
        # in order of ids, so that sums and hence results do not depend on the order of the input
        sites = sorted(sites, key=lambda site: site.site_id)
        not_found = logit(self.not_found_chance)
        witnesses = [witness_log_odds(site.scores, not_found) for site in sites]
        detector = np.array([log_odds for log_odds, _backed in witnesses])
        crowd = fit_rates([site.votes for site in sites], detector, self.votes)
        fitted = FittedDawidSkene(crowd, self.votes, not_found, trusted=None)
        # what is not shown as a chance cannot be a wrong one
        backed = [site for site, (_, is_backed) in zip(sites, witnesses, strict=True) if is_backed]
        known = [site for site in backed if site.site_id in truths]
        log_odds = np.array([fitted.merge(site).log_odds for site in known])
        return replace(
            fitted, trusted=agrees(log_odds, np.array([float(truths[site.site_id]) for site in known]))
        )


@dataclass(frozen=True)
class FittedDawidSkene:
    """`DampedDawidSkene` after it has seen all sites; a `SiteMerger`."""

    crowd: CrowdRates
    options: VoteOptions
    not_found_log_odds: float
    trusted: bool | None
    """Whether the merged chances agreed with the known truths; None where too few were known."""

    def merge(self, evidence: SiteEvidence) -> SiteProbability:
        """One probability from all evidence of one site; see `SiteMerger.merge`."""
        detector, detector_calibrated = witness_log_odds(evidence.scores, self.not_found_log_odds)
        votes = votes_log_odds(evidence.votes, self.crowd, self.options)
        # before there are truths the card vouches for a chance that no vote has moved
        trusted = not evidence.votes if self.trusted is None else self.trusted
        kiln = sum(vote.is_kiln for vote in evidence.votes)
        return SiteProbability(
            log_odds=detector + votes,
            probability=1 / (1 + math.exp(-detector - votes)),
            backed=detector_calibrated,
            calibrated=trusted and detector_calibrated,
            detector_log_odds=detector,
            votes_log_odds=votes,
            votes_kiln=kiln,
            votes_none=len(evidence.votes) - kiln,
        )
