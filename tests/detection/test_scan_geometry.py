"""A drawn kiln comes back with its true place, size and angle, whatever the grid and the windows."""

from dataclasses import replace

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_scene import card, degrees, draw, measuring, memory_scene, utm
from pyproj import CRS

from detection.scan import scan, window_plan, zoomed_plan
from detection.windows import windows
from geodata.grid import Grid
from geodata.obb import Boxes, offsets_m

SIDE = 64


def kiln_on(grid, angle, length=130.0, width=60.0, col=32.0, row=32.0):
    lon, lat = grid.lonlat(np.array([col]), np.array([row]))
    return Boxes(lon, lat, np.array([length]), np.array([width]), np.array([angle]))


def look_at(grid, kiln, **windowing):
    cover = draw(grid, kiln)
    pixels = np.stack([100 + 50 * cover, 80 + 70 * cover, 60 + 30 * cover])
    scene = memory_scene(pixels, grid)
    return scan(scene, measuring(grid), window_plan(scene.info, card(), **windowing))


def turned(grid, degrees_):
    """The grid turned about its middle."""
    middle = grid.width / 2, grid.height / 2
    turn = Affine.rotation(degrees_, middle)
    return Grid(grid.crs, grid.transform @ turn, grid.width, grid.height)


def assert_same(found, kiln, within_deg=2.0):
    assert len(found.boxes) == 1
    east, north = offsets_m(found.boxes.lon, found.boxes.lat, kiln.lon, kiln.lat)
    assert np.hypot(east, north)[0] < 1.5
    assert found.boxes.length_m[0] == pytest.approx(kiln.length_m[0], abs=10)
    assert found.boxes.width_m[0] == pytest.approx(kiln.width_m[0], abs=10)
    apart = (found.boxes.angle_deg[0] - kiln.angle_deg[0] + 90) % 180 - 90
    assert abs(apart) < within_deg


GRIDS = {
    "degrees": degrees(SIDE, SIDE),
    "degrees, far north": degrees(SIDE, SIDE, 25.0, 48.0),
    "utm": utm(SIDE, SIDE),
    "utm, 8 m": Grid(CRS.from_epsg(32643), Affine(8, 0, 720_000, 0, -8, 3_170_000), SIDE, SIDE),
    "southern": Grid(CRS.from_epsg(32723), Affine(10, 0, 300_000, 0, -10, 7_400_000), SIDE, SIDE),
    "turned by 30": turned(utm(SIDE, SIDE), 30),
    "rows run north": Grid(CRS.from_epsg(32643), Affine(10, 0, 720_000, 0, 10, 3_170_000), SIDE, SIDE),
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS.keys())
@pytest.mark.parametrize("angle", [0.0, 120.0])
def test_a_turned_kiln_is_measured_in_true_metres_and_degrees(grid, angle):
    kiln = kiln_on(grid, angle)
    assert_same(look_at(grid, kiln), kiln)


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from(["degrees", "utm"]),
    st.floats(0, 179),
    st.floats(90, 150),
    st.floats(14, 50),
    st.floats(14, 50),
)
def test_any_kiln_anywhere(name, angle, length, col, row):
    kiln = kiln_on(GRIDS[name], angle, length, 0.45 * length, col, row)
    # clipping makes the moments of few pixels coarse
    assert_same(look_at(GRIDS[name], kiln), kiln, within_deg=6.0)


@pytest.mark.parametrize("zoom", [1.2, 1.37, 1.5])
def test_what_is_shown_enlarged_comes_back_in_its_place_and_size(zoom):
    grid = utm(SIDE, SIDE)
    kiln = kiln_on(grid, 35.0, col=29.0, row=36.5)
    cover = draw(grid, kiln)
    scene = memory_scene(np.stack([100 + 50 * cover, 80 + 70 * cover, 60 + 30 * cover]), grid)
    detector = replace(measuring(grid), zoom=zoom)
    assert_same(scan(scene, detector, zoomed_plan(scene.info, detector)), kiln)


def test_degrees_and_utm_of_one_place_agree():
    here, there = degrees(SIDE, SIDE), utm(SIDE, SIDE, 0, 0)
    lon, lat = here.lonlat(32.0, 32.0)
    x, y = there.transform @ tuple(float(v) for v in there.pixel(lon, lat))
    there = utm(SIDE, SIDE, x - 320, y + 320)
    kiln = kiln_on(here, 40.0)
    one, two = look_at(here, kiln).boxes, look_at(there, kiln).boxes
    east, north = offsets_m(one.lon, one.lat, two.lon, two.lat)
    assert np.hypot(east, north)[0] < 1.5
    assert one.length_m[0] == pytest.approx(two.length_m[0], rel=0.03)
    assert one.angle_deg[0] == pytest.approx(two.angle_deg[0], abs=1.0)


def test_moving_the_transform_moves_the_detection_as_much():
    cover = draw(utm(SIDE, SIDE), kiln_on(utm(SIDE, SIDE), 20.0))
    here = memory_scene(np.stack([100 + 50 * cover] * 3), utm(SIDE, SIDE))
    there = here.on(utm(SIDE, SIDE, 720_000 + 3000, 3_170_000 - 4000))
    plan = window_plan(here.info, card())
    one, two = (
        scan(here, measuring(here.info.grid), plan).boxes,
        scan(there, measuring(here.info.grid), plan).boxes,
    )
    to_xy = utm(SIDE, SIDE).pixel
    col, row = (b - a for a, b in zip(to_xy(one.lon, one.lat), to_xy(two.lon, two.lat), strict=True))
    assert col[0] == pytest.approx(300, abs=1e-6) and row[0] == pytest.approx(400, abs=1e-6)


@pytest.mark.parametrize("grid", [utm(SIDE, SIDE), degrees(SIDE, SIDE)])
def test_turning_the_transform_by_90_degrees_turns_the_angle(grid):
    cover = draw(grid, kiln_on(grid, 20.0))
    here = memory_scene(np.stack([100 + 50 * cover] * 3), grid)
    plan = window_plan(here.info, card())
    # the same net, which knows nothing of the turn
    net = measuring(grid)
    one, two = (scan(s, net, plan).boxes for s in (here, here.on(turned(grid, 90))))
    # in degrees the turned pixel is 10 m by 8.8 m instead of 8.8 m by 10 m
    stretch = 0.0 if grid.crs.is_projected else 8.0
    assert (two.angle_deg[0] - one.angle_deg[0]) % 180 == pytest.approx(90, abs=stretch + 0.5)


@pytest.mark.parametrize("offset", [(0, 0), (16, 48), (18, 29), (1, 7)])
def test_a_kiln_on_a_seam_is_found_once(offset):
    grid = degrees(SIDE, SIDE)
    kiln = kiln_on(grid, 70.0)
    assert_same(look_at(grid, kiln, core_px=32, offset=offset), kiln)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(16, 400),
    st.integers(16, 400),
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(64, 256),
    st.integers(0, 200),
)
def test_cores_cover_a_scene_once_and_windows_hold_them(width, height, right, down, core_px, halo_px):
    times = np.zeros((height, width), int)
    for one in windows(width, height, 16, halo_px, core_px, (right, down)):
        core, net, read = one.core, one.net, one.read
        times[core.row : core.row + core.height, core.col : core.col + core.width] += 1
        assert net.col % 16 == net.row % 16 == net.width % 16 == net.height % 16 == 0
        for inner, outer in ((core, net), (net, read)):
            assert outer.col <= inner.col and inner.col + inner.width <= outer.col + outer.width
            assert outer.row <= inner.row and inner.row + inner.height <= outer.row + outer.height
    assert (times == 1).all()
