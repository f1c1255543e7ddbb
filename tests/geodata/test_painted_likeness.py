"""Painted scenes look like the measured ones, by figures and a rule that know no model."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from geodata.painter import paint_scene

STEEPER_THAN_REAL = {"gradient 99 %"}
"""Painted fields have harder edges than real ones."""


@pytest.fixture(scope="module")
def comparison() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "compare_painted_scene.py"
    spec = importlib.util.spec_from_file_location("compare_painted_scene", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_painted_scenes_look_like_the_measured_ones(comparison: ModuleType) -> None:
    painted, figures = comparison.painted_figures(), comparison.real()["figures"]
    off = {
        name: (painted[name], least, most)
        for name, (least, _, most) in figures.items()
        if name not in STEEPER_THAN_REAL and not comparison.agrees(painted[name], least, most)
    }
    assert len(figures) > 80
    assert off == {}


def test_the_comparison_tells_a_wrong_scene(comparison: ModuleType) -> None:
    scene = paint_scene(101, 384, 384, 6, crs="4326")
    logs = np.log(scene.pixels.astype(np.float64))
    figures = comparison.real()["figures"]

    def agreeing(image: np.ndarray) -> int:
        found = comparison.land_figures(image)
        return sum(comparison.agrees(found[n], figures[n][0], figures[n][2]) for n in found)

    right = agreeing(logs)
    noise = np.random.default_rng(0).normal(0, 0.1, logs.shape)
    for wrong in (comparison.mean_3x3(logs), logs[::-1], logs + noise, logs + np.log(1.5)):
        assert agreeing(wrong) < right - 4


def test_kilns_stay_whole_and_look_alikes_keep_off() -> None:
    scene = paint_scene(6, 512, 384, 25)
    corners = np.stack(scene.grid.pixel(*scene.kilns.corners().transpose(2, 0, 1)), axis=-1)
    assert len(scene.kilns) == 25
    assert (corners > 0).all()
    assert (corners < [512, 384]).all()
    at = np.column_stack(scene.grid.pixel(scene.kilns.lon, scene.kilns.lat))
    far_m = 10 * np.hypot(*(scene.look_alikes[:, None] - at).transpose(2, 0, 1))
    assert len(scene.look_alikes) >= 3
    # beyond a kiln's farthest corner and the whole length of the smallest kind
    assert far_m.min() > 100 + 70
