"""training.watch: how a net does on some held-back tiles while it learns; nothing is chosen by it.

A fold's held-back part is scored whole in the end, by the code of `kilnlight detect`. This is a cheap look on
the way for the learning curves: fixed tiles, one view, no filter. The weights do not depend on it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from detection.evaluate.matching import Found, Look, Truth, match_looks
from detection.evaluate.metrics import average_precision, curve
from geodata.grid import Floats, Grid
from training.cut import Crop, warp
from training.net import STRIDE
from training.scenes import TrainingScene
from training.targets import draw_targets, losses

SIDE_PX = 128
TILES = 48
"""Half of them at kilns, as far as there are any: a look costs about as much as three steps."""
_MARGIN_PX = 8
"""Answers and kilns nearer to a tile's edge do not count."""
_FLOOR = 0.05
_BATCH = 8
_T = TypeVar("_T")


@dataclass(frozen=True)
class Tile:
    """Pixels and kilns of a tile, and where it lies."""

    crop: Crop
    grid: Grid
    col0: int
    row0: int


class WatchTiles:
    """Looks at a net on fixed tiles: heat loss, regression loss, average precision and best F1 at 100 m."""

    def __init__(self, tiles: Sequence[Tile]) -> None:
        self._tiles = tiles
        self._targets = [draw_targets(t.crop.kilns, t.crop.weight) for t in tiles]
        self._truth = [_truth(t) for t in tiles]

    def __call__(self, net: nn.Module) -> tuple[float, ...]:
        """The four figures; the net is left in the mode that it was in."""
        before, device = net.training, next(net.parameters()).device
        net.eval()
        answers, sums = [], np.zeros(2)
        with torch.no_grad():
            for k in range(0, len(self._tiles), _BATCH):
                x = torch.stack([t.crop.pixels for t in self._tiles[k : k + _BATCH]])
                output = net(x.to(device, memory_format=torch.channels_last)).float().cpu()
                two = losses(output, self._targets[k : k + _BATCH])
                sums += np.array([float(v) for v in two]) * len(x)
                answers += list(torch.sigmoid(output[:, 0]))
        net.train(before)
        looks = [
            Look(_found(tile, heat), truth, 0.0)
            for tile, heat, truth in zip(self._tiles, answers, self._truth, strict=True)
        ]
        found, truth, matching = match_looks(looks)
        f1 = curve(found, matching, truth.kilns).f1
        best = float(f1.max()) if len(f1) else 0.0
        return (*(sums / len(self._tiles)), average_precision(found, matching, truth.kilns), best)


def choose_tiles(scenes: Iterable[tuple[TrainingScene, Grid]], seed: int = 0) -> WatchTiles | None:
    """Fixed tiles of held-back land; None where no tile with a kiln fits.

    Args:
        scenes: with weight 0 and no kilns outside what is held back; one at a time is kept in memory.
        seed: the same one gives the same tiles.
    """
    rng = np.random.default_rng(seed)
    with_kilns: list[Tile] = []
    without: list[Tile] = []
    for scene, grid in scenes:
        for tile in _tiles(scene, grid, rng):
            (with_kilns if (~_truth(tile).kiln_ignored).any() else without).append(tile)
    if not with_kilns:
        return None
    half = _some(with_kilns, TILES // 2, rng)
    return WatchTiles([*half, *_some(without, TILES - len(half), rng)])


def _tiles(scene: TrainingScene, grid: Grid, rng: np.random.Generator) -> list[Tile]:
    """At most `TILES` of a scene with kilns and as many without, so that few are cut."""
    height, width = scene.weight.shape
    corners = [
        (col, row)
        for row in range(0, height - SIDE_PX + 1, SIDE_PX)
        for col in range(0, width - SIDE_PX + 1, SIDE_PX)
        if scene.weight[row : row + SIDE_PX, col : col + SIDE_PX].mean() > 0.75
    ]
    kilns = {
        (int(c // SIDE_PX) * SIDE_PX, int(r // SIDE_PX) * SIDE_PX)
        for c, r in zip(scene.kilns.col, scene.kilns.row, strict=True)
    }
    built = [at for at in corners if at in kilns]
    empty = [at for at in corners if at not in kilns]
    chosen = [*_some(built, TILES, rng), *_some(empty, TILES, rng)]
    half = SIDE_PX / 2
    return [
        Tile(warp(scene, 0, (col + half, row + half), np.eye(2), SIDE_PX), grid, col, row)
        for col, row in chosen
    ]


def _some(items: list[_T], n: int, rng: np.random.Generator) -> list[_T]:
    return [items[k] for k in sorted(rng.permutation(len(items))[:n])]


def _truth(tile: Tile) -> Truth:
    """The tile's kilns; those at its edge, unsure or where nothing counts are neither missed nor required."""
    kilns, none = tile.crop.kilns, np.zeros(0)
    lon, lat = tile.grid.lonlat(kilns.col + tile.col0, kilns.row + tile.row0)
    inside = _inside(kilns.col, kilns.row)
    at = np.clip(np.stack([kilns.row, kilns.col]).astype(int), 0, SIDE_PX - 1)
    seen = tile.crop.weight.numpy()[at[0], at[1]] > 0
    sure = kilns.probability == 1
    return Truth(np.atleast_1d(lon), np.atleast_1d(lat), ~(inside & seen & sure), none, none)


def _found(tile: Tile, heat: Tensor) -> Found:
    """Local maxima (3 x 3 cells) away from the tile's edge, where the weight counts."""
    peak = (heat >= _FLOOR) & (heat == F.max_pool2d(heat[None, None], 3, 1, 1)[0, 0])
    row, col = (v.numpy() for v in torch.nonzero(peak, as_tuple=True))
    x, y = (col + 0.5) * STRIDE, (row + 0.5) * STRIDE
    keep = _inside(x, y) & (tile.crop.weight.numpy()[y.astype(int), x.astype(int)] > 0)
    lon, lat = tile.grid.lonlat(x[keep] + tile.col0, y[keep] + tile.row0)
    return Found(np.atleast_1d(lon), np.atleast_1d(lat), heat.numpy()[row, col][keep].astype(np.float64))


def _inside(x: Floats, y: Floats) -> np.ndarray:
    return (np.minimum(x, y) >= _MARGIN_PX) & (np.maximum(x, y) < SIDE_PX - _MARGIN_PX)
