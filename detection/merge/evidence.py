"""detection.merge.evidence: what is known of a site before merging, and what comes out; no method.

An object verdict or a concern has no field here on purpose: what a reviewer decided stands beside the merged
probability and must not move it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SceneScore:
    """One detection that shows the site."""

    model_id: str
    scene_id: str
    score: float
    """0-1, the model's own output."""
    probability: float | None
    """Calibrated chance; None where the model's card has no calibration for this scene."""
    is_candidate: bool = False
    """True below the model's threshold."""


@dataclass(frozen=True)
class Vote:
    """What one volunteer said about one site; at most one vote per volunteer and site."""

    volunteer_id: str
    is_kiln: bool
    """True: marked it. False: saw the tile and did not mark it. Unsure and bad images are no votes."""


@dataclass(frozen=True)
class SiteEvidence:
    """All that is known of one site. Superseded detections are left out by the caller."""

    site_id: str
    scores: tuple[SceneScore, ...] = ()
    votes: tuple[Vote, ...] = ()

    def __post_init__(self) -> None:
        if len({vote.volunteer_id for vote in self.votes}) < len(self.votes):
            raise ValueError(
                f"site {self.site_id} has two votes of one volunteer; associate() gives one each"
            )


@dataclass(frozen=True)
class SiteProbability:
    """One site's merged chance of being a kiln."""

    log_odds: float
    """Natural logarithm of p / (1 - p); rank by this, since probabilities tie at 0 and 1."""
    probability: float
    backed: bool
    """True where the detector's part rests on calibrated chances alone; else `probability` only orders sites
    and is not to be shown as a chance."""
    calibrated: bool
    """False: the page says 'not calibrated'."""
    detector_log_odds: float
    """What the detector says alone (the prior of a site that volunteers found where it found none)."""
    votes_log_odds: float
    """What the votes add."""
    votes_kiln: int
    votes_none: int


class SiteMerger(Protocol):
    """A method that has learnt what it needs (rates, weights) and now merges site by site."""

    def merge(self, evidence: SiteEvidence) -> SiteProbability:
        """One probability from all evidence of one site; the order of scores and votes does not matter."""
        ...


class MergeMethod(Protocol):
    """A method that learns from all sites of a project."""

    def fit(self, sites: Sequence[SiteEvidence], truths: Mapping[str, bool]) -> SiteMerger:
        """Learn from all evidence.

        `truths` tells of some sites (by id) whether they are kilns, from object verdicts. A method may use
        them to learn or to check how far its chances can be trusted, but never so that a site's own truth
        moves its own probability. Give all truths of the project, not those of a part of it.
        """
        ...
