"""Where a card holds, and what a tile may be called."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from memory_scene import card, degrees, memory_scene, utm

from detection.coverage import Observed, coverage_rows, in_order, state, together
from detection.domain import outside_reasons
from detection.pipeline import join, run_tables
from detection.scan import Scan
from geodata.obb import Boxes
from geodata.tables.coverage import SCHEMA
from geodata.tables.parquet import checked
from geodata.tiles import tile_id, tile_of, tiles_of

NOVEMBER = datetime(2023, 11, 15, tzinfo=UTC)
DOMAIN = card().domain
INSIDE = memory_scene(np.ones((3, 64, 64)), degrees(64, 64), at=NOVEMBER).info
INSIDE = replace(INSIDE, product="S2-L1C")


def scan_of(*lon_lat_score, at=NOVEMBER, share=1.0, name="s"):
    values = np.array(lon_lat_score, dtype=float).reshape(-1, 3)
    n = len(values)
    boxes = Boxes(values[:, 0], values[:, 1], np.full(n, 120.0), np.full(n, 60.0), np.full(n, 10.0))
    shares = {tile_id(tile): share for tile in tiles_of(INSIDE.grid)}
    info = replace(INSIDE, scene_id=name, acquired_at=at)
    return Scan(info, boxes, values[:, 2], Observed(shares))


MIDDLE = tuple(float(v) for v in INSIDE.grid.lonlat(32, 32))


def test_a_scene_inside_has_no_reason():
    assert outside_reasons(DOMAIN, INSIDE) == ()


@pytest.mark.parametrize(
    "change, says",
    [
        ({"grid": degrees(64, 64, 20.0, 50.0)}, "100 % of it lies outside"),
        ({"grid": utm(64, 64, 100_000, 3_000_000)}, "outside the area"),
        ({"acquired_at": None}, "date is not known"),
        ({"acquired_at": NOVEMBER.replace(month=5)}, "May"),
        ({"product": "unknown"}, "product is not known"),
        ({"product": "S2-L2A"}, "unvalidated on the product S2-L2A"),
    ],
)
def test_each_reason_is_told_and_what_is_unknown_is_outside(change, says):
    (reason,) = outside_reasons(DOMAIN, replace(INSIDE, **change))
    assert says in reason


@pytest.mark.parametrize(
    "has_kiln, share, expected",
    [
        (True, 0.01, "kiln"),
        (True, 1.0, "kiln"),
        (False, 0.9, "none"),
        (False, 0.89, "not_observed"),
        (False, 0.0, "not_observed"),
    ],
)
def test_state_of_a_tile(has_kiln, share, expected):
    assert state(has_kiln, share) == expected


def test_rows_of_coverage_fit_their_schema_and_name_the_tile_of_the_kiln():
    one = scan_of((*MIDDLE, 0.9))
    rows = checked(coverage_rows(one.info, one.observed, one.boxes, "m"), SCHEMA)
    assert rows.set_index("tile_id")["state"][tile_id(tile_of(*MIDDLE))] == "kiln"
    assert set(rows["state"]) == {"kiln", "none"}


def test_candidates_make_no_tile_a_kiln_tile():
    tables = run_tables([scan_of((*MIDDLE, 0.3))], card(), "m")
    assert len(tables.candidates) == 1 and len(tables.detections) == 0
    assert set(tables.coverage["state"]) == {"none"}


def test_a_kiln_that_another_scene_of_the_same_time_shows_better_is_a_kiln_for_both():
    scans = [scan_of((*MIDDLE, 0.9), name="a"), scan_of((*MIDDLE, 0.8), name="b")]
    tables = run_tables(scans, card(), "m")
    assert tables.detections["scene_id"].tolist() == ["a"]
    kiln_tiles = tables.coverage[tables.coverage["state"] == "kiln"]
    assert sorted(kiln_tiles["scene_id"]) == ["a", "b"]


@pytest.mark.parametrize("times, left", [((None, None), 1), ((NOVEMBER, NOVEMBER), 1), ((NOVEMBER, None), 2)])
def test_only_scenes_of_one_time_or_of_none_are_joined(times, left):
    scans = [scan_of((*MIDDLE, 0.5 + 0.1 * k), at=at, name=str(k)) for k, at in enumerate(times)]
    joined = join(scans)
    assert sum(len(one.boxes) for one in joined) == left
    assert joined[1].scores.tolist() == [0.6]


def test_two_parts_of_one_scene_give_each_tile_once():
    parts = [scan_of(share=share) for share in (0.2, 0.95)]
    rows = in_order([coverage_rows(p.info, p.observed, p.boxes, "m") for p in parts])
    assert not rows.duplicated(["scene_id", "tile_id"]).any()
    assert rows["observed_share"].unique().tolist() == [np.float32(0.95)]


def test_shares_of_scenes_of_one_look_add_up_to_no_more_than_the_tile():
    assert together([Observed({"15/1/1": 0.7, "15/1/2": 0.1}), Observed({"15/1/1": 0.6})]).shares == {
        "15/1/1": 1.0,
        "15/1/2": 0.1,
    }


def test_a_probability_is_given_only_in_the_domain():
    calibrated = card(calibration={"slope": 1.0, "intercept": 0.0, "n": 500, "method": "test"})
    outside = scan_of((*MIDDLE, 0.8), at=None, name="outside")
    rows = run_tables([replace(scan_of((*MIDDLE, 0.8)), info=INSIDE), outside], calibrated, "m").detections
    chances = rows.set_index("scene_id")["probability"]
    assert chances[INSIDE.scene_id] == pytest.approx(0.8)
    assert np.isnan(chances["outside"])
