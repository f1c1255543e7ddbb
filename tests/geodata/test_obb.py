"""Oriented boxes keep centre, size and angle through corners, and are canonical."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.grid import WGS84
from geodata.obb import Boxes, canonical, from_corners, offsets_m

boxes = st.builds(
    lambda lon, lat, width, extra, angle: Boxes(
        *(np.array([value]) for value in (lon, lat, width + extra, width, angle))
    ),
    lon=st.floats(61, 97),
    lat=st.floats(5, 37),
    width=st.floats(10, 100),
    extra=st.floats(1, 100),
    angle=st.floats(0, 179.99),
)


def apart(one: float, two: float) -> float:
    """Degrees between two directions of an axis."""
    return abs((one - two + 90) % 180 - 90)


@given(box=boxes)
def test_corners_and_back(box: Boxes) -> None:
    back = from_corners(box.corners())
    assert back.lon == pytest.approx(box.lon)
    assert back.lat == pytest.approx(box.lat)
    assert back.length_m == pytest.approx(box.length_m, abs=1e-3)
    assert back.width_m == pytest.approx(box.width_m, abs=1e-3)
    assert apart(float(back.angle_deg[0]), float(box.angle_deg[0])) < 1e-3


@given(box=boxes)
def test_corners_have_true_lengths_and_azimuth(box: Boxes) -> None:
    ring = box.corners()[0]
    azimuth, _, length = WGS84.inv(*ring[0], *ring[1])
    _, _, width = WGS84.inv(*ring[1], *ring[2])
    assert length == pytest.approx(box.length_m[0], rel=1e-3)
    assert width == pytest.approx(box.width_m[0], rel=1e-3)
    assert apart(90.0 - azimuth, float(box.angle_deg[0])) < 0.1


@given(box=boxes)
def test_corners_run_counter_clockwise(box: Boxes) -> None:
    x, y = box.corners()[0].T
    assert np.dot(x - x[0], np.roll(y, -1) - y[0]) - np.dot(np.roll(x, -1) - x[0], y - y[0]) > 0


@given(box=boxes, start=st.integers(0, 3), flip=st.booleans())
def test_any_order_of_the_ring_gives_the_same_box(box: Boxes, start: int, flip: bool) -> None:
    ring = np.roll(box.corners(), start, axis=1)
    back = from_corners(ring[:, ::-1] if flip else ring)
    assert back.length_m == pytest.approx(box.length_m, abs=1e-3)
    assert apart(float(back.angle_deg[0]), float(box.angle_deg[0])) < 1e-3


@given(a=st.floats(1, 200), b=st.floats(1, 200), angle=st.floats(-720, 720))
def test_canonical_has_the_long_side_first_and_an_angle_below_180(a: float, b: float, angle: float) -> None:
    length, width, turned = canonical(a, b, angle)
    assert length >= width
    assert {float(length), float(width)} == {a, b}
    assert 0 <= turned < 180
    assert apart(float(turned), angle if a >= b else angle + 90) < 1e-6


def test_an_angle_just_below_zero_does_not_become_180() -> None:
    assert canonical(2.0, 1.0, -1e-15)[2] == 0.0


@given(lon=st.floats(61, 97), lat=st.floats(5, 37), bearing=st.floats(0, 360), distance=st.floats(1, 3000))
@settings(max_examples=60)
def test_offsets_are_true_metres(lon: float, lat: float, bearing: float, distance: float) -> None:
    to_lon, to_lat, _ = WGS84.fwd(lon, lat, bearing, distance)
    east, north = offsets_m(to_lon, to_lat, lon, lat)
    assert np.hypot(east, north) == pytest.approx(distance, rel=1e-4)


def test_take_keeps_columns_together() -> None:
    columns = [np.arange(3.0) + 10 * k for k in range(5)]
    taken = Boxes(*columns).take(np.array([False, True, True]))
    assert len(taken) == 2
    assert taken.angle_deg.tolist() == [41.0, 42.0]
