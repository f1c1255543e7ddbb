"""Labelling tiles: names, the tiles of a grid, and how much of each was observed."""

from pathlib import Path

import mercantile
import numpy as np
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from rasters import degree_transform, noise, utm_transform, write_raster

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.scene import Window
from geodata.sources.files import open_scene
from geodata.tiles import (
    ZOOM,
    footprint,
    observed_shares,
    tile_from_id,
    tile_id,
    tile_ids,
    tile_of,
    tile_polygon,
    tile_ring,
    tiles_of,
)

places = {"lon": st.floats(61, 97), "lat": st.floats(5, 37)}


@given(**places)
def test_a_place_lies_in_its_tile_and_the_name_leads_back(lon: float, lat: float) -> None:
    tile = tile_of(lon, lat)
    assert tile_polygon(tile).buffer(1e-9).contains(shapely.Point(lon, lat))
    assert tile_from_id(tile_id(tile)) == tile
    assert tile_ids([lon, lon], [lat, lat]) == [tile_id(tile)] * 2


@pytest.mark.parametrize("name", ["", "15/1", "14/1/1", "15/-1/2", "15/1/x", "15/40000/1"])
def test_what_is_no_tile_name(name: str) -> None:
    with pytest.raises(InputError, match="no tile of the labelling grid"):
        tile_from_id(name)


def test_a_ring_is_closed_and_counter_clockwise() -> None:
    ring = tile_ring(tile_of(77.2, 28.6))
    assert ring[0] == ring[-1]
    assert shapely.LinearRing(ring).is_ccw


@given(**places, turn=st.floats(-180, 180))
@settings(max_examples=25, deadline=None)
def test_tiles_of_a_grid_cover_it_and_each_meets_it(lon: float, lat: float, turn: float) -> None:
    transform = degree_transform(lon, lat) @ Affine.rotation(turn)
    grid = Grid(CRS.from_epsg(4326), transform, 300, 200)
    tiles = tiles_of(grid)
    shape = footprint(grid)
    together = shapely.union_all([tile_polygon(tile) for tile in tiles])
    assert together.buffer(1e-9).contains(shape)
    assert all(tile_polygon(tile).intersection(shape).area > 0 for tile in tiles)
    assert len({tile_id(tile) for tile in tiles}) == len(tiles)


def test_a_tile_that_only_touches_a_scene_is_not_its() -> None:
    tile = tile_of(77.2, 28.6)
    west, south, east, north = mercantile.bounds(tile)
    transform = Affine((east - west) / 100, 0, west, 0, (south - north) / 100, north)
    assert tiles_of(Grid(CRS.from_epsg(4326), transform, 100, 100)) == [tile]


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A geographic scene of 5 x 3 tiles or so whose west half is not valid."""
    pixels = noise(400, 600)
    pixels[:, :, :300] = 0
    path = tmp_path_factory.mktemp("tiles") / "half.tif"
    return write_raster(path, pixels, nodata=0, crs="EPSG:4326", transform=degree_transform())


def test_observed_shares_are_those_of_the_valid_area(half: Path) -> None:
    with open_scene(half) as scene:
        shares = observed_shares(scene)
        grid = scene.info.grid
        assert list(shares) == [tile_id(tile) for tile in tiles_of(grid)]
    west, north = grid.lonlat(300, 0)
    east, south = grid.lonlat(600, 400)
    valid = shapely.box(float(west), float(south), float(east), float(north))
    for name, share in shares.items():
        tile = tile_polygon(tile_from_id(name))
        assert share == pytest.approx(tile.intersection(valid).area / tile.area, abs=0.015)
    assert {0.0, 1.0} <= set(shares.values())


def test_a_tile_far_from_the_scene_is_not_observed(half: Path) -> None:
    far = [tile_of(10.0, 50.0), tile_of(-100.0, 0.0)]
    with open_scene(half) as scene:
        assert set(observed_shares(scene, far).values()) == {0.0}


def test_a_utm_copy_observes_the_same(half: Path, tmp_path: Path) -> None:
    x, y = Transformer.from_crs(4326, 32643, always_xy=True).transform(77.25, 28.63)
    pixels = np.zeros((3, 440, 560), "uint16")
    path = write_raster(
        tmp_path / "utm.tif", pixels, nodata=0, transform=Affine(10, 0, x - 100, 0, -10, y + 100)
    )
    with open_scene(half) as one, open_scene(path) as two:
        grid = two.info.grid
        col, row = np.meshgrid(np.arange(560) + 0.5, np.arange(440) + 0.5)
        c, r = one.info.grid.pixel(*grid.lonlat(col.ravel(), row.ravel()))
        mask = one.read(Window(0, 0, 600, 400)).valid
        inside = (c >= 0) & (c < 600) & (r >= 0) & (r < 400)
        seen = np.zeros(col.size, bool)
        seen[inside] = mask[r[inside].astype(int), c[inside].astype(int)]
        tiles = tiles_of(one.info.grid)
        expected = observed_shares(one, tiles)
    write_raster(
        path, (seen.reshape(440, 560)[None] * noise(440, 560)).astype("uint16"), nodata=0,
        transform=Affine(10, 0, x - 100, 0, -10, y + 100),
    )  # fmt: skip
    with open_scene(path) as scene:
        found = observed_shares(scene, tiles)
    for name, share in expected.items():
        assert found[name] == pytest.approx(share, abs=0.03)


def test_averaged_scenes_are_observed_too(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(800, 800), transform=utm_transform(2.5))
    with open_scene(path) as scene:
        shares = observed_shares(scene)
    areas = [share * _area_m2(name) for name, share in shares.items()]
    assert sum(areas) == pytest.approx(2000 * 2000, rel=0.02)


def _area_m2(name: str) -> float:
    tile = tile_from_id(name)
    size = 2 * np.pi * 6378137 / 2**ZOOM * np.cos(np.radians(mercantile.ul(tile).lat))
    return float(size**2)
