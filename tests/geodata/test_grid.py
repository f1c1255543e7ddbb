"""Pixels, lon/lat and metres on the ground agree, in any CRS and however the grid is turned."""

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geodata.grid import WGS84, Grid, metres_per_degree

DEGREES = 8.983152841195214e-05


def geographic(lon: float, lat: float, turn: float = 0.0) -> Grid:
    transform = Affine.translation(lon, lat) @ Affine.rotation(turn) @ Affine.scale(DEGREES, -DEGREES)
    return Grid(CRS.from_epsg(4326), transform, 400, 300)


def utm(lon: float, lat: float, turn: float = 0.0) -> Grid:
    """A UTM grid (the zone of the place) whose upper left corner is at the place."""
    crs = CRS.from_epsg(32600 + int((lon + 180) // 6) + 1)
    x, y = Grid(crs, Affine.identity(), 1, 1).pixel(lon, lat)
    transform = Affine.translation(float(x), float(y)) @ Affine.rotation(turn) @ Affine.scale(10, -10)
    return Grid(crs, transform, 400, 300)


south_asia = {"lon": st.floats(61, 97), "lat": st.floats(5, 37)}
turns = st.floats(-180, 180)


@pytest.mark.parametrize("kind", [geographic, utm])
@given(**south_asia, turn=turns, col=st.floats(-50, 450), row=st.floats(-50, 350))
@settings(max_examples=60, deadline=None)
def test_pixels_to_lonlat_and_back(kind, lon: float, lat: float, turn: float, col: float, row: float) -> None:
    grid = kind(lon, lat, turn)
    back = grid.pixel(*grid.lonlat(col, row))
    assert np.allclose(back, (col, row), atol=1e-4)


@given(lat=st.floats(-80, 80))
def test_metres_per_degree_are_those_of_the_ellipsoid(lat: float) -> None:
    east, north = metres_per_degree(lat)
    _, _, d_east = WGS84.inv(-5e-5, lat, 5e-5, lat)
    _, _, d_north = WGS84.inv(0, lat - 5e-5, 0, lat + 5e-5)
    assert d_east * 1e4 == pytest.approx(float(east), rel=1e-6)
    assert d_north * 1e4 == pytest.approx(float(north), rel=1e-6)


@pytest.mark.parametrize("kind", [geographic, utm])
@given(**south_asia, turn=turns, angle=st.floats(0, 360))
@settings(max_examples=60, deadline=None)
def test_the_jacobian_gives_the_distance_and_azimuth_of_a_step(
    kind, lon: float, lat: float, turn: float, angle: float
) -> None:
    grid = kind(lon, lat, turn)
    step = 5 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    col, row = 200.0, 150.0
    east, north = grid.jacobian_m(col, row)[0] @ step
    ends = [grid.lonlat(col + s * step[0] / 2, row + s * step[1] / 2) for s in (-1, 1)]
    azimuth, _, distance = WGS84.inv(*ends[0], *ends[1])
    assert np.hypot(east, north) == pytest.approx(distance, rel=1e-4)
    difference = np.degrees(np.arctan2(east, north)) - azimuth
    assert abs((difference + 180) % 360 - 180) < 0.05


@given(**south_asia)
@settings(max_examples=40, deadline=None)
def test_a_geographic_and_a_utm_grid_of_one_place_agree_in_metres(lon: float, lat: float) -> None:
    one, two = geographic(lon, lat), utm(lon, lat)
    far = one.lonlat(np.array([30.0, 130.0, 30.0]), np.array([40.0, 40.0, 140.0]))
    places = [(grid, grid.pixel(*far)) for grid in (one, two)]
    vectors = []
    for grid, (col, row) in places:
        middle = grid.jacobian_m(np.full(2, (col[0] + col[1:]) / 2), np.full(2, (row[0] + row[1:]) / 2))
        steps = np.stack([col[1:] - col[0], row[1:] - row[0]], -1)
        vectors.append(np.einsum("nij,nj->ni", middle, steps))
    assert np.allclose(*vectors, atol=0.5), "metres east and north over one kilometre"


def test_pixel_size_at_delhi_is_ten_by_eight_point_eight() -> None:
    width, height = geographic(77.2, 28.6).pixel_size_m()
    assert (width, height) == pytest.approx((8.79, 9.955), abs=0.01)
    assert utm(77.2, 28.6).pixel_size_m() == pytest.approx((10, 10), abs=0.02)


@given(turn=turns)
@settings(max_examples=20, deadline=None)
def test_turning_a_utm_grid_keeps_pixel_size_and_area(turn: float) -> None:
    grid = utm(77.2, 28.6, turn)
    assert grid.pixel_size_m() == pytest.approx((10, 10), abs=0.02)
    assert grid.area_km2() == pytest.approx(12.0, rel=0.005)
