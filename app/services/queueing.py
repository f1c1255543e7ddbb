"""app.services.queueing: which tiles of a run volunteers shall see: the doubtful ones and a random sample."""

import math
import random
from collections.abc import Callable, Sequence

from geodata.store.incoming import IncomingRun, QueuedTile
from geodata.store.places import tile_at
from geodata.tables.columns import OBSERVED_AT_LEAST

DOUBTFUL_WITHIN = 2.0
"""In log-odds of the score: from an odds of the threshold's by 7.4 up or down."""
SAMPLE_SHARE = 0.1
SAMPLE_AT_LEAST = 20


def plan_queue(run: IncomingRun, rng: random.Random, mint: Callable[[], str]) -> list[QueuedTile]:
    """Tiles to queue, each with a new token from `mint`; the store keeps the token of a tile it has.

    The random sample is drawn from all tiles that some scene observed, doubtful or not, each with the same
    chance; it is as large as a tenth of the doubtful ones, and at least `SAMPLE_AT_LEAST`.
    """
    doubts = _doubts(run)
    observed = _observed(run)
    wanted = max(SAMPLE_AT_LEAST, math.ceil(SAMPLE_SHARE * len(doubts)))
    sampled = set(rng.sample(observed, min(wanted, len(observed))))
    return [
        QueuedTile(mint(), tile, doubts.get(tile, 0.0), tile in sampled)
        for tile in sorted(sampled | set(doubts))
    ]


def doubt(score: float, threshold: float) -> float:
    """How near a score lies to the threshold: 1 on it, falling with the distance in log-odds, 0 far off."""
    distance = abs(_logit(score) - _logit(threshold))
    return math.exp(-distance) if distance <= DOUBTFUL_WITHIN else 0.0


def _doubts(run: IncomingRun) -> dict[str, float]:
    found: dict[str, float] = {}
    for detection in run.detections:
        value = doubt(detection.score, run.threshold)
        if value > 0:
            tile = tile_at(detection.box.lon, detection.box.lat)
            found[tile] = max(found.get(tile, 0.0), value)
    return found


def _observed(run: IncomingRun) -> Sequence[str]:
    """Tiles observed in full; where scenes are too small for that, those observed in part."""
    full = {tile.tile_id for tile in run.tiles if tile.observed_share >= OBSERVED_AT_LEAST}
    return sorted(full or {tile.tile_id for tile in run.tiles if tile.observed_share > 0})


def _logit(p: float) -> float:
    p = min(max(p, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))
