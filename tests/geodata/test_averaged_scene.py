"""Fine pixels are averaged to the model's size; pixels of about its size run as they are, on any grid."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from rasters import DEGREE_PIXEL, degree_transform, noise, utm_transform, write_raster

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.scene import Window
from geodata.sources.files import open_scene
from geodata.sources.georeference import fit_pixels


def fit(crs: int, transform: Affine, size: int = 1000):
    return fit_pixels("a.tif", Grid(CRS.from_epsg(crs), transform, size, size), 10.0)


@given(lon=st.floats(61, 97), lat=st.floats(5, 37.1))
@settings(max_examples=40, deadline=None)
def test_geographic_grids_of_ten_metres_run_as_they_are_in_all_south_asia(lon: float, lat: float) -> None:
    assert not fit(4326, degree_transform(lon, lat)).is_averaged


@given(pixel=st.floats(8, 12))
def test_eight_to_twelve_metres_run_as_they_are(pixel: float) -> None:
    assert not fit(32643, utm_transform(pixel)).is_averaged


@given(pixel=st.floats(0.3, 7.8))
@settings(deadline=None)
def test_finer_pixels_become_ten_metres(pixel: float) -> None:
    grid = fit(32643, utm_transform(pixel), 2000).grid
    assert grid.pixel_size_m() == pytest.approx((10, 10), rel=0.02)
    assert grid.area_km2() == pytest.approx((pixel * 2000) ** 2 / 1e6, rel=0.06)


@given(pixel=st.floats(12.5, 500))
def test_coarser_pixels_are_refused(pixel: float) -> None:
    with pytest.raises(InputError, match="on the ground; the model needs 8 to 12 m or finer"):
        fit(32643, utm_transform(pixel))


def test_one_fine_and_one_coarse_side_are_refused_and_two_fine_ones_are_averaged_apart() -> None:
    with pytest.raises(InputError):
        fit(32643, utm_transform() @ Affine.scale(0.5, 2.0))
    averaged = fit(32643, utm_transform() @ Affine.scale(0.5, 0.25))
    assert (averaged.cols_per_pixel, averaged.rows_per_pixel) == (2.0, 4.0)


def test_half_metre_pixels_are_averaged_over_valid_ones(tmp_path: Path) -> None:
    coarse = noise(20, 24, dtype="float32")
    fine = coarse.repeat(20, axis=1).repeat(20, axis=2)
    spread = np.random.default_rng(0).normal(0, 50, (3, 20, 20, 24, 20)).astype("float32")
    spread -= spread.mean((2, 4), keepdims=True)
    fine += spread.reshape(fine.shape)
    fine[:, :7, :20] = -1  # a third of the first coarse pixel
    fine[:, :12, 20:40] = -1  # more than half of the second
    path = write_raster(tmp_path / "a.tif", fine, transform=utm_transform(0.5), nodata=-1)
    with open_scene(path) as scene:
        assert scene.info.grid.pixel_size_m() == pytest.approx((10, 10), rel=0.001)
        patch = scene.read(Window(0, 0, 24, 20))
        assert (scene.info.grid.width, scene.info.grid.height) == (24, 20)
    assert np.argwhere(~patch.valid).tolist() == [[0, 1]]
    assert np.allclose(patch.pixels[:, 1:], coarse[:, 1:], atol=0.01)
    assert abs(patch.pixels[:, 0, 0] - coarse[:, 0, 0]).max() < 20
    assert (patch.pixels[:, 0, 1] == 0).all()


def test_a_window_of_an_averaged_scene_is_cut_from_the_whole(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(300, 400), transform=utm_transform(3.0))
    with open_scene(path) as scene:
        grid = scene.info.grid
        whole = scene.read(Window(0, 0, grid.width, grid.height))
        part = scene.read(Window(grid.width - 10, 7, 20, 9))
        assert np.array_equal(part.pixels[:, :, :10], whole.pixels[:, 7:16, -10:])
        assert not part.valid[:, 10:].any()
        assert len(scene.stats()) == 3


def test_the_grid_of_an_averaged_scene_lies_where_the_file_does(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(200, 300), transform=utm_transform(2.5))
    with open_scene(path) as scene, open_scene(path, pixel_size_m=None) as fine:
        assert np.allclose(
            scene.info.grid.lonlat([0, 75, 30.5], [0, 50, 20.25]),
            fine.info.grid.lonlat([0, 300, 122], [0, 200, 81]),
            atol=1e-9,
        )


@pytest.mark.parametrize("turn", [30.0, -90.0, 180.0])
def test_a_turned_geotransform_works(tmp_path: Path, turn: float) -> None:
    pixels = noise()
    turned = Affine.translation(720_000, 3_170_000) @ Affine.rotation(turn) @ Affine.scale(10, -10)
    with open_scene(write_raster(tmp_path / "a.tif", pixels, transform=turned)) as scene:
        assert np.array_equal(scene.read(Window(0, 0, 80, 64)).pixels, pixels)
        assert scene.info.grid.pixel_size_m() == pytest.approx((10, 10), rel=0.002)
        east, north = scene.info.grid.jacobian_m(40, 32)[0] @ (1, 0)
        # the grid's own north differs from the true one by about a degree here
        assert (np.degrees(np.arctan2(north, east)) - turn + 180) % 360 - 180 == pytest.approx(0, abs=1.5)


def test_rows_may_run_north(tmp_path: Path) -> None:
    pixels = noise()
    upside_down = utm_transform() @ Affine.translation(0, 64) @ Affine.scale(1, -1)
    path = write_raster(tmp_path / "a.tif", pixels[:, ::-1], transform=upside_down)
    with open_scene(path) as scene, open_scene(write_raster(tmp_path / "b.tif", pixels)) as plain:
        assert np.allclose(scene.info.grid.lonlat(3, 60), plain.info.grid.lonlat(3, 4), atol=1e-9)


def test_a_geographic_scene_of_delhi_runs_as_it_is(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(), crs="EPSG:4326", transform=degree_transform())
    with open_scene(path) as scene:
        assert scene.info.grid.transform.a == DEGREE_PIXEL
        assert scene.info.grid.pixel_size_m() == pytest.approx((8.78, 9.955), abs=0.01)
