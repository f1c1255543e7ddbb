"""detection.tile_sample: which tiles people look at next: doubtful, spread out, some at random; pure.

Two samples that do not overlap: doubtful tiles, drawn with chances in proportion to their uncertainty and
spread over place and look by the local pivotal method (Grafström, Lundström and Schelin 2012, "Spatially
balanced sampling through the pivotal method", Biometrics 68:514-520, the second of its two methods), and a
simple random sample of all others. Unlike a greedy farthest-point choice this gives each tile a known chance
above zero, so that rates over all tiles can be estimated from the answers without bias (Horvitz and Thompson
1952).
"""

import math
import random
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.grid import Floats

RANDOM_AT_LEAST = 0.05
"""A smaller random share would leave nothing to estimate rates from."""


@dataclass(frozen=True)
class Pool:
    """n tiles to choose from."""

    tile_ids: tuple[str, ...]
    """All different; their order does not matter."""
    uncertainty: Floats
    """(n,), 0-1; tiles with 0 can only be drawn at random."""
    features: Floats
    """(n, d), no NaN: where and how a tile looks, scaled so that distances mean something."""


@dataclass(frozen=True)
class Drawn:
    """A tile that was chosen."""

    tile_id: str
    uncertainty: float
    at_random: bool
    """It belongs to the equal-chance sample of the pool; a doubtful tile may too."""
    chance: float
    """The chance (0-1, above 0) with which the tile was to be chosen, one way or the other."""


def draw_tiles(pool: Pool, budget: int, random_share: float, rng: random.Random) -> list[Drawn]:
    """Choose exactly `budget` tiles, or all where there are no more.

    At least `random_share` of them (never fewer than one) belong to an equal-chance sample of the whole pool:
    what is drawn at random from the tiles that doubt did not choose, and of those that it did a part that is
    drawn so that their chance to count as random is the same.

    Args:
        pool: the tiles; which are drawn depends on their names and the generator, not on their order.
        budget: how many, at least 1.
        random_share: RANDOM_AT_LEAST to 1.
        rng: the only source of chance.

    Returns:
        The tiles, the most uncertain first.

    Raises:
        ValueError: for a budget or a share outside these limits, or two tiles of one name.
    """
    _check(pool, budget, random_share)
    if not pool.tile_ids:
        return []
    order = np.argsort(np.array(pool.tile_ids))
    uncertainty, features = pool.uncertainty[order], pool.features[order]
    n = len(order)
    wanted = min(budget, n)
    by_doubt = min(wanted - math.ceil(random_share * wanted), int((uncertainty > 0).sum()))
    chances = inclusion_chances(uncertainty, by_doubt)
    doubtful = set(local_pivotal(chances, features, rng))
    others = [k for k in range(n) if k not in doubtful]
    # the number of doubtful ones is fixed, so each other tile has this same chance whichever they are
    share = (wanted - by_doubt) / (n - by_doubt)
    sampled = set(rng.sample(others, wanted - by_doubt))
    sampled |= {k for k in sorted(doubtful) if rng.random() < share}
    drawn = [
        Drawn(
            pool.tile_ids[order[k]],
            float(uncertainty[k]),
            k in sampled,
            float(chances[k] + (1 - chances[k]) * share),
        )
        for k in sorted(doubtful | sampled)
    ]
    return sorted(drawn, key=lambda one: (-one.uncertainty, one.tile_id))


def inclusion_chances(weights: Floats, size: int) -> Floats:
    """Chances in proportion to weights (n,), none above 1, that sum to `size`.

    Raises `ValueError` where fewer than `size` weights are above zero.
    """
    if int((weights > 0).sum()) < size:
        raise ValueError(f"{size} cannot be drawn by {int((weights > 0).sum())} weights above zero")
    chances = np.zeros(len(weights))
    sure = np.zeros(len(weights), dtype=np.bool_)
    while True:
        left = size - int(sure.sum())
        total = weights[~sure].sum()
        chances[~sure] = left * weights[~sure] / total if left and total > 0 else 0.0
        over = ~sure & (chances > 1 - 1e-12)
        chances[over] = 1.0
        if not over.any():
            return chances
        sure |= over


def local_pivotal(chances: Floats, features: Floats, rng: random.Random) -> list[int]:
    """Draw with the given chances (n,) so that neighbours in the features (n, d) seldom come together.

    A unit drawn at random and its nearest neighbour among the undecided play their chances against each
    other: one of the two is decided. Takes n steps of n distances.

    Returns:
        Indexes of the chosen, in order; as many as the chances sum to, where that is a whole number.
    """
    p = chances.astype(np.float64).copy()
    undecided = np.flatnonzero((p > 0) & (p < 1))
    while len(undecided) > 1:
        i = int(undecided[rng.randrange(len(undecided))])
        j = _nearest(i, undecided[undecided != i], features)
        p[i], p[j] = _play(float(p[i]), float(p[j]), rng.random())
        undecided = undecided[(p[undecided] > 0) & (p[undecided] < 1)]
    # one may be left between 0 and 1: by rounding, or because the chances sum to no whole number
    for k in undecided:
        p[k] = _last(float(p[k]), rng.random())
    return [int(k) for k in np.flatnonzero(p > 0.5)]


def _nearest(i: int, others: NDArray[np.intp], features: Floats) -> int:
    gap = features[others] - features[i]
    return int(others[int(np.argmin((gap * gap).sum(axis=1)))])


def _play(p: float, q: float, luck: float) -> tuple[float, float]:
    """The pivotal step: chances of both are kept on average, and one of them becomes 0 or 1."""
    both = p + q
    if both < 1:
        return (0.0, both) if luck < q / both else (both, 0.0)
    # what rounding leaves of a whole chance is none
    rest = both - 1 if both - 1 > 1e-12 else 0.0
    first = luck < (1 - q) / (2 - both) if both < 2 else True
    return (1.0, rest) if first else (rest, 1.0)


def _last(p: float, luck: float) -> float:
    if min(p, 1 - p) < 1e-6:
        return float(round(p))
    return float(luck < p)


def _check(pool: Pool, budget: int, random_share: float) -> None:
    if budget < 1:
        raise ValueError(f"{budget} tiles cannot be chosen")
    if not RANDOM_AT_LEAST <= random_share <= 1:
        raise ValueError(f"a random share of {random_share} is not within {RANDOM_AT_LEAST} and 1")
    if len(set(pool.tile_ids)) != len(pool.tile_ids):
        raise ValueError("a tile is named twice")
