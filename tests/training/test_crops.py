"""Crops show what their boxes say, however they are turned and zoomed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from training.crops import CropOptions, CropSampler, random_matrix  # noqa: E402
from training.cut import warp  # noqa: E402
from training.false_alarms import FalseAlarmMemory  # noqa: E402
from training.scenes import PixelBoxes, TrainingScene  # noqa: E402


def scene_with_bar() -> TrainingScene:
    """A bright bar of 24 x 8 px whose centre is (100, 60)."""
    pixels = np.zeros((3, 160, 200), np.float32)
    pixels[:, 56:64, 88:112] = 1
    boxes = PixelBoxes(np.array([100.0]), np.array([60.0]), np.array([[12.0, 0.0]]), np.array([[0.0, 4.0]]))
    return TrainingScene("bar", pixels, np.ones((160, 200), np.float32), boxes)


@pytest.mark.parametrize("seed", range(12))
def test_the_box_lies_on_the_bar_after_any_turn_and_zoom(seed):
    rng = np.random.default_rng(seed)
    matrix = random_matrix(rng, CropOptions())
    centre = (100 + rng.uniform(-10, 10), 60 + rng.uniform(-10, 10))
    crop = warp(scene_with_bar(), 0, centre, matrix, 96)
    image = crop.pixels[0].numpy()
    rows, cols = np.mgrid[:96, :96] + 0.5
    total = image.sum()
    assert (image * cols).sum() / total == pytest.approx(crop.kilns.col[0], abs=0.3)
    assert (image * rows).sum() / total == pytest.approx(crop.kilns.row[0], abs=0.3)
    # the bar's area is the box's
    along, across = crop.kilns.along[0], crop.kilns.across[0]
    assert total == pytest.approx(4 * abs(along[0] * across[1] - along[1] * across[0]), rel=0.06)
    # and its longest extent runs along the box
    inside = np.stack([cols - crop.kilns.col[0], rows - crop.kilns.row[0]])
    spread = (image * inside[:, None] * inside[None]).sum((2, 3)) / total
    axis = np.linalg.eigh(spread)[1][:, 1]
    assert abs(axis @ along) / np.hypot(*along) > 0.99


def test_a_crop_that_shows_the_land_smaller_may_be_averaged():
    """Averaging moves no box, and takes as much of the grain away as the mean of four pixels does."""
    scene = scene_with_bar()
    scene.pixels[:] = np.random.default_rng(0).standard_normal(scene.pixels.shape)
    sharp, averaged = (warp(scene, 0, (100.0, 80.0), np.eye(2) * 2, 48, fine) for fine in (1, 2))
    inner = np.s_[:, 8:-8, 8:-8]
    assert float(averaged.pixels[inner].std()) == pytest.approx(0.5, abs=0.05)
    assert averaged.pixels.shape == sharp.pixels.shape and torch.equal(averaged.weight, sharp.weight)
    assert averaged.kilns.col == sharp.kilns.col


def test_beyond_the_scene_nothing_may_be_learnt():
    crop = warp(scene_with_bar(), 0, (0.0, 0.0), np.eye(2), 64)
    assert crop.weight[:31, :].max() == 0 and crop.weight[33:, 33:].min() == 1


def test_the_same_seed_draws_the_same_crops():
    def draw():
        scene = scene_with_bar()
        sampler = CropSampler([scene], CropOptions(size_px=64), FalseAlarmMemory.empty([scene]))
        rng = np.random.default_rng(3)
        return torch.stack([sampler.draw(rng).pixels for _ in range(6)])

    assert torch.equal(draw(), draw())


def test_remembered_false_alarms_are_shown_again():
    scene = scene_with_bar()
    memory = FalseAlarmMemory.empty([scene])
    assert memory.draw(np.random.default_rng(0)) is None
    memory.remember(0, 150.0, 20.0, 0.9)
    drawn = memory.draw(np.random.default_rng(0))
    assert drawn is not None and abs(drawn[1] - 150) <= 32 and abs(drawn[2] - 20) <= 32
