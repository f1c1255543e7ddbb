"""The filter on the heat-map: hills of its width keep their height, on any grid; lone cells lose it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.decode import decode
from detection.matched_filter import matched_filter
from detection.runtime import HeadOutput

widths = st.floats(0.7, 2.5)


def hill(rows: float, cols: float) -> np.ndarray:
    row, col = np.mgrid[-20:21, -20:21]
    return np.exp(-(row**2) / (2 * rows**2) - col**2 / (2 * cols**2))


@given(rows=widths, cols=widths)
def test_a_hill_of_its_own_width_keeps_height_and_place(rows: float, cols: float) -> None:
    after = matched_filter(hill(rows, cols), (rows, cols))
    assert after.max() == pytest.approx(1, abs=0.01)
    assert np.unravel_index(after.argmax(), after.shape) == (20, 20)


@given(width_m=st.floats(14, 40), pixel_m=st.floats(8, 12), other_m=st.floats(8, 12))
def test_a_hill_on_the_ground_gets_one_score_on_any_grid(
    width_m: float, pixel_m: float, other_m: float
) -> None:
    tops = []
    for col_m in (pixel_m, other_m):
        cells = (20.0, 2 * col_m)
        heat = 0.5 * hill(width_m / cells[0], width_m / cells[1])
        tops.append(matched_filter(heat, (18 / cells[0], 18 / cells[1])).max())
    assert tops[0] == pytest.approx(tops[1], rel=0.05)


def test_a_lone_cell_counts_for_less_than_a_lower_hill() -> None:
    lone = (hill(1, 1) == 1).astype(float)
    assert matched_filter(lone, (1, 1)).max() < matched_filter(0.5 * hill(1, 1), (1, 1)).max()


def test_no_width_leaves_the_heat_as_it_is_and_none_rises_above_one() -> None:
    heat = np.random.default_rng(0).random((30, 40))
    np.testing.assert_array_equal(matched_filter(heat, (0, 0)), heat)
    assert matched_filter(np.ones((30, 40)), (1, 1)).max() == 1


def test_peaks_are_taken_from_the_filtered_heat() -> None:
    heat = np.zeros((64, 64))
    heat[5, 5] = 0.6
    heat[20:61, 20:61] = 0.5 * hill(1, 1)
    output = HeadOutput(heat, np.zeros((6, 64, 64)))
    assert decode(output, 0.3).score.max() == 0.6
    found = decode(output, 0.3, (1, 1))
    assert found.score == pytest.approx([0.5], abs=0.01) and found.col == pytest.approx([81])
