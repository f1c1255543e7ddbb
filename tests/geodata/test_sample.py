"""One fixed coarse read gives the statistics of a scene, also where little of it is valid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.sample import ENOUGH, LATTICE, lattice, sample, statistics
from geodata.scene import Patch, Window


class Raster:
    """Pixels in memory that note which rows were asked for."""

    def __init__(self, pixels: np.ndarray, valid: np.ndarray) -> None:
        self.pixels, self.valid, self.rows = pixels.astype("float32"), valid, 0

    def read(self, window: Window) -> Patch:
        self.rows += window.height
        area = (slice(window.row, window.row + window.height), slice(window.col, window.col + window.width))
        return Patch(self.pixels[:, *area], self.valid[area], window)

    def sample(self) -> np.ndarray:
        return sample(self.read, self.valid.shape[1], self.valid.shape[0])


def noise(height: int, width: int, share: float, seed: int = 0) -> Raster:
    random = np.random.default_rng(seed)
    return Raster(random.normal(100, 20, (2, height, width)), random.uniform(size=(height, width)) < share)


@given(length=st.integers(1, 100_000))
def test_a_lattice_is_spread_over_the_whole_side(length: int) -> None:
    places = lattice(length)
    assert len(places) == min(length, LATTICE)
    assert 0 <= places[0] <= length / LATTICE
    assert length - 1 - length / LATTICE <= places[-1] < length
    assert (np.diff(places) >= 1).all()


def test_a_small_scene_is_taken_whole() -> None:
    raster = noise(40, 60, 0.5)
    assert np.array_equal(raster.sample(), raster.pixels[:, raster.valid])


def test_a_large_scene_is_read_in_part() -> None:
    raster = noise(1400, 1100, 0.9)
    stats = statistics(raster.sample())
    assert raster.rows == LATTICE
    assert (stats[0].median, stats[0].spread) == pytest.approx((100, 20), rel=0.02)


def test_a_scene_of_which_little_is_valid_is_read_until_enough_is_found() -> None:
    raster = noise(1400, 1100, 0.0)
    raster.valid[1001:1003, 7:9] = True
    assert raster.sample().shape == (2, 4), "four pixels that the lattice misses"
    raster.valid[500:540] = True
    raster.valid[500:540, lattice(1100)] = False
    assert raster.sample().shape[1] >= ENOUGH


def test_no_valid_pixel_gives_no_statistics() -> None:
    assert statistics(noise(40, 60, 0.0).sample()) == ()


def test_statistics_follow_scale_and_shift() -> None:
    values = noise(100, 100, 1.0).sample()
    for plain, changed in zip(statistics(values), statistics(values * 4 - 64), strict=True):
        assert changed.median == pytest.approx(plain.median * 4 - 64, rel=1e-5)
        assert changed.spread == pytest.approx(plain.spread * 4, rel=1e-5)
