"""Pictures show the place they say, with true proportions, and hide what is not valid."""

import io
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyproj import Geod
from rasters import degree_transform, noise, utm_transform, write_raster

from geodata.pictures import Stretch, cut_picture, frame_around, frame_of_tile, stretch_of
from geodata.sources.files import open_scene
from geodata.tiles import tile_of

shares = st.floats(-0.5, 1.5)
SCENES = {"utm": {}, "degrees": {"crs": "EPSG:4326", "transform": degree_transform()}}


def picture_array(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@given(lon=st.floats(61, 97), lat=st.floats(5, 37), u=shares, v=shares)
def test_shares_to_lonlat_and_back(lon: float, lat: float, u: float, v: float) -> None:
    frame = frame_around(lon, lat)
    assert frame.share(*frame.lonlat(u, v)) == pytest.approx((u, v), abs=1e-7)
    assert frame.lonlat(0.5, 0.5) == pytest.approx((lon, lat))


@given(lon=st.floats(61, 97), lat=st.floats(5, 37))
def test_frames_are_true_in_metres(lon: float, lat: float) -> None:
    frame = frame_around(lon, lat, width_m=1000)
    geod = Geod(ellps="WGS84")
    assert geod.inv(frame.west, lat, frame.east, lat)[2] == pytest.approx(1000, rel=1e-3)
    assert geod.inv(lon, frame.south, lon, frame.north)[2] == pytest.approx(1000, rel=1e-3)
    tile = frame_of_tile(tile_of(lon, lat))
    height = geod.inv(tile.west, tile.south, tile.west, tile.north)[2]
    width = geod.inv(tile.west, (tile.south + tile.north) / 2, tile.east, (tile.south + tile.north) / 2)[2]
    assert tile.height_px / tile.width_px == pytest.approx(height / width, abs=0.005)


@pytest.mark.parametrize("kind", SCENES)
def test_a_bright_spot_is_drawn_where_it_lies(tmp_path: Path, kind: str) -> None:
    pixels = noise(300, 300) // 100
    pixels[:, 140:144, 170:174] = 3000
    with open_scene(write_raster(tmp_path / "a.tif", pixels, **SCENES[kind])) as scene:
        lon, lat = (float(value) for value in scene.info.grid.lonlat(172, 142))
        frame = frame_around(lon + 0.002, lat - 0.001)
        picture = cut_picture(scene, frame)
    image = picture_array(picture.png)
    assert image.shape == (384, 384, 3)
    bright = np.argwhere(image.min(axis=2) == 255).mean(axis=0)
    u, v = frame.share(lon, lat)
    assert bright == pytest.approx((v * 384 - 0.5, u * 384 - 0.5), abs=2)
    assert picture.valid_share == 1.0


@pytest.mark.parametrize("kind", SCENES)
def test_every_pixel_shows_what_the_projection_puts_there(tmp_path: Path, kind: str) -> None:
    row, col = np.indices((400, 400))
    ramps = np.stack([col, row, col]).astype("uint16") + 1
    with open_scene(write_raster(tmp_path / "a.tif", ramps, **SCENES[kind])) as scene:
        frame = frame_around(*(float(value) for value in scene.info.grid.lonlat(200, 180)))
        u, v = (np.indices((frame.height_px, frame.width_px))[::-1] + 0.5) / frame.width_px
        true_col, true_row = scene.info.grid.pixel(*frame.lonlat(u, v))
        shown = {"low": (101.0,) * 3, "high": (301.0,) * 3}
        image = picture_array(cut_picture(scene, frame, stretch=Stretch(**shown)).png)
    for band, true in ((0, true_col), (1, true_row)):
        # a grey level is 200 / 255 pixels
        assert np.abs(100 + image[..., band].astype(float) * 200 / 255 - (true - 0.5)).max() < 0.45


def test_a_clip_of_a_scene_gives_the_same_picture(tmp_path: Path) -> None:
    pixels, transform = noise(300, 300), utm_transform()
    pixels[:, 120:140, 90:170] = 0
    whole = write_raster(tmp_path / "a.tif", pixels, transform=transform, nodata=0)
    moved = transform @ Affine.translation(60, 40)
    clip = write_raster(tmp_path / "b.tif", pixels[:, 40:260, 60:270], transform=moved, nodata=0)
    with open_scene(whole) as one, open_scene(clip) as two:
        stretch, pictures = stretch_of(one), []
        frame = frame_around(*(float(value) for value in one.info.grid.lonlat(150, 150)))
        for scene in (one, two):
            pictures.append(cut_picture(scene, frame, stretch=stretch))
    assert pictures[0].valid_share == pictures[1].valid_share < 1
    one, two = (picture_array(picture.png).astype(int) for picture in pictures)
    assert np.abs(one - two).max() <= 1


def test_the_same_place_looks_the_same_at_any_contrast_and_scale(tmp_path: Path) -> None:
    pixels = noise(200, 200)
    one = write_raster(tmp_path / "a.tif", pixels)
    two = write_raster(tmp_path / "b.tif", pixels.astype("float32") * 0.5 + 7)
    images = []
    for path in (one, two):
        with open_scene(path) as scene:
            lon, lat = scene.info.grid.lonlat(100, 100)
            images.append(
                picture_array(cut_picture(scene, frame_around(float(lon), float(lat))).png).astype(int)
            )
    assert abs(images[0] - images[1]).max() <= 1


def test_what_is_not_valid_is_hatched_grey(tmp_path: Path) -> None:
    pixels = noise(200, 200)
    pixels[:, :, :100] = 0
    with open_scene(write_raster(tmp_path / "a.tif", pixels, nodata=0)) as scene:
        lon, lat = scene.info.grid.lonlat(100, 100)
        picture = cut_picture(scene, frame_around(float(lon), float(lat)))
    west = picture_array(picture.png)[:, :185]
    assert set(np.unique(west)) == {112, 144}
    assert (west[..., 0] == west[..., 1]).all()
    assert picture.valid_share == pytest.approx(0.5, abs=0.02)


def test_a_picture_beside_the_scene_is_all_hatched(tmp_path: Path) -> None:
    with open_scene(write_raster(tmp_path / "a.tif", noise())) as scene:
        for place in ((10.0, 50.0), (-100.0, 0.0)):
            assert cut_picture(scene, frame_around(*place)).valid_share == 0.0


def test_scenes_without_contrast_can_be_drawn(tmp_path: Path) -> None:
    for name, value in (("empty", 0), ("flat", 500)):
        path = write_raster(tmp_path / f"{name}.tif", np.full((3, 64, 80), value, "uint16"), nodata=0)
        with open_scene(path) as scene:
            lon, lat = scene.info.grid.lonlat(40, 32)
            assert cut_picture(scene, frame_around(float(lon), float(lat), 300)).png.startswith(b"\x89PNG")


def test_the_png_tells_no_place(tmp_path: Path) -> None:
    with open_scene(write_raster(tmp_path / "a.tif", noise())) as scene:
        lon, lat = scene.info.grid.lonlat(40, 32)
        picture = cut_picture(scene, frame_around(float(lon), float(lat)), stretch=stretch_of(scene))
    assert Image.open(io.BytesIO(picture.png)).info == {}


def test_a_caption_lies_in_the_lower_edge(tmp_path: Path) -> None:
    with open_scene(write_raster(tmp_path / "a.tif", noise(200, 200))) as scene:
        lon, lat = scene.info.grid.lonlat(100, 100)
        frame, stretch = frame_around(float(lon), float(lat)), stretch_of(scene)
        plain = picture_array(cut_picture(scene, frame, stretch=stretch).png)
        text = "Contains modified Copernicus Sentinel data 2023"
        written = picture_array(cut_picture(scene, frame, stretch=stretch, caption=text).png)
    rows = np.flatnonzero((plain != written).any(axis=(1, 2)))
    assert 360 < rows.min() <= rows.max() == 383


def test_fine_scenes_are_drawn_from_averaged_pixels(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(800, 800), transform=utm_transform(2.5))
    with open_scene(path) as scene:
        lon, lat = scene.info.grid.lonlat(100, 100)
        assert cut_picture(scene, frame_around(float(lon), float(lat))).valid_share == 1.0
