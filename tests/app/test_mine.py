"""`kilnlight mine`: what fooled a model becomes labels; what looks like a kiln goes to people."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from make_project import SOUTH, WEST, boxes_of_kilns, some_kilns
from typer.testing import CliRunner

from app.cli.main import build
from app.services.mining import Known, Limits, MineRequest, mine_scenes
from app.services.project import Project
from detection.bundle import load_bundle, shipped_bundle_path
from geodata.labels.kilns import KilnLabels
from geodata.labels.read import read_kilns
from geodata.labels.vectors import write_labels
from geodata.obb import Boxes
from geodata.painter import paint_scene, write_painted
from geodata.tables.held_out import HELD_OUT, write_held_out
from geodata.tiles import tile_ids


@dataclass(frozen=True)
class Said:
    code: int
    text: str


def kilnlight(*arguments: object) -> Said:
    done = CliRunner().invoke(build(), [str(a) for a in arguments], env={"COLUMNS": "300"})
    return Said(done.exit_code, " ".join(done.output.split()))


def boxes_at(metres: list[tuple[float, float]]) -> Boxes:
    """Boxes of 100 x 50 m at metres east and north of a place in open sea."""
    at = np.array(metres, dtype=float).reshape(-1, 2)
    n = len(at)
    return Boxes(
        WEST + at[:, 0] / 107_550,
        SOUTH + at[:, 1] / 110_650,
        np.full(n, 100.0),
        np.full(n, 50.0),
        np.zeros(n),
    )


def labels_at(metres: list[tuple[float, float]], probability: float = 1.0) -> KilnLabels:
    boxes = boxes_at(metres)
    n = len(boxes)
    return KilnLabels(
        boxes, np.zeros(n, bool), np.full(n, "unknown", object), np.full(n, probability, dtype=float)
    )


KILNS = [(1000.0 * k, 0.0) for k in range(6)]
ALARMS = [(500.0, 2000.0), (1500.0, 2000.0), (2500.0, 2000.0)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of two folds: six hits (scores .5 to .9) and three false alarms."""
    folder = tmp_path / "run"
    shutil.copytree(shipped_bundle_path(), folder / "bundle")
    boxes = boxes_at([*KILNS, *ALARMS])
    score = np.array([0.5, 0.55, 0.6, 0.7, 0.8, 0.9, 0.95, 0.45, 0.1])
    n = len(score)
    table = gpd.GeoDataFrame(
        {
            "fold": np.array([1, 2] * n, np.int64)[:n],
            "scene": pd.Series(["a.tif"] * n, dtype="str"),
            "score": score.astype(np.float32),
            "probability": np.full(n, np.nan, np.float32),
            "outcome": pd.Series(["hit"] * 6 + ["false_alarm"] * 3, dtype="str"),
            "kiln": pd.Series([f"k{k}" for k in range(6)] + [None] * 3, dtype="str"),
            "distance_m": np.full(n, 5, np.float32),
            "length_m": boxes.length_m.astype(np.float32),
            "width_m": boxes.width_m.astype(np.float32),
            "angle_deg": boxes.angle_deg.astype(np.float32),
        },
        geometry=shapely.polygons(boxes.corners()),
        crs="EPSG:4326",
    )
    write_held_out(folder / HELD_OUT, table)
    areas = {(1, "a.tif"): 60.0, (2, "a.tif"): 20.0, (2, "empty.tif"): 20.0}
    regions = [{"fold": f, "scene": s, "observed_km2": km2} for (f, s), km2 in areas.items()]
    (folder / "report").mkdir()
    (folder / "report" / "report.json").write_text(json.dumps({"regions": regions}))
    write_labels(tmp_path / "kilns.geojson", labels_at(KILNS))
    return folder


def test_a_run_is_mined_without_running_a_model(run: Path, tmp_path: Path) -> None:
    out, look = tmp_path / "mined.csv", tmp_path / "look.csv"
    own = tmp_path / "kilns.geojson"
    said = kilnlight("mine", "--run", run, "--labels", own, "--out", out, "--to-people", look)
    assert said.code == 0, said.text
    assert "1 hard negatives (10.0 per 1,000 km²), scores from 0." in said.text
    assert "1 possible kilns without a label (10.0 per 1,000 km²), scores from 0.650; 6 labelled" in said.text
    table = pd.read_csv(out)
    assert table["kind"].tolist() == ["possible_kiln", "hard_negative"]
    assert table["score"].tolist() == [0.95, 0.45] and set(table["scene"]) == {"a.tif"}
    # it is a file of labels: nobody knows the one, and there is no kiln at the other
    read = read_kilns(out)
    assert np.isnan(read.probability[0]) and read.probability[1] == 0
    assert len(pd.read_csv(look)) == 1
    again = tmp_path / "again.csv"
    kilnlight("mine", "--run", run, "--labels", own, "--out", again)
    assert again.read_bytes() == out.read_bytes()


def test_what_people_said_is_heard(run: Path, tmp_path: Path) -> None:
    """A look-alike that they rejected is hard however strong; a kiln that they confirmed is none."""
    own, out = tmp_path / "kilns.geojson", tmp_path / "mined.csv"
    write_labels(tmp_path / "no.geojson", labels_at(ALARMS[:1], 0.0))
    kilnlight("mine", "--run", run, "--labels", own, "--labels", tmp_path / "no.geojson", "--out", out)
    assert pd.read_csv(out)["kind"].tolist() == ["hard_negative", "hard_negative"]
    write_labels(tmp_path / "soft.geojson", labels_at(ALARMS[:1], 0.8))
    kilnlight("mine", "--run", run, "--labels", own, "--labels", tmp_path / "soft.geojson", "--out", out)
    assert pd.read_csv(out)["score"].tolist() == [0.45]


def test_possible_kilns_go_first_in_a_projects_queue(project: Project, run: Path, tmp_path: Path) -> None:
    # the alarm of .95 on ground that the project has looked at
    place = boxes_of_kilns(some_kilns(12)[:1])
    rows = gpd.read_parquet(run / HELD_OUT)
    moved = Boxes(place.lon, place.lat, np.array([100.0]), np.array([50.0]), np.zeros(1)).corners()
    rows.loc[6, "geometry"] = shapely.Polygon(moved[0])
    write_held_out(run / HELD_OUT, rows)
    project.close()
    own, out = tmp_path / "kilns.geojson", tmp_path / "mined.csv"
    said = kilnlight("mine", "--run", run, "--labels", own, "--out", out, "--to-people", project.folder)
    assert said.code == 0 and "1 tiles are first in the queue" in said.text
    (tile,) = tile_ids(place.lon, place.lat)
    with project.store.reading() as connection:
        query = "SELECT tile_id, round, chance FROM queue WHERE round > 0"
        assert connection.exec_driver_sql(query).all() == [(tile, 1, 1.0)]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--out", "mined.txt"], "does not end with .csv"),
        (["--out", "m.csv"], "Name scenes"),
        (["a.tif", "--out", "m.csv", "--run", "x"], "Name scenes"),
        (["--run", "x", "--out", "m.csv"], "no held_out.parquet"),
        (["--run", "x", "--out", "m.csv", "--to-people", "nowhere"], "no kilnlight project"),
    ],
)
def test_bad_input_ends_with_one_sentence(
    wrong: list[str], told: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = kilnlight("mine", "--labels", "kilns.geojson", *wrong)
    assert said.code == 2 and told in said.text
    assert not (tmp_path / "m.csv").exists()


@pytest.mark.slow
def test_scenes_are_mined_wall_to_wall(tmp_path: Path) -> None:
    files = write_painted(paint_scene(21, 256, 256, n_kilns=8), tmp_path)
    truth = read_kilns(files.kilns)
    # no kiln but one is labelled: what the model finds at the others is found beside the labels
    write_labels(tmp_path / "one.geojson", truth.take(np.arange(1)))
    warnings: list[str] = []
    request = MineRequest((files.scene,), Known((tmp_path / "one.geojson",)), limits=Limits(at_least=0.05))
    found = mine_scenes(request, warnings.append, lambda done, total: None)
    threshold = load_bundle(shipped_bundle_path()).card.threshold
    assert found.possible_from == threshold, "one hit has no median"
    strong = found.mined.take(~found.mined.hard)
    gap_m = np.hypot(
        (strong.lon[:, None] - truth.boxes.lon) * 108_900, (strong.lat[:, None] - truth.boxes.lat) * 110_600
    )
    assert (gap_m.min(axis=0)[1:] < 60).sum() >= 2 and gap_m[:, 0].min() > 100
    assert any("does not say which ground" in warning or "has learnt from" in warning for warning in warnings)
