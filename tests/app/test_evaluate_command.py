"""`kilnlight evaluate`: figures that follow from known detections, and its bad inputs."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from painted_files import AT, SIDE, crop, kilnlight, painted, write
from rasterio.windows import Window

from app.services.run_output import RunOutput, write_output
from detection.bundle import load_bundle, shipped_bundle_path
from detection.coverage import Observed
from detection.pipeline import run_tables
from detection.scan import Detector, Scan
from geodata.obb import Boxes
from geodata.painter.write import truth_geojson
from geodata.sources.files import open_scene
from geodata.tables.run import RunInput
from geodata.tiles import observed_shares

BUNDLE = load_bundle(shipped_bundle_path())
THRESHOLD = BUNDLE.card.threshold
HIGH, LOW = (1 + THRESHOLD) / 2, (BUNDLE.card.candidate_floor + THRESHOLD) / 2


def boxes_at(*pixels: tuple[float, float]) -> Boxes:
    col, row = np.array(pixels, dtype=float).reshape(-1, 2).T
    lon, lat = painted().grid.lonlat(col, row)
    n = len(pixels)
    return Boxes(lon, lat, np.full(n, 120.0), np.full(n, 60.0), np.full(n, 30.0))


def write_labels(path: Path, kilns: Boxes, cut: tuple[int, ...] = ()) -> Path:
    labels = truth_geojson(kilns, "scene")
    for k in cut:
        labels["features"][k]["properties"]["cut_by_edge"] = True
    path.write_text(json.dumps(labels))
    return path


def write_run(folder: Path, scene: Path, boxes: Boxes, scores: list[float], candidates: bool = True) -> Path:
    with open_scene(scene) as opened:
        observed, info = Observed(observed_shares(opened)), opened.info
    found = Scan(info, boxes, np.array(scores), observed)
    one = RunInput(
        name=scene.name,
        sha256=info.sha256,
        scene_id=info.scene_id,
        acquired_at=info.acquired_at,
        product=info.product,
        bands=info.bands,
        pixel_size_m=(10, 10),
        made_up=True,
        observed_km2=observed.km2,
        damaged_share=0,
        outside_domain=(),
    )
    tables = run_tables([found], BUNDLE.card, BUNDLE.model_id)
    detector = Detector(BUNDLE.card, BUNDLE.model_id, net=None)  # type: ignore[arg-type]  # nothing is run
    write_output(folder, RunOutput(tables, (one,), {}, (), detector, candidates, geojson=False))
    return folder


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Path:
    """Five kilns: hit, missed, cut by an edge, under cloud, found only below the threshold."""
    base = tmp_path_factory.mktemp("evaluate")
    scene = write(base / "scene.tif")
    with rasterio.open(scene, "r+") as data:
        data.write(np.zeros((3, 40, 40), np.uint8), window=rasterio.windows.Window(88, 0, 40, 40))
    kilns = boxes_at((20, 20), (64, 64), (126, 70), (108, 20), (20, 64))
    write_labels(base / "kilns.geojson", kilns, cut=(2,))
    place = boxes_at((64, 20))
    (base / "places.csv").write_text(f"lon,lat,source\n{place.lon[0]},{place.lat[0]},list\n")
    # on the first kiln 20 m off; a second box on it; at the place; on the cut kiln; nowhere; a candidate
    found = boxes_at((22, 20), (20, 26), (64, 22), (125, 70), (64, 110), (20, 64))
    write_run(base / "run", scene, found, [HIGH, HIGH - 0.01, HIGH, HIGH, HIGH - 0.02, LOW])
    return base


def run_evaluate(case: Path, *more: object) -> dict:
    done = kilnlight(
        *("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--run", case / "run"),
        *("--json", *more),
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def row(result: dict, radius: float = 100.0, excused: bool = True) -> dict:
    rows = [r for r in result["rows"] if (r["radius_m"], r["unverified_places_excused"]) == (radius, excused)]
    assert len(rows) == 1
    return rows[0]


def test_figures_follow_from_the_matching(case):
    result = run_evaluate(case, "--ignore", case / "places.csv")
    assert len(result["rows"]) == 6
    at_100 = row(result)
    counts = {name: at_100[name] for name in ("kilns", "hits", "false_alarms", "excused")}
    assert counts == {"kilns": 3, "hits": 1, "false_alarms": 2, "excused": 2}
    assert at_100["precision"] == pytest.approx(1 / 3) and at_100["recall"] == pytest.approx(1 / 3)
    assert at_100["centre_error_m"] == pytest.approx(20, abs=0.5)
    assert at_100["average_precision"] == pytest.approx(1 / 3 + (2 / 4) / 3)
    # a tenth of the scene has no data
    size = painted().grid.area_km2()
    assert result["observed_km2"] == pytest.approx(size * (1 - 1600 / SIDE**2), rel=0.02)
    assert at_100["false_per_1000_km2"] == pytest.approx(2000 / result["observed_km2"])
    low, high = at_100["intervals_95"]["f1"]
    assert 0 <= low <= at_100["f1"] <= high <= 1


def test_what_a_run_found_in_another_clip_of_the_product_does_not_count(case, tmp_path):
    boxes = boxes_at((22, 20), (SIDE + 40, 20), (20, SIDE + 40))
    write_run(tmp_path / "run", case / "scene.tif", boxes, [HIGH, HIGH, HIGH])
    done = kilnlight(
        *("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--run", tmp_path / "run"),
        "--json",
    )
    at_100 = row(json.loads(done.stdout))
    assert (at_100["hits"], at_100["false_alarms"]) == (1, 0)


def test_a_tile_that_two_clips_of_a_product_share_is_ground_of_each_as_far_as_it_reaches(case, tmp_path):
    clips = [tmp_path / name for name in ("west.tif", "east.tif")]
    for k, clip in enumerate(clips):
        crop(write(tmp_path / "whole.tif", side=2 * SIDE), clip, Window(k * SIDE, 0, SIDE, 2 * SIDE))
        with rasterio.open(clip, "r+") as data:
            data.update_tags(PRODUCT_URI="S2A_ONE_PRODUCT")
    kilnlight("detect", *clips, "--out", tmp_path / "run", "--threads", 1)
    done = kilnlight(
        *("evaluate", *clips, "--labels", case / "kilns.geojson", "--run", tmp_path / "run", "--json")
    )
    assert done.exit_code == 0, done.output
    with open_scene(tmp_path / "whole.tif") as opened:
        whole = opened.info.grid.area_km2()
    assert json.loads(done.stdout)["observed_km2"] == pytest.approx(whole, rel=0.01)


def test_without_places_nothing_is_excused_there(case):
    result = run_evaluate(case, "--ignore", case / "places.csv")
    assert row(result, excused=False)["false_alarms"] == 3
    assert row(run_evaluate(case), excused=True)["false_alarms"] == 3


def test_it_prints_a_table_and_writes_what_a_person_can_look_at(case, tmp_path):
    done = kilnlight(
        *("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--run", case / "run"),
        *("--ignore", case / "places.csv", "--out", tmp_path / "out"),
    )
    assert done.exit_code == 0, done.output
    for text in ("1 of 3", "95 % intervals", "100 m", "Nothing excused"):
        assert text in done.output
    figures = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert figures == run_evaluate(case, "--ignore", case / "places.csv")
    points = json.loads((tmp_path / "out" / "outcomes.geojson").read_text())["features"]
    outcomes = sorted(p["properties"]["outcome"] for p in points)
    assert outcomes == ["excused"] * 2 + ["false_alarm"] * 2 + ["hit"] + ["missed"] * 2


def test_the_model_itself_is_run_without_a_run_folder(case):
    done = kilnlight("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["model_id"], result["threshold"]) == (BUNDLE.model_id, THRESHOLD)


def test_two_dates_of_one_place_are_two_looks(case, tmp_path):
    kilns = boxes_at((20, 20))
    labels = write_labels(tmp_path / "kilns.geojson", kilns)
    scenes = [write(tmp_path / f"{k}.tif", at=AT.replace(month=11 + k)) for k in (0, 1)]
    for scene in scenes:
        write_run(tmp_path / scene.stem, scene, kilns, [HIGH], candidates=False)
    done = kilnlight("evaluate", scenes[0], "--labels", labels, "--run", tmp_path / "0", "--json")
    assert row(json.loads(done.stdout))["f1"] == 1.0
    done = kilnlight("evaluate", *scenes, "--labels", labels, "--run", tmp_path / "0", "--json")
    assert done.exit_code == 2 and "not part of the run" in done.output


def test_scenes_of_one_time_are_one_look_though_only_the_user_knows_it(tmp_path):
    labels = write_labels(tmp_path / "kilns.geojson", boxes_at((20, 20)))
    scenes = write(tmp_path / "told.tif"), write(tmp_path / "untold.tif", at=None)
    run, time = tmp_path / "run", ("--acquired", AT.isoformat())
    assert kilnlight("detect", *scenes, "--out", run, *time).exit_code == 0
    for more, looks in (("--run", run), 1), (time, 1), ((), 2):
        done = kilnlight("evaluate", *scenes, "--labels", labels, "--json", *more)
        assert done.exit_code == 0, done.output
        assert row(json.loads(done.stdout))["kilns"] == looks


def far_labels(path):
    away = boxes_at((20, 20))
    return write_labels(path, Boxes(away.lon + 10, away.lat, away.length_m, away.width_m, away.angle_deg))


def lines(path):
    path.write_text(
        '{"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[88, 12],'
        " [88.1, 12]]}}"
    )
    return path


def broken(path):
    path.write_text("{")
    return path


@pytest.mark.parametrize(
    "labels, says",
    [
        (far_labels, "98.002.*88.000"),
        (lines, "row 1: it is a LineString, not one polygon or one point"),
        (broken, "cannot be read"),
        (lambda path: path, "no file"),
    ],
    ids=["elsewhere", "lines", "broken", "missing"],
)
def test_labels_that_cannot_be_used(case, tmp_path, labels, says):
    path = labels(tmp_path / "kilns.geojson")
    done = kilnlight("evaluate", case / "scene.tif", "--labels", path, "--run", case / "run")
    assert done.exit_code == 2
    said = [line for line in done.output.splitlines() if line.startswith("kilnlight: ")]
    assert re.search(says, said[0]), said


@pytest.mark.parametrize("text", ["x,y\n1,2\n", "lon,lat\n77,28\nhere,there\n", "lon,lat\n77,128\n", ""])
def test_places_that_cannot_be_used(case, tmp_path, text):
    (tmp_path / "places.csv").write_text(text)
    done = kilnlight(
        *("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--run", case / "run"),
        *("--ignore", tmp_path / "places.csv"),
    )
    assert done.exit_code == 2 and "places.csv" in done.output and "lon and lat" in done.output


def test_a_run_that_was_changed_is_refused(case, tmp_path):
    shutil.copytree(case / "run", tmp_path / "run")
    (tmp_path / "run" / "detections.parquet").write_bytes(b"")
    labels = case / "kilns.geojson"
    done = kilnlight("evaluate", case / "scene.tif", "--labels", labels, "--run", tmp_path / "run")
    assert done.exit_code == 2 and "not the file" in done.output
