"""Writing one acquisition: whole or not there, also on a full disk."""

from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
import shapely
from full_disk import files_of_at_most

from geodata.errors import InputError
from geodata.scene import Window
from geodata.sources.sentinelhub.area_grid import grid_of
from geodata.sources.sentinelhub.pieces import pieces_of
from geodata.sources.sentinelhub.write import Outline, is_complete, write_scene

GRID = grid_of(shapely.box(77, 28, 77.1, 28.1), 2)


@pytest.fixture
def outline():
    return Outline("x", datetime(2024, 1, 1, tzinfo=UTC), "S2-L2A", ("B04", "SCL"), GRID, ("a", "b"))


def noise(max_side_px=2500):
    rng = np.random.default_rng(0)
    for piece in pieces_of(GRID, max_side_px):
        yield piece, rng.integers(1, 60000, (2, piece.height, piece.width), np.uint16)


def test_pieces_lie_where_they_belong_and_the_rest_is_no_data(tmp_path, outline):
    pieces = list(noise(400))[:-1]
    write_scene(tmp_path / "x.tif", outline, pieces)
    with rasterio.open(tmp_path / "x.tif") as dataset:
        whole = dataset.read()
    for window, pixels in pieces:
        part = whole[:, window.row : window.row + window.height, window.col : window.col + window.width]
        assert np.array_equal(part, pixels)
    assert whole[:, -1, -1].tolist() == [0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["x.tif"]


# the first fails while the pieces are written (4.5 MB), the others while the COG (6 MB) is
@pytest.mark.parametrize("size", [50_000, 4_700_000, 5_800_000])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, outline, size):
    with files_of_at_most(size), pytest.raises(InputError, match=r"could not be written .*free space"):
        write_scene(tmp_path / "x.tif", outline, noise())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_there_stays_when_the_next_fails(tmp_path, outline):
    (tmp_path / "x.tif").write_bytes(b"before")

    def pieces():
        yield next(noise())
        raise InputError("the service failed")

    with pytest.raises(InputError, match="the service failed"):
        write_scene(tmp_path / "x.tif", outline, pieces())
    assert (tmp_path / "x.tif").read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 1


def test_complete_means_this_scene_from_these_products_on_this_grid(tmp_path, outline):
    path = tmp_path / "x.tif"
    assert not is_complete(path, outline)
    write_scene(path, outline, [(Window(0, 0, 1, 1), np.ones((2, 1, 1), np.uint16))])
    assert is_complete(path, outline)
    changes = {"source_products": ("a",), "bands": ("B03", "SCL"), "product": "S2-L1C", "scene_id": "y"}
    for name, value in changes.items():
        assert not is_complete(path, Outline(**{**vars(outline), name: value}))
    write_scene(path, outline, noise())
    whole = path.read_bytes()
    for size in (100, len(whole) - 10_000):
        path.write_bytes(whole[:size])
        assert not is_complete(path, outline)
