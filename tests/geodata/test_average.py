"""Averaging counts valid pixels only, by exact areas, and does not depend on windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.sources.average import average, source_span


def averaged(pixels, valid, start, shape, factors):
    """As a scene does it: cut exactly the fine pixels under the window, padded where there are none."""
    (top, bottom), (left, right) = (
        source_span(s, s + n, f) for s, n, f in zip(start, shape, factors, strict=True)
    )
    height, width = valid.shape
    fine = np.zeros((len(pixels), bottom - top, right - left), np.float32)
    mask = np.zeros(fine.shape[1:], bool)
    rows = slice(max(top, 0), min(bottom, height))
    cols = slice(max(left, 0), min(right, width))
    place = (slice(rows.start - top, rows.stop - top), slice(cols.start - left, cols.stop - left))
    fine[:, *place], mask[place] = pixels[:, rows, cols], valid[rows, cols]
    return average(fine, mask, start, shape, factors)


def test_whole_factors_are_block_means() -> None:
    pixels = np.arange(2 * 6 * 8, dtype=np.float32).reshape(2, 6, 8)
    mean, valid = averaged(pixels, np.ones((6, 8), bool), (0, 0), (3, 4), (2.0, 2.0))
    assert np.array_equal(mean, pixels.reshape(2, 3, 2, 4, 2).mean((2, 4)))
    assert valid.all()


def test_invalid_pixels_do_not_count_and_half_is_enough() -> None:
    pixels = np.array([[[1, 99, 5, 99], [3, 99, 99, 99]]], np.float32)
    valid = np.array([[1, 0, 1, 0], [1, 0, 0, 0]], bool)
    mean, enough = averaged(pixels, valid, (0, 0), (1, 2), (2.0, 2.0))
    assert enough.tolist() == [[True, False]]
    assert mean.tolist() == [[[2.0, 0.0]]]


def test_a_fraction_of_a_pixel_counts_by_its_area() -> None:
    pixels = np.array([[[0, 10, 20]]], np.float32)
    mean, _ = averaged(pixels, np.ones((1, 3), bool), (0, 0), (1, 2), (1.0, 1.5))
    assert mean[0, 0] == pytest.approx([(0 + 10 * 0.5) / 1.5, (10 * 0.5 + 20) / 1.5])


@given(
    down=st.floats(1, 6),
    across=st.floats(1, 6),
    start=st.tuples(st.integers(-3, 5), st.integers(-3, 5)),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_a_window_gives_what_the_whole_gives(
    down: float, across: float, start: tuple[int, int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    pixels = random.uniform(0, 1000, (2, 40, 50)).astype(np.float32)
    valid = random.uniform(size=(40, 50)) > 0.3
    whole, whole_valid = averaged(pixels, valid, (-4, -4), (14, 14), (down, across))
    part, part_valid = averaged(pixels, valid, start, (3, 4), (down, across))
    rows, cols = slice(start[0] + 4, start[0] + 7), slice(start[1] + 4, start[1] + 8)
    assert np.array_equal(part, whole[:, rows, cols])
    assert np.array_equal(part_valid, whole_valid[rows, cols])


@given(factor=st.floats(1, 20), value=st.floats(-1000, 1000))
@settings(max_examples=40, deadline=None)
def test_a_constant_stays_the_constant(factor: float, value: float) -> None:
    pixels = np.full((1, 60, 60), value, np.float32)
    mean, valid = averaged(pixels, np.ones((60, 60), bool), (0, 0), (3, 3), (factor, factor))
    assert valid.all()
    assert np.allclose(mean, np.float32(value), rtol=1e-6)
