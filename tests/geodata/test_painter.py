"""The painter: repeatable, in open sea, true to its statistics, and its truth lies where the paint is."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import rasterio
import shapely

from geodata.obb import from_corners, offsets_m
from geodata.painter import PaintedScene, paint_scene, write_painted
from geodata.painter.scene import sea_grid
from geodata.painter.statistics import load
from geodata.painter.volunteers import Habits, simulate_marks
from geodata.tiles import footprint, tile_id, tile_of


def redness(pixels: np.ndarray) -> np.ndarray:
    logs = np.log(pixels.astype(np.float64))
    return logs[0] - (logs[1] + logs[2]) / 2


def test_same_seed_same_scene_other_seed_other_scene() -> None:
    one, two, other = (paint_scene(seed, 128, 96, 4) for seed in (3, 3, 4))
    assert np.array_equal(one.pixels, two.pixels)
    assert np.array_equal(one.kilns.lon, two.kilns.lon)
    assert not np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("crs", ["utm", "4326"])
def test_scenes_at_other_places_share_no_ground_and_lie_at_sea(crs: Literal["utm", "4326"]) -> None:
    prints = [footprint(sea_grid(2600, 2600, crs, place)) for place in range(80)]
    tree = shapely.STRtree(prints)
    assert (tree.query(prints, predicate="intersects").T == np.arange(80)[:, None]).all()
    west, south, east, north = shapely.union_all(prints).bounds
    assert 85 < west < east < 89 and 9 < south < north < 12.1
    assert sea_grid(9, 9, crs, 80).transform == sea_grid(9, 9, crs).transform


@pytest.mark.parametrize("crs", ["utm", "4326"])
def test_the_kilns_are_where_the_truth_says(crs: Literal["utm", "4326"]) -> None:
    scene = paint_scene(5, 320, 320, 16, crs=crs)
    assert len(scene.kilns) == 16
    red = redness(scene.pixels)
    col, row = scene.grid.pixel(scene.kilns.lon, scene.kilns.lat)
    at_kilns = np.array(
        [
            red[r - 1 : r + 2, c - 1 : c + 2].mean()
            for c, r in zip(col.astype(int), row.astype(int), strict=True)
        ]
    )
    assert np.mean(at_kilns > np.quantile(red, 0.8)) > 0.7


def test_a_kiln_has_its_length_along_its_angle() -> None:
    """The painted shape, not only the truth, is turned counter-clockwise from true east."""
    plain = paint_scene(11, 160, 160, 0, with_look_alikes=False)
    for seed in range(11, 15):
        scene = paint_scene(seed, 160, 160, 1, with_look_alikes=False)
        col, row = (float(v[0]) for v in scene.grid.pixel(scene.kilns.lon, scene.kilns.lat))
        dc, dr = np.meshgrid(np.arange(160) + 0.5 - col, np.arange(160) + 0.5 - row)
        turn = np.radians(scene.kilns.angle_deg[0])
        along, across = (
            10 * (dc * np.cos(turn) - dr * np.sin(turn)),
            10 * (dc * np.sin(turn) + dr * np.cos(turn)),
        )
        inside = (np.abs(along) < scene.kilns.length_m[0] / 2 - 10) & (
            np.abs(across) < scene.kilns.width_m[0] / 2 - 10
        )
        turned = (np.abs(across) < scene.kilns.length_m[0] / 2 - 10) & (
            np.abs(along) < scene.kilns.width_m[0] / 2 - 10
        )
        red = redness(scene.pixels)
        assert red[inside].mean() > red[turned & ~inside].mean()
    assert len(plain.kilns) == 0


def test_neighbours_keep_the_distance_of_real_ones(painted_scene: PaintedScene) -> None:
    k = painted_scene.kilns
    east, north = offsets_m(k.lon[:, None], k.lat[:, None], k.lon, k.lat)
    far = np.hypot(east, north) + np.diag(np.full(len(k), np.inf))
    assert far.min() > 0.97 * load().neighbour_m[0]


def test_16_bit_is_the_same_scene_on_another_scale() -> None:
    small, large = (paint_scene(9, 64, 64, 1, dtype=d) for d in ("uint8", "uint16"))
    assert large.pixels.dtype == np.uint16
    assert np.abs((large.pixels.astype(float) - 200) / 20 - small.pixels).max() <= 0.53


def test_it_lies_in_open_sea(painted_scene: PaintedScene) -> None:
    grid = painted_scene.grid
    lon, lat = grid.lonlat([0, grid.width], [0, grid.height])
    # the box between Sri Lanka, India, Myanmar and the Andaman Islands
    assert 84 < lon.min() < lon.max() < 91
    assert 9 < lat.min() < lat.max() < 16


def test_the_files_say_that_they_are_made_up(tmp_path: Path, painted_scene: PaintedScene) -> None:
    files = write_painted(painted_scene, tmp_path, acquired_at=datetime(2024, 1, 2, 5, tzinfo=UTC))
    with rasterio.open(files.scene) as data:
        assert data.tags()["MADE_UP"] == "yes"
        assert data.tags()["ACQUIRED_AT"] == "2024-01-02T05:00:00+00:00"
        assert data.descriptions == ("red", "green", "blue")
        assert np.array_equal(data.read(), painted_scene.pixels)
    features = json.loads(files.kilns.read_text())["features"]
    needed = {"id", "kiln_class", "length_m", "width_m", "angle_deg", "scene", "split", "cut_by_edge"}
    assert all(needed <= set(f["properties"]) and f["properties"]["made_up"] for f in features)
    boxes = from_corners(np.array([f["geometry"]["coordinates"][0][:4] for f in features]))
    assert boxes.length_m == pytest.approx(painted_scene.kilns.length_m, abs=0.1)


def test_same_scene_same_bytes(tmp_path: Path, painted_scene: PaintedScene) -> None:
    one, two = (write_painted(painted_scene, tmp_path / name) for name in ("a", "b"))
    for part in ("scene", "kilns", "marks"):
        assert getattr(one, part).read_bytes() == getattr(two, part).read_bytes()


def test_marks_lie_in_their_tiles() -> None:
    scene = paint_scene(4, 600, 600, 30)
    marks = simulate_marks(scene, 0, Habits(scatter_m=300))
    placed = [mark for mark in marks if mark.lon is not None and mark.lat is not None]
    assert len(placed) > 20
    assert all(mark.tile_id == tile_id(tile_of(mark.lon, mark.lat)) for mark in placed)


def test_volunteers_err_at_their_rates() -> None:
    scene = paint_scene(1, 600, 600, 30)
    sure = Habits(hit_rate=(1, 1), false_alarm_rate=(0, 0), unsure_rate=0, bad_image_rate=0, scatter_m=0)
    marks = simulate_marks(scene, 0, sure)
    looks = {(mark.volunteer_id, mark.tile_id) for mark in marks}
    with_kiln = {mark.tile_id for mark in marks if mark.answer == "kiln"}
    assert {mark.tile_id for mark in marks if mark.answer == "none"}.isdisjoint(with_kiln)
    assert all((mark.lon is None) == (mark.answer != "kiln") for mark in marks)
    marked = np.array([[mark.lon, mark.lat] for mark in marks if mark.lon is not None])
    kilns = np.column_stack([scene.kilns.lon, scene.kilns.lat])
    assert np.abs(marked[:, None] - kilns).max(axis=2).min(axis=1).max() < 1e-5
    blind = Habits(hit_rate=(0, 0), false_alarm_rate=(0, 0), unsure_rate=0, bad_image_rate=0)
    none = simulate_marks(scene, 0, blind)
    assert {mark.answer for mark in none} == {"none"}
    assert len(none) == len(looks)
