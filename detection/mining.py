"""detection.mining: sorts what a model finds where no kiln is labelled: look-alikes and possible kilns; pure.

Of the visible kilns one or two in a hundred are not labelled (SentinelKilnDB and our own looks at misses), so
the strongest "false alarms" are often kilns. Learning them as background would teach the net to miss kilns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detection.evaluate.matching import HIT_RADIUS_M, PLACE_RADIUS_M, Found, Look, match
from geodata.labels.kilns import NO_PLACES, Places
from geodata.labels.mined import HARD, POSSIBLE, Mined, join_mined
from geodata.near import pairs_within

HITS_FOR_A_MEDIAN = 5


@dataclass(frozen=True)
class SceneFinds:
    """All detections and candidates of one scene, or of a part of it, and what is labelled there."""

    scene: str
    look: Look


@dataclass(frozen=True)
class MineOptions:
    """From which scores on. None: as the function says."""

    threshold: float
    """The model's."""
    at_least: float | None = None
    possible_from: float | None = None
    known_negative: Places = field(default=NO_PLACES)
    """Places where people said that no kiln stands: never a possible kiln."""


@dataclass(frozen=True)
class MineResult:
    """What was found, and by which rule it was sorted."""

    mined: Mined
    """By falling score."""
    at_least: float
    possible_from: float
    hits: int
    """Labelled kilns found at or above the threshold: the median of their scores is the rule."""
    area_km2: float
    """Observed."""

    def per_1000_km2(self, kind: str) -> float:
        """How many of a kind there are per 1,000 km² of observed ground; NaN where nothing was observed."""
        n = int((self.mined.kind == kind).sum())
        return 1000 * n / self.area_km2 if self.area_km2 > 0 else float("nan")


def mine(finds: Sequence[SceneFinds], options: MineOptions) -> MineResult:
    """Sort all finds that lie on no labelled kiln and no unverified place.

    - A find scoring at least `possible_from` is a *possible kiln*: by default the median score of the
      model's own hits, so that it looks to the model as much like a kiln as half of the kilns do. (With fewer
      than `HITS_FOR_A_MEDIAN` hits: the threshold.)
    - Any other from `at_least` up (by default half the threshold) is a *hard negative*, and so is every find
      at a place where people said that no kiln stands.

    A second box within reach of a labelled kiln is neither.
    """
    matched = [match(one.look.found, one.look.truth) for one in finds]
    scores = [one.look.found.score[m.hit] for one, m in zip(finds, matched, strict=True)]
    hits = np.concatenate([np.empty(0), *scores])
    hits = hits[hits >= options.threshold]
    at_least = options.threshold / 2 if options.at_least is None else options.at_least
    possible_from = options.possible_from
    if possible_from is None:
        possible_from = float(np.median(hits)) if len(hits) >= HITS_FOR_A_MEDIAN else options.threshold
    parts = []
    for one, m in zip(finds, matched, strict=True):
        found, truth = one.look.found, one.look.truth
        taken = m.false_alarm & (found.score >= at_least)
        taken &= ~_near(found, Places(truth.kiln_lon, truth.kiln_lat), HIT_RADIUS_M)
        hard = (found.score < possible_from) | _near(found, options.known_negative, PLACE_RADIUS_M)
        kind = np.where(hard, HARD, POSSIBLE).astype(np.object_)
        scene = np.full(len(found), one.scene, np.object_)
        parts.append(Mined(found.lon, found.lat, found.score, scene, kind).take(taken))
    mined = join_mined(parts)
    order = np.lexsort((mined.lat, mined.lon, mined.scene.astype(str), -mined.score))
    area_km2 = sum(one.look.area_km2 for one in finds)
    return MineResult(mined.take(order), at_least, possible_from, len(hits), area_km2)


def _near(found: Found, places: Places, radius_m: float) -> NDArray[np.bool_]:
    near = np.zeros(len(found), dtype=np.bool_)
    near[pairs_within((found.lon, found.lat), (places.lon, places.lat), radius_m)[0]] = True
    return near
