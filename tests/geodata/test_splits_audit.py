"""Splits by place share nothing, splits at random do, and the audit tells them apart."""

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from typer.testing import CliRunner

from app.cli.main import build
from geodata.errors import InputError
from geodata.labels.audit import audit
from geodata.labels.kilns import KilnLabels
from geodata.labels.pictures import Picture, pictures_of
from geodata.labels.split_files import HELD_OUT as VAL
from geodata.labels.split_files import TRAIN, read_splits, write_splits
from geodata.labels.split_kilns import check_counts
from geodata.labels.splits import (
    Blocks,
    blocks_held_out,
    cells_of,
    close_pictures,
    folds_by_blocks,
    split_by_blocks,
    split_by_ground,
)
from geodata.labels.vectors import write_labels
from geodata.labels.yolo_folder import write_yolo
from geodata.obb import Boxes
from geodata.tile_names import PIXEL_DEG, grid_of_name
from geodata.tiles import footprint

SIDE = 8


def tile(folder: Path, row: int, col: int, step_px: int = 38) -> Picture:
    """One of many overlapping tiles, named by its place."""
    lat, lon = 28.7 - row * step_px * PIXEL_DEG, 77.3 + col * step_px * PIXEL_DEG
    path = folder / f"{lat:.4f}_{lon:.4f}.png"
    grid = grid_of_name(path, 128, 128)
    assert grid is not None
    return Picture(path, grid)


def field(folder: Path, side: int = SIDE, step_px: int = 98) -> list[Picture]:
    return [tile(folder, row, col, step_px) for row in range(side) for col in range(side)]


def kilns_in(pictures: list[Picture], seed: int = 0) -> KilnLabels:
    rng = np.random.default_rng(seed)
    lon, lat = np.array([p.grid.lonlat(*rng.uniform(20, 108, 2)) for p in pictures]).T
    n = len(lon)
    boxes = Boxes(lon, lat, np.full(n, 120.0), np.full(n, 60.0), rng.uniform(0, 179, n))
    return KilnLabels(boxes, np.zeros(n, np.bool_), np.full(n, "Zigzag", dtype=np.object_))


def write_pixels(pictures: list[Picture], seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    for picture in pictures:
        picture.path.parent.mkdir(parents=True, exist_ok=True)
        write_picture(picture.path, rng.integers(0, 255, (3, 128, 128), np.uint8))


def write_picture(path: Path, pixels: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        size = {"count": 3, "width": 128, "height": 128, "dtype": "uint8"}
        with rasterio.open(path, "w", "PNG", **size) as out:
            out.write(pixels)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), block_m=st.floats(500, 3000), gap_m=st.floats(0, 1500))
def test_a_split_by_blocks_keeps_its_gap(seed: int, block_m: float, gap_m: float) -> None:
    pictures = field(Path("x"))
    try:
        splits = split_by_blocks(pictures, Blocks(block_m, gap_m, 0.2, seed))
    except InputError:
        return
    names = [splits[p.path.name] for p in pictures]
    one, other = close_pictures(pictures, gap_m)
    assert not any({names[a], names[b]} == {TRAIN, VAL} for a, b in zip(one, other, strict=True))
    assert names.count(VAL) > 0
    assert splits == split_by_blocks(pictures, Blocks(block_m, gap_m, 0.2, seed))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), folds=st.integers(2, 4), block_m=st.floats(900, 2500))
def test_folds_of_blocks_part_all_land_and_have_about_equally_many_kilns(
    seed: int, folds: int, block_m: float
) -> None:
    pictures = field(Path("x"))
    boxes = kilns_in(pictures, seed).boxes
    cells = cells_of(pictures, boxes.lon, boxes.lat, block_m)
    assert cells.kilns.sum() == len(boxes)
    ground = folds_by_blocks(cells, folds, seed)
    assert list(ground) == [str(n + 1) for n in range(folds)]
    whole = shapely.union_all([footprint(p.grid) for p in pictures])
    assert shapely.area(whole - shapely.union_all(list(ground.values()))) < 1e-10
    parts = list(ground.values())
    assert sum(shapely.area(part) for part in parts) == pytest.approx(shapely.union_all(parts).area)
    kilns = [int(shapely.contains_xy(part, boxes.lon, boxes.lat).sum()) for part in parts]
    # dealt out from the fullest block down: no two folds differ by more than one block
    assert sum(kilns) == len(boxes) and max(kilns) - min(kilns) <= cells.kilns.max()
    held = blocks_held_out(cells, 0.3, seed)
    assert 0.3 <= shapely.area(held & whole) / whole.area <= 0.3 + cells.area.max() / cells.area.sum()


def test_a_split_without_kilns_is_refused_and_one_with_few_is_warned_of() -> None:
    with pytest.raises(InputError, match="The split val has no kiln"):
        check_counts({"train": 50, "val": 0, "unused": 0})
    assert check_counts({"train": 50, "val": 19, "unused": 0}) == [
        "The split val has 19 kilns only: figures on so few say little."
    ]


def test_a_country_of_a_file_of_regions_is_held_back(tmp_path: Path) -> None:
    pictures = field(tmp_path / "set")
    write_pixels(pictures)
    write_labels(tmp_path / "kilns.gpkg", kilns_in(pictures))
    west, east = shapely.box(77, 28, 77.33, 29), shapely.box(77.33, 28, 78, 29)
    countries = gpd.GeoDataFrame({"country": ["India", "Nepal"]}, geometry=[west, east], crs=4326)
    countries.to_crs(32643).to_file(tmp_path / "countries.gpkg")
    command = ("labels", "split", tmp_path / "set", "--labels", tmp_path / "kilns.gpkg", "--gap-km", 0.5)
    command += ("--region", tmp_path / "countries.gpkg", "--out", tmp_path / "s.csv")
    done = CliRunner().invoke(build(), [*map(str, command), "--where", "country=Nepal"])
    assert done.exit_code == 0, done.output
    splits = read_splits(tmp_path / "s.csv")
    for picture in pictures:
        assert (splits[picture.path.name] == VAL) == (picture.grid.lonlat(64, 64)[0] >= 77.33)
    for where, said in (("country=Bhutan", "it has: India, Nepal"), ("land=1", "its columns are: country")):
        done = CliRunner().invoke(build(), [*map(str, command), "--where", where])
        assert done.exit_code == 2 and said in done.output.replace("\n", " ")


def test_a_region_is_held_back(tmp_path: Path) -> None:
    pictures = field(tmp_path)
    lon = [float(p.grid.lonlat(64, 64)[0]) for p in pictures]
    splits = split_by_ground(pictures, {VAL: shapely.box(77.35, 28, 78, 29)}, 500)
    for picture, place in zip(pictures, lon, strict=True):
        assert (splits[picture.path.name] == VAL) == (place >= 77.35)
    with pytest.raises(InputError, match=r"No picture is left for val \(0 of 64"):
        split_by_ground(pictures, {VAL: shapely.box(10, 10, 11, 11)}, 500)


def test_a_split_at_random_is_caught_and_one_by_place_passes(tmp_path: Path) -> None:
    pictures = field(tmp_path)
    write_pixels(pictures)
    labels = kilns_in(pictures)
    rng = np.random.default_rng(1)
    drawn = {p.path.name: str(rng.choice([TRAIN, VAL])) for p in pictures}
    (leak,) = audit(pictures, labels, drawn).leaks
    assert leak.picture_pairs > 50 and leak.kilns > 5 and leak.shared_km2 > 1 and not leak.duplicates
    clean = audit(pictures, labels, split_by_blocks(pictures, Blocks(2000, 300)))
    assert not clean.leaks and {part.name for part in clean.parts} == {"train", "unused", "val"}
    assert sum(part.pictures for part in clean.parts) == SIDE**2


def test_the_same_picture_under_another_name_and_stretch_is_caught(tmp_path: Path) -> None:
    pictures = [tile(tmp_path, 0, 0), tile(tmp_path, 0, 50), tile(tmp_path, 0, 100)]
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 120, (3, 128, 128), np.uint8)
    write_picture(pictures[0].path, pixels)
    write_picture(pictures[1].path, pixels * 2 + 3)
    write_picture(pictures[2].path, rng.integers(0, 120, (3, 128, 128), np.uint8))
    splits = dict(zip((p.path.name for p in pictures), (TRAIN, VAL, VAL), strict=True))
    (leak,) = audit(pictures, kilns_in(pictures), splits).leaks
    assert leak.duplicates == ((pictures[0].path.name, pictures[1].path.name),)
    assert leak.picture_pairs == 0 and leak.kilns == 0


def test_broken_empty_and_unnamed_things_are_told(tmp_path: Path) -> None:
    pictures = [tile(tmp_path, 0, col * 20) for col in range(3)]
    write_pixels(pictures)
    whole = pictures[0].path.read_bytes()
    pictures[0].path.write_bytes(whole[: len(whole) // 2])
    write_picture(pictures[1].path, np.full((3, 128, 128), 7, np.uint8))
    far = kilns_in([tile(tmp_path, 500, 500)])
    found = audit(pictures, far, {pictures[0].path.name: "train", "gone.png": "val"})
    assert found.broken == (pictures[0].path.name,) and found.constant == (pictures[1].path.name,)
    assert found.outside == ("1",) and not found.leaks
    assert set(found.unnamed) == {pictures[1].path.name, pictures[2].path.name, "gone.png"}
    assert [part.empty for part in found.parts] == [part.pictures for part in found.parts]


def test_files_of_splits_come_back_and_broken_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    splits = {"b.png": "val", 'a, "one".png': "train"}
    write_splits(path, splits)
    assert read_splits(path) == splits
    for text, said in (
        ("picture,split\na.png,train\na.png,val\n", "line 3, names a.png again"),
        ("name,part\na.png,train\n", "no rows with picture and split"),
        ("", "no rows with picture and split"),
        ("picture,split\na.png,train\nb.png,\n", r"line 3, names no split for b\.png"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            read_splits(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_splits(tmp_path / "none.csv")


def test_the_commands_split_convert_and_audit(tmp_path: Path) -> None:
    pictures = field(tmp_path / "set" / "images")
    write_pixels(pictures)
    write_yolo(tmp_path / "set", kilns_in(pictures), pictures)

    def run(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(build(), [str(a) for a in arguments])
        return done.exit_code, done.output

    folder, csv = tmp_path / "set", tmp_path / "splits.csv"
    assert run("labels", "split", folder, "--out", csv, "--block-km", 2, "--gap-km", 0.3)[0] == 0
    code, said = run("audit", folder, "--splits", csv)
    assert code == 0 and "No leak between splits" in said
    names = sorted(p.path.name for p in pictures)
    write_splits(csv, {name: ("train", "val")[k % 2] for k, name in enumerate(names)})
    code, said = run("audit", folder, "--splits", csv)
    assert code == 1 and "LEAK: train and val share" in said
    assert run("audit", folder, "--splits", csv, "--json")[0] == 1
    assert run("labels", "convert", folder, tmp_path / "kilns.geojson")[0] == 0
    code, said = run("audit", folder, "--labels", tmp_path / "kilns.geojson")
    assert code == 0 and "One split" in said
    assert len(pictures_of(folder)) == SIDE**2
    twice = "id,lon,lat\na,77.3,28.7\nb,77.3001,28.7\nc,10,10\n"
    (tmp_path / "twice.csv").write_text(twice)
    code, said = run("audit", folder, "--labels", tmp_path / "twice.csv")
    assert code == 0 and "1 kilns are labelled again within 45 m of another label: b" in said
    assert "1 kilns lie in no picture: c" in said
    (folder / "images" / names[0]).write_bytes(b"")
    code, said = run("audit", folder)
    assert code == 0 and f"1 do not decode: {names[0]}" in said
    write_pixels(pictures)
    (tmp_path / "far.csv").write_text("id,lon,lat,kiln_class\na,10,10,Zigzag\n")
    code, said = run("labels", "convert", tmp_path / "far.csv", tmp_path / "none", "--pictures", folder)
    assert code == 2 and "None of 1 kilns lies whole" in said and not (tmp_path / "none").exists()
    one = kilns_in(pictures).boxes
    (tmp_path / "two.csv").write_text(
        f"id,lon,lat,kiln_class\na,10,10,Zigzag\nb,{one.lon[0]},{one.lat[0]},Zigzag\n"
    )
    code, said = run("labels", "convert", tmp_path / "two.csv", tmp_path / "some", "--pictures", folder)
    assert code == 0 and "of 1 kilns" in said and "1 kilns lie whole in no picture" in said
    for wrong, sentence in (
        (
            ("labels", "split", folder, "--out", csv, "--region", "1,2,3"),
            "is neither four numbers nor a file",
        ),
        (("labels", "split", folder, "--out", csv, "--region", "3,2,1,4"), "is empty"),
        (("labels", "convert", folder, tmp_path / "kilns.txt"), "is no .geojson, .gpkg, .csv or folder"),
        (("audit", tmp_path / "none"), "There is no folder"),
        (("audit", folder, "--classes", "a,,b"), "empty or a double name"),
    ):
        code, said = run(*wrong)
        assert code == 2 and sentence in said.replace("\n", " ")


@pytest.mark.real_data
def test_published_tiles_leak_at_random_and_not_by_place(delhi: Path) -> None:
    pictures = pictures_of(delhi / "tiles_png")
    labels = kilns_in(pictures)
    rng = np.random.default_rng(0)
    drawn = {p.path.name: str(rng.choice([TRAIN, VAL])) for p in pictures}
    assert audit(pictures, labels, drawn).leaks
    assert not audit(pictures, labels, split_by_blocks(pictures, Blocks(2000, 200))).leaks
