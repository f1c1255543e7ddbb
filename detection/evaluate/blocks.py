"""detection.evaluate.blocks: drawing places anew for the intervals of the figures; pure and repeatable."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.evaluate.matching import Found, Matching, Truth
from geodata.grid import Floats
from geodata.tiles import tile_ids

DRAWS = 1000
LEVEL = (2.5, 97.5)
"""Percentiles: a 95 % interval."""
SEED = 20_240_115

Interval = tuple[float, float]
Index = NDArray[np.intp]


@dataclass(frozen=True)
class Blocks:
    """How often each place counts in each draw, and the place of each detection and kiln.

    What lies in one tile of the labelling grid (about 1 km) is kept or repeated together, since a bad field
    gives several false alarms. Each tile counts as often as a Poisson variable of mean 1 says, which is
    drawing tiles with replacement when they are many, and needs no list of empty ones (Hanley and MacGibbon
    2006, "Creating non-parametric bootstrap samples using Poisson frequencies").
    """

    weights: Floats
    """(draws, places)."""
    found: Index
    kiln: Index

    def found_sums(self, values: NDArray[np.generic]) -> Floats:
        """Sum over the detections of values (n,), in each draw (draws,)."""
        return self.weights @ np.bincount(self.found, values, self.weights.shape[1])

    def kiln_sums(self, values: NDArray[np.generic]) -> Floats:
        """Sum over the kilns of values (n,), in each draw (draws,)."""
        return self.weights @ np.bincount(self.kiln, values, self.weights.shape[1])


Scored = tuple[Found, Truth, Matching]


def draw_blocks(sides: Sequence[Scored]) -> list[Blocks]:
    """The same draws of places for one or several models on the same ground.

    A hit lies where its kiln lies, so that the two are never parted.
    """
    tiles = [_tiles(*side) for side in sides]
    joined = [part for pair in tiles for part in pair]
    names, place = np.unique(np.concatenate([np.empty(0, "U16"), *joined]), return_inverse=True)
    weights = np.random.default_rng(SEED).poisson(1.0, (DRAWS, len(names))).astype(np.float64)
    parts = np.split(place, np.cumsum([len(part) for part in joined])[:-1])
    return [Blocks(weights, parts[2 * k], parts[2 * k + 1]) for k in range(len(sides))]


def between(values: Floats) -> Interval | None:
    """The 95 % interval of a figure's draws; None where none is finite."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = np.percentile(values, LEVEL)
    return float(low), float(high)


def weighted_medians(values: Floats, place: Index, weights: Floats) -> Floats:
    """Median of values (n,) at places in each draw (draws,), each as often as its place counts."""
    order = np.argsort(values, kind="stable")
    values, times = values[order], weights[:, place[order]]
    whole = np.cumsum(times, axis=1)
    out = np.full(len(weights), np.nan)
    if not len(values):
        return out
    for k in np.flatnonzero(whole[:, -1] > 0):
        n = int(whole[k, -1])
        middle = np.searchsorted(whole[k], [(n - 1) // 2 + 1, n // 2 + 1])
        out[k] = values[middle].mean()
    return out


def _tiles(found: Found, truth: Truth, matching: Matching) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    kilns = np.array(tile_ids(truth.kiln_lon, truth.kiln_lat), dtype="U16")
    tiles = np.array(tile_ids(found.lon, found.lat), dtype="U16")
    tiles[matching.hit] = kilns[matching.kiln[matching.hit]]
    return tiles, kilns
