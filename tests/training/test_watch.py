"""What is looked at while a net learns is held back, and counted rightly."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from torch import Tensor, nn  # noqa: E402

from geodata.grid import Grid  # noqa: E402
from geodata.painter.scene import sea_grid  # noqa: E402
from training.scenes import PixelBoxes, TrainingScene  # noqa: E402
from training.targets import draw_targets  # noqa: E402
from training.watch import SIDE_PX, TILES, WatchTiles, choose_tiles  # noqa: E402


def land(side: int = 512, n_kilns: int = 12) -> tuple[TrainingScene, Grid]:
    """Even land with kilns of 10 x 5 px anywhere."""
    n, (col, row) = np.ones(n_kilns), np.random.default_rng(1).uniform(0, side, (2, n_kilns))
    kilns = PixelBoxes(col, row, np.outer(n, [5.0, 0.0]), np.outer(n, [0.0, 2.5]))
    pixels = np.zeros((3, side, side), np.float32)
    return TrainingScene("p", pixels, np.ones((side, side), np.float32), kilns), sea_grid(side, side)


class Knows(nn.Module):
    """Answers with the targets themselves, each turned by `change`."""

    def __init__(self, tiles: WatchTiles, change: float = 1.0) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))
        self._targets = [draw_targets(t.crop.kilns, t.crop.weight) for t in tiles._tiles]
        self._change, self._at = change, 0

    def forward(self, x: Tensor) -> Tensor:
        mine = self._targets[self._at : self._at + len(x)]
        self._at += len(x)
        heat = torch.stack([t.heat for t in mine]).clamp(1e-4, 1 - 1e-4) * self._change
        return torch.cat([torch.logit(heat, eps=1e-4)[:, None], torch.stack([t.regression for t in mine])], 1)


def test_a_net_that_knows_gets_full_marks_and_one_that_is_silent_none() -> None:
    tiles = choose_tiles([land()])
    assert tiles is not None
    net = Knows(tiles).train()
    heat, regression, precision, f1 = tiles(net)
    assert precision == pytest.approx(1) and f1 == pytest.approx(1) and regression == pytest.approx(0)
    assert net.training
    silent = tiles(Knows(tiles, change=0))  # type: ignore[arg-type]
    assert silent[2:] == (0, 0) and silent[0] > heat


def test_tiles_are_the_same_each_time_and_half_of_them_show_kilns() -> None:
    one, two = choose_tiles([land(1536, 60)]), choose_tiles([land(1536, 60)])
    assert one is not None and two is not None and len(one._tiles) == TILES
    assert [(t.col0, t.row0) for t in one._tiles] == [(t.col0, t.row0) for t in two._tiles]
    with_kilns = sum(bool((~t.kiln_ignored).any()) for t in one._truth)
    assert with_kilns == TILES // 2


def test_tiles_keep_to_what_is_held_back() -> None:
    scene, grid = land()
    weight = scene.weight.copy()
    weight[:, :256] = 0
    inside = scene.kilns.col >= 256
    tiles = choose_tiles([(replace(scene, weight=weight, kilns=scene.kilns.take(inside)), grid)])
    assert tiles is not None
    assert all(t.col0 >= 256 and t.col0 + SIDE_PX <= 512 for t in tiles._tiles)


def test_without_a_kiln_there_is_nothing_to_watch() -> None:
    assert choose_tiles([land(n_kilns=0)]) is None
    assert choose_tiles([land(side=96, n_kilns=1)]) is None
