"""Labels keep their kilns through YOLO-OBB text and vector files; broken lines are named."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from geodata.errors import InputError, ProblemsError
from geodata.grid import Grid
from geodata.labels.forms import ReadOptions
from geodata.labels.kilns import KilnLabels
from geodata.labels.pictures import Picture, pictures_of
from geodata.labels.read import read_kilns
from geodata.labels.vectors import write_labels
from geodata.labels.yolo_folder import CLASSES, read_yolo, write_yolo
from geodata.obb import Boxes, offsets_m
from geodata.tile_names import PIXEL_DEG, grid_of_name

UTM = Grid(CRS.from_epsg(32643), Affine(10, 0, 700_000, 0, -10, 3_180_000), 300, 200)


def labels_of(boxes: Boxes, kiln_class: str = "Zigzag") -> KilnLabels:
    names = np.full(len(boxes), kiln_class, dtype=np.object_)
    return KilnLabels(boxes, np.zeros(len(boxes), np.bool_), names)


def one_kiln(grid: Grid, col: float, row: float, length: float, share: float, angle: float) -> Boxes:
    lon, lat = grid.lonlat(col, row)
    return Boxes(*(np.atleast_1d(float(v)) for v in (lon, lat, length, length * share, angle)))


def assert_same(ones: Boxes, others: Boxes, within_m: float) -> None:
    assert len(ones) == len(others)
    assert np.hypot(*offsets_m(ones.lon, ones.lat, others.lon, others.lat)).max() < within_m
    np.testing.assert_allclose(ones.length_m, others.length_m, atol=within_m)
    np.testing.assert_allclose(ones.width_m, others.width_m, atol=within_m)
    assert np.abs((ones.angle_deg - others.angle_deg + 90) % 180 - 90).max() < 0.5


kiln = {
    "col": st.floats(20, 108),
    "row": st.floats(20, 108),
    "length": st.floats(60, 150),
    "share": st.floats(0.3, 0.8),
    "angle": st.floats(0, 179.9),
}


@settings(max_examples=25, deadline=None)
@given(**kiln)
def test_a_kiln_comes_back_from_text_and_from_vector_files(
    tmp_path_factory: pytest.TempPathFactory,
    col: float,
    row: float,
    length: float,
    share: float,
    angle: float,
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    tile = grid_of_name(Path("28.7354_77.3558.png"), 128, 128)
    assert tile is not None
    for name, grid in (("28.7354_77.3558.png", tile), ("scene.tif", UTM)):
        boxes = one_kiln(grid, col, row, length, share, angle)
        pictures = [Picture(folder / name, grid)]
        assert write_yolo(folder / grid.crs.name, labels_of(boxes), pictures)[0] == 1
        again = read_yolo(folder / grid.crs.name, pictures)
        assert_same(again.labels.boxes, boxes, 0.05)
        assert list(again.labels.kiln_class) == ["Zigzag"]
    for end in (".geojson", ".gpkg"):
        write_labels(folder / f"kilns{end}", labels_of(boxes, "FCBK"))
        vector = read_kilns(folder / f"kilns{end}")
        assert_same(vector.boxes, boxes, 0.05)
        assert list(vector.kiln_class) == ["FCBK"]


def test_a_tiles_name_is_the_centre_of_129_pixels() -> None:
    grid = grid_of_name(Path("labels/28.7354_77.3558.txt"), 128, 128)
    assert grid is not None
    lon, lat = grid.lonlat(64.5, 64.5)
    assert (lon, lat) == (pytest.approx(77.3558), pytest.approx(28.7354))
    assert grid.transform.a == PIXEL_DEG
    for other in ("scene.png", "28_77.png", "128.7354_77.3558.png"):
        assert grid_of_name(Path(other), 128, 128) is None


def overlapping() -> list[Picture]:
    """Two tiles that share 90 columns."""
    return [
        Picture(Path(f"28.7354_{lon:.4f}.png"), grid)
        for lon in (77.3558, 77.3558 + 38 * PIXEL_DEG)
        if (grid := grid_of_name(Path(f"28.7354_{lon:.4f}.png"), 128, 128))
    ]


def test_a_kiln_in_two_tiles_is_taken_once_from_where_it_lies_deepest(tmp_path: Path) -> None:
    first, second = overlapping()
    boxes = one_kiln(second.grid, 60, 64, 120, 0.5, 30)
    assert write_yolo(tmp_path, labels_of(boxes), [first, second])[0] == 2
    # the line in the tile where the kiln lies near the border is moved by a pixel
    path = tmp_path / "labels" / f"{first.path.stem}.txt"
    number, *shares = path.read_text().split()
    path.write_text(" ".join([number, *(f"{float(v) + 1 / 128:.6f}" for v in shares)]))
    read = read_yolo(tmp_path, [first, second])
    assert read.lines == 2
    assert_same(read.labels.boxes, boxes, 0.05)


def test_a_kiln_that_the_border_cuts_gets_no_line(tmp_path: Path) -> None:
    first, second = overlapping()
    boxes = one_kiln(first.grid, 125, 64, 120, 0.5, 0)
    assert write_yolo(tmp_path, labels_of(boxes), [first, second])[0] == 1
    assert (tmp_path / "labels" / f"{first.path.stem}.txt").read_text() == ""


def test_a_frame_of_129_pixels(tmp_path: Path) -> None:
    (tile, _) = overlapping()
    boxes = one_kiln(tile.grid, 50, 70, 120, 0.5, 80)
    write_yolo(tmp_path, labels_of(boxes), [tile])
    path = tmp_path / "labels" / f"{tile.path.stem}.txt"
    number, *shares = path.read_text().split()
    path.write_text(" ".join([number, *(f"{float(v) * 128 / 129:.7f}" for v in shares)]))
    assert_same(read_yolo(tmp_path, [tile], ReadOptions(frame_px=129)).labels.boxes, boxes, 0.05)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("2 0.1 0.1 0.2", "is not nine numbers"),
        ("2 0.1 0.1 0.2 x 0.2 0.2 0.1 0.2", "is not nine numbers"),
        ("2 0.1 0.1 0.2 nan 0.2 0.2 0.1 0.2", "is not nine numbers"),
        ("3 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2", "class 3 is unknown"),
        ("2 10 10 20 10 20 20 10 20", "far outside the picture"),
        ("2 0.1 0.1 0.2 0.2 0.2 0.1 0.1 0.3", "cross each other"),
        ("2 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2 1.2", "the tenth number, the probability, is 1.2"),
        ("2 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2 1 1", "is not nine numbers"),
        ("2 0.1 0.1 0.2 0.2 0.3 0.3 0.4 0.4", "has no area"),
    ],
)
def test_broken_lines_are_named_and_the_good_ones_taken_on_demand(
    tmp_path: Path, line: str, said: str
) -> None:
    (tile, _) = overlapping()
    write_yolo(tmp_path, labels_of(one_kiln(tile.grid, 50, 70, 120, 0.5, 80)), [tile])
    path = tmp_path / "labels" / f"{tile.path.stem}.txt"
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ProblemsError, match=f"line 2: .*{said}"):
        read_yolo(tmp_path, [tile])
    read = read_yolo(tmp_path, [tile], ReadOptions(skip_bad=True))
    assert len(read.labels.boxes) == 1 and len(read.problems) == 1


def test_soft_labels_have_a_tenth_number_and_places_without_a_kiln_no_line(tmp_path: Path) -> None:
    (tile, _) = overlapping()
    lon, lat = tile.grid.lonlat(np.array([20.0, 50, 80, 100]), np.array([30.0, 60, 90, 30]))
    boxes = Boxes(lon, lat, *(np.full(4, value) for value in (120.0, 60.0, 30.0)))
    chances = np.array([1.0, 0.3, 0.0, np.nan])
    labels = KilnLabels(boxes, np.zeros(4, bool), np.full(4, "FCBK", object), chances)
    assert write_yolo(tmp_path, labels, [tile])[0] == 2
    lines = (tmp_path / "labels" / f"{tile.path.stem}.txt").read_text().splitlines()
    assert sorted(len(line.split()) for line in lines) == [9, 10]
    again = read_yolo(tmp_path, [tile]).labels
    np.testing.assert_allclose(again.probability, [1, 0.3])
    assert list(again.label_id) == [f"{tile.path.stem}:1", f"{tile.path.stem}:2"]
    assert_same(again.boxes, boxes.take(np.array([0, 1])), 0.05)


def test_label_files_need_their_pictures_and_pictures_their_places(tmp_path: Path) -> None:
    (tile, other) = overlapping()
    write_yolo(tmp_path, labels_of(one_kiln(tile.grid, 50, 70, 120, 0.5, 80)), [tile])
    with pytest.raises(ProblemsError, match="has no picture of its name"):
        read_yolo(tmp_path, [other])
    with pytest.raises(InputError, match="holds no picture"):
        pictures_of(tmp_path)
    size = {"count": 1, "width": 16, "height": 16, "dtype": "uint8"}
    with rasterio.open(tmp_path / "a.png", "w", "PNG", **size) as out:
        out.write(np.ones((1, 16, 16), np.uint8))
    with pytest.raises(InputError, match=r"a\.png has no place on the earth"):
        pictures_of(tmp_path)
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.png cannot be opened as a picture"):
        pictures_of(tmp_path)


def test_a_class_without_a_number_is_refused(tmp_path: Path) -> None:
    (tile, _) = overlapping()
    labels = labels_of(one_kiln(tile.grid, 50, 70, 120, 0.5, 80), "unknown")
    with pytest.raises(InputError, match="The class unknown has no number"):
        write_yolo(tmp_path, labels, [tile])
    assert write_yolo(tmp_path, labels, [tile], (*CLASSES, "unknown"))[0] == 1


@pytest.mark.real_data
def test_published_tiles_give_the_kilns_of_the_scenes(delhi: Path) -> None:
    folder = delhi / "tiles_png"
    read = read_yolo(folder, pictures_of(folder))
    assert (read.lines, len(read.labels.boxes)) == (74, 54)
    known = read_kilns(delhi / "kilns.geojson").boxes
    east, north = offsets_m(
        read.labels.boxes.lon, read.labels.boxes.lat, known.lon[:, None], known.lat[:, None]
    )
    assert np.hypot(east, north).min(axis=0).max() < 15
