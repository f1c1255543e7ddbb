"""Land is enlarged only where kilns are known to be smaller, and what is enlarged keeps its place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.decode import PixelDetections
from detection.zoom import ALIKE, ENOUGH, MOST, enlarged, reduced, zoom_for


def test_no_zoom_where_too_little_is_known() -> None:
    assert zoom_for(np.full(ENOUGH - 1, 50.0), 100.0) == 1.0
    assert zoom_for(np.full(ENOUGH, 50.0), None) == 1.0
    assert zoom_for(np.empty(0), 100.0) == 1.0


@given(st.floats(20, 300), st.floats(20, 300))
def test_smaller_kilns_are_never_enlarged_less(one: float, two: float) -> None:
    less, more = (zoom_for(np.full(ENOUGH, length), 115.0) for length in sorted((one, two), reverse=True))
    assert 1.0 <= less <= more <= MOST


def test_kilns_about_as_large_as_at_home_are_left_alone() -> None:
    assert zoom_for(np.full(ENOUGH, 100 * ALIKE), 100.0) == 1.0
    assert 1.0 < zoom_for(np.full(ENOUGH, 100 * ALIKE - 1), 100.0) < 1.2
    assert zoom_for(np.full(ENOUGH, 200.0), 100.0) == 1.0


@pytest.mark.parametrize("shape", [(48, 64), (16, 16), (1, 5)])
@pytest.mark.parametrize("zoom", [1.1, 1.25, 1.5])
def test_an_enlarged_ramp_is_the_same_ramp(shape: tuple[int, int], zoom: float) -> None:
    """Pixels' centres keep their place: bilinear interpolation is exact on planes, away from the rim."""
    rows, cols = (np.indices(shape) + 0.5).astype(np.float32)
    out, (across, down) = enlarged(np.stack([rows, cols])[None], zoom, 16)
    assert out.dtype == np.float32 and out.shape[2] % 16 == out.shape[3] % 16 == 0
    assert (across, down) == (out.shape[3] / shape[1], out.shape[2] / shape[0])
    tall, wide = np.indices(out.shape[2:]) + 0.5
    np.testing.assert_allclose(out[0, 0], np.clip(tall / down, 0.5, shape[0] - 0.5), atol=1e-4)
    np.testing.assert_allclose(out[0, 1], np.clip(wide / across, 0.5, shape[1] - 0.5), atol=1e-4)


def test_without_a_zoom_nothing_is_touched() -> None:
    pixels = np.ones((1, 3, 32, 32), np.float32)
    found = PixelDetections(*(np.ones(2) for _ in range(6)))
    same, zoom = enlarged(pixels, 1.0, 16)
    assert same is pixels and reduced(found, zoom) is found
