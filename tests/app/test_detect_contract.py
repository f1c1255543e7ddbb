"""What `kilnlight detect` writes: files, columns, ids, hashes; the same bytes for the same input."""

import hashlib
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import rasterio
from affine import Affine
from painted_files import AT, SIDE, crop, kilnlight, painted, write, write_blank
from rasterio.windows import Window

from detection.bundle import load_bundle, shipped_bundle_path
from geodata.errors import InputError
from geodata.tables.columns import COVERAGE_COLUMNS, DETECTION_COLUMNS
from geodata.tables.coverage import read_coverage
from geodata.tables.detections import boxes_of, read_detections
from geodata.tables.run import open_run
from geodata.tables.scene_paths import read_scene_paths
from geodata.tiles import tile_ids

CARD = load_bundle(shipped_bundle_path()).card


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One run of two dates of one place, with all that can be written."""
    base = tmp_path_factory.mktemp("contract")
    write(base / "one.tif")
    write(base / "two.tif", at=AT.replace(month=12))
    (base / "run").mkdir()
    (base / "run" / "notes.txt").write_text("mine")
    scenes = base / "one.tif", base / "two.tif"
    done = kilnlight("detect", *scenes, "--out", base / "run", "--candidates", "--format", "geojson")
    assert done.exit_code == 0, done.output
    return base / "run"


def all_rows(run: Path) -> gpd.GeoDataFrame:
    tables = [read_detections(run / f"{name}.parquet") for name in ("detections", "candidates")]
    return pd.concat(tables, ignore_index=True)


def test_files(folder):
    names = {path.name for path in folder.iterdir()}
    tables = {f"{name}.{end}" for name in ("detections", "candidates") for end in ("parquet", "geojson")}
    assert names == tables | {"coverage.parquet", "run.json", "scene-paths.json", "notes.txt"}
    record = json.loads((folder / "run.json").read_text())
    assert set(record["files"]) == names - {"run.json", "scene-paths.json", "notes.txt"}
    for name, expected in record["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected


def test_columns_types_and_georeference(folder):
    for name, columns in (("detections", DETECTION_COLUMNS), ("coverage", COVERAGE_COLUMNS)):
        schema = pq.read_schema(folder / f"{name}.parquet")
        geo = json.loads(schema.metadata[b"geo"])
        assert geo["version"] == "1.1.0"
        assert geo["columns"]["geometry"]["geometry_types"] in (["Polygon"], [])
        table = gpd.read_parquet(folder / f"{name}.parquet")
        assert tuple(table.columns) == columns
        assert table.crs.to_epsg() == 4326
        assert str(schema.field("acquired_at").type) == "timestamp[us, tz=UTC]"
    for name in ("score", "probability", "length_m", "width_m", "angle_deg"):
        assert str(pq.read_schema(folder / "detections.parquet").field(name).type) == "float"


def test_rows_keep_the_contract(folder):
    rows = all_rows(folder)
    assert len(rows) > 4
    assert rows["detection_id"].is_unique
    assert set(rows["site_type"]) == {"brick_kiln"} and set(rows["kiln_class"]) == {"unknown"}
    assert (rows["length_m"] >= rows["width_m"]).all()
    assert rows["angle_deg"].between(0, 180, inclusive="left").all()
    # open sea lies outside the card's area
    assert rows["probability"].isna().all()
    assert pq.read_table(folder / "candidates.parquet")["probability"].null_count > 0
    boxes = boxes_of(rows)
    np.testing.assert_allclose(
        boxes.corners(), [np.array(p.exterior.coords)[:4] for p in rows.geometry], atol=1e-7
    )


def test_inside_the_domain_every_detection_has_a_probability(tmp_path):
    """The flags that `docs/own-imagery.md` names for imagery like that of the training."""
    # neither date nor product is in the file
    scene = crop(write(tmp_path / "sea.tif"), tmp_path / "delhi.tif", Window(0, 0, SIDE, SIDE))
    with rasterio.open(scene, "r+") as data:
        data.transform = Affine(data.transform.a, 0, 77.2, 0, data.transform.e, 28.6)
    flags = "--product", "S2-RGB-stretched", "--acquired", "2023-11-15"
    done = kilnlight("detect", scene, "--out", tmp_path / "run", "--candidates", *flags)
    assert done.exit_code == 0, done.output
    assert "outside" not in done.output
    rows = all_rows(tmp_path / "run")
    score, probability = (rows[name].to_numpy(float) for name in ("score", "probability"))
    assert len(rows) > 2
    own = CARD.calibration
    high = own.slope if own.slope_high is None else own.slope_high
    chance = own.slope * np.log(score) - high * np.log(1 - score) + own.intercept
    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-chance)), atol=1e-5)
    assert open_run(tmp_path / "run").record.inputs[0].outside_domain == ()


def test_the_threshold_parts_detections_from_candidates(folder):
    detections, candidates = (read_detections(folder / f"{n}.parquet") for n in ("detections", "candidates"))
    assert (detections["score"].astype(float) >= CARD.threshold).all()
    assert (
        candidates["score"]
        .astype(float)
        .between(CARD.candidate_floor, CARD.threshold, inclusive="left")
        .all()
    )


def test_detections_of_different_dates_all_stay(folder):
    rows = all_rows(folder)
    per_date = rows.groupby("acquired_at")["score"].apply(sorted)
    assert list(per_date.index) == [AT, AT.replace(month=12)]
    assert per_date.iloc[0] == per_date.iloc[1]


def test_coverage_says_kiln_where_a_detection_lies_and_never_none_where_little_was_seen(folder):
    coverage, rows = (
        read_coverage(folder / "coverage.parquet"),
        read_detections(folder / "detections.parquet"),
    )
    assert not coverage.duplicated(["tile_id", "scene_id"]).any()
    boxes = boxes_of(rows)
    with_kiln = set(zip(tile_ids(boxes.lon, boxes.lat), rows["scene_id"], strict=True))
    for tile in coverage.itertuples():
        if (tile.tile_id, tile.scene_id) in with_kiln:
            assert tile.state == "kiln"
        else:
            assert tile.state == ("none" if tile.observed_share >= 0.9 else "not_observed")
    assert len(with_kiln) == (coverage["state"] == "kiln").sum()


def test_the_geojson_copy_has_the_same_rows(folder):
    copy = json.loads((folder / "candidates.geojson").read_text())["features"]
    rows = read_detections(folder / "candidates.parquet")
    assert [f["properties"]["detection_id"] for f in copy] == rows["detection_id"].tolist()
    assert copy[0]["properties"]["probability"] is None
    assert copy[0]["properties"]["acquired_at"] == "2023-11-15T05:30:00.000000Z"
    assert len(gpd.read_file(folder / "candidates.geojson")) == len(rows)


def test_run_json_tells_inputs_and_settings_and_no_folder(folder):
    run = open_run(folder)
    assert run.candidates == folder / "candidates.parquet"
    assert [one.name for one in run.record.inputs] == ["one.tif", "two.tif"]
    assert all(one.made_up and one.observed_km2 > 1 and one.outside_domain for one in run.record.inputs)
    assert run.record.settings.threshold == CARD.threshold
    assert folder.parent.name not in (folder / "run.json").read_text()
    known = read_scene_paths(folder)
    assert [known[one.sha256] for one in run.record.inputs] == [
        folder.parent / n for n in ("one.tif", "two.tif")
    ]


def test_the_same_input_gives_the_same_bytes_wherever_the_folder_is(folder):
    again = folder.parent / "deeper" / "still" / "again"
    # the scenes in another order, and an option that must not matter
    scenes = folder.parent / "two.tif", folder.parent / "one.tif"
    done = kilnlight("detect", *scenes, "--out", again, "--candidates", "--format", "geojson", "--threads", 1)
    assert done.exit_code == 0, done.output
    assert {path.name for path in again.iterdir()} == {path.name for path in folder.iterdir()} - {"notes.txt"}
    for path in again.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name


def test_a_second_run_replaces_the_first_and_only_that(folder, tmp_path):
    scene = write(tmp_path / "one.tif")
    assert kilnlight("detect", scene, "--out", tmp_path, "--candidates").exit_code == 0
    first = (tmp_path / "run.json").read_bytes(), (tmp_path / "detections.parquet").read_bytes()
    assert kilnlight("detect", scene, "--out", tmp_path).exit_code == 0
    assert not (tmp_path / "candidates.parquet").exists()
    assert open_run(tmp_path).candidates is None
    assert kilnlight("detect", scene, "--out", tmp_path, "--candidates").exit_code == 0
    assert ((tmp_path / "run.json").read_bytes(), (tmp_path / "detections.parquet").read_bytes()) == first
    assert {path.name for path in tmp_path.iterdir()} == {
        "one.tif",
        "run.json",
        "scene-paths.json",
        "detections.parquet",
        "coverage.parquet",
        "candidates.parquet",
    }


@pytest.mark.parametrize("at, doubled", [(None, False), (AT, False), ("two dates", True)])
def test_overlapping_scenes_of_one_time_give_each_kiln_once(tmp_path, at, doubled):
    whole = write(tmp_path / "whole.tif", at=None)
    for name, left in (("west", 0), ("east", 24)):
        crop(whole, tmp_path / f"{name}.tif", Window(left, 0, SIDE - 24, SIDE))
    scenes = tmp_path / "west.tif", tmp_path / "east.tif"
    if doubled:
        for k, scene in enumerate(scenes):
            set_time(scene, AT.replace(month=11 + k))
    options = ["--acquired", at.isoformat()] if at and not doubled else []
    done = kilnlight("detect", *scenes, "--out", tmp_path / "run", "--candidates", *options)
    assert done.exit_code == 0, done.output
    boxes = boxes_of(all_rows(tmp_path / "run"))
    col, _ = painted().grid.pixel(boxes.lon, boxes.lat)
    shared = boxes.take((col > 30) & (col < SIDE - 30)).corners().mean(axis=1)
    apart = np.hypot(*np.moveaxis(shared[:, None] - shared[None], -1, 0)) + np.eye(len(shared))
    assert (apart.min() < 1e-4) == doubled


def set_time(path, at):
    with rasterio.open(path, "r+") as data:
        data.update_tags(ACQUIRED_AT=at.isoformat())


def test_a_scene_without_a_valid_pixel_is_no_error(tmp_path):
    done = kilnlight("detect", write_blank(tmp_path / "night.tif"), "--out", tmp_path / "run")
    assert done.exit_code == 0
    assert "night.tif has no valid pixel" in done.output
    assert len(read_detections(tmp_path / "run" / "detections.parquet")) == 0
    assert set(read_coverage(tmp_path / "run" / "coverage.parquet")["state"]) == {"not_observed"}


def test_scene_ids_name_the_file_and_its_content(tmp_path):
    scene = write(tmp_path / "mine.tif")
    assert kilnlight("detect", scene, "--out", tmp_path / "run").exit_code == 0
    (one,) = open_run(tmp_path / "run").record.inputs
    assert one.scene_id == f"mine_{hashlib.sha256(scene.read_bytes()).hexdigest()[:8]}"


class TestOpenRun:
    """A folder counts only with a `run.json` that fits its files."""

    @pytest.fixture
    def run(self, folder, tmp_path):
        for path in folder.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        return tmp_path

    def test_without_run_json(self, run):
        (run / "run.json").unlink()
        with pytest.raises(InputError, match="no finished run"):
            open_run(run)

    def test_with_a_changed_table(self, run):
        (run / "coverage.parquet").write_bytes(b"PAR1")
        with pytest.raises(InputError, match="not the file"):
            open_run(run)

    def test_with_a_missing_table(self, run):
        (run / "detections.parquet").unlink()
        with pytest.raises(InputError, match="cannot be read"):
            open_run(run)

    @pytest.mark.parametrize(
        "change", [{"version": 1}, {"files": {"../../x": "0"}}, {"files": {}}, {"new": 1}]
    )
    def test_with_what_it_may_not_say(self, run, change):
        record = json.loads((run / "run.json").read_text())
        (run / "run.json").write_text(json.dumps({**record, **change}))
        with pytest.raises(InputError, match=r"run\.json"):
            open_run(run)
