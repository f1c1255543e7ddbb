"""Tiles that are named by their place are scenes; other pictures are not."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from geodata.errors import InputError
from geodata.scene import Window
from geodata.sources.files import open_scene
from geodata.sources.inputs import expand
from geodata.tile_names import grid_of_name

NAME = "28.7354_77.3558.png"


def write(path: Path, seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 255, (3, 128, 128), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", "PNG", count=3, width=128, height=128, dtype="uint8") as out:
            out.write(pixels)
    return pixels


def test_a_tile_named_by_its_place_is_a_scene_there(tmp_path: Path) -> None:
    pixels = write(tmp_path / NAME)
    with open_scene(tmp_path / NAME) as scene:
        assert scene.info.bands == ("red", "green", "blue")
        assert scene.info.grid == grid_of_name(tmp_path / NAME, 128, 128)
        patch = scene.read(Window(0, 0, 128, 128))
    assert patch.valid.all()
    np.testing.assert_array_equal(patch.pixels, pixels)


def test_another_picture_is_none_and_a_folder_leaves_it_out(tmp_path: Path) -> None:
    write(tmp_path / NAME)
    write(tmp_path / "screenshot.png")
    with pytest.raises(InputError, match=r"screenshot\.png has no coordinate reference system"):
        open_scene(tmp_path / "screenshot.png")
    files, problems, warned = expand([tmp_path])
    assert files == [tmp_path / NAME] and not problems
    assert "screenshot.png" in warned[0]


def test_a_tile_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"is damaged or cut short .* get the file again"):
        open_scene(path)


@pytest.mark.real_data
def test_a_folder_of_published_tiles_is_a_source(delhi: Path) -> None:
    files, problems, warned = expand([delhi / "tiles_png" / "images"])
    assert len(files) == 64 and not problems and not warned
    with open_scene(files[0]) as scene:
        assert 1.2 < scene.info.grid.area_km2() < 1.6
