"""The loop, once around, by the commands that docs/loop.md shows: on painted land, with simulated volunteers.

A kiln that nobody had labelled is found, queued, marked by volunteers, and is in the next run's labels with
its probability; a look-alike that fooled the model is there as a place without a kiln; a new model is trained
from them, measured on other land, and published.
"""

import json
import random
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from affine import Affine
from typer.testing import CliRunner

pytest.importorskip("torch")
pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1800)]

from app.cli.main import build  # noqa: E402
from app.services.labelling import LabellingDesk  # noqa: E402
from app.services.project import open_project  # noqa: E402
from detection.bundle import load_bundle, shipped_bundle_path  # noqa: E402
from geodata.labels.kilns import NO_PLACES, KilnLabels, Places  # noqa: E402
from geodata.labels.read import read_kilns  # noqa: E402
from geodata.labels.vectors import write_labels  # noqa: E402
from geodata.near import pairs_within  # noqa: E402
from geodata.obb import Boxes  # noqa: E402
from geodata.painter import PaintedScene, paint_scene, write_painted  # noqa: E402
from geodata.painter.volunteers import Habits, simulate_marks  # noqa: E402
from geodata.store.records import PictureMark  # noqa: E402
from geodata.tiles import tile_from_id, tile_ring  # noqa: E402

VOLUNTEERS = 4
NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
RUN = """
[data]
scenes = ["here.tif"]
labels = ["own.geojson", "answers.geojson", "mined.csv"]
[model]
name = "second round"
views = 1
[fit]
steps = 4
learning_rate = 1e-6
[crops]
size_px = 64
"""


def kilnlight(*arguments: object) -> str:
    result = CliRunner().invoke(build(), [str(a) for a in arguments], env={"COLUMNS": "300"})
    assert result.exit_code == 0, result.output
    return result.stdout


@dataclass(frozen=True)
class Answer:
    """As the labelling page sends it."""

    key: str
    token: str
    answer: str
    marks: tuple[PictureMark, ...]
    at: datetime

    def picture_marks(self) -> tuple[PictureMark, ...]:
        return self.marks

    def seen(self, now: datetime) -> datetime:
        return self.at


def elsewhere(painted: PaintedScene, east_m: float) -> PaintedScene:
    """The same picture on other ground."""
    grid = replace(painted.grid, transform=Affine.translation(east_m, 0) @ painted.grid.transform)
    kilns = painted.kilns
    lon, lat = grid.lonlat(*painted.grid.pixel(kilns.lon, kilns.lat))
    return replace(painted, grid=grid, kilns=Boxes(lon, lat, kilns.length_m, kilns.width_m, kilns.angle_deg))


def near(labels: KilnLabels, lon: float, lat: float, radius_m: float) -> KilnLabels:
    """The labels within a radius of a place."""
    places = (labels.boxes.lon, labels.boxes.lat)
    return labels.take(pairs_within((np.array([lon]), np.array([lat])), places, radius_m)[1])


def volunteers_answer(folder: Path, painted: PaintedScene) -> Counter[str]:
    """Simulated volunteers look at the pictures that the labelling page hands them; what they said.

    They see what is painted there: hits, slips and false alarms of `geodata.painter.volunteers`.
    """
    habits = Habits(volunteers=VOLUNTEERS, looks_per_tile=VOLUNTEERS, hit_rate=(0.9, 0.97))
    looks: dict[tuple[str, str], list[tuple[float, float]]] = {}
    said: dict[tuple[str, str], str] = {}
    for mark in simulate_marks(painted, 3, habits):
        key = (mark.volunteer_id, mark.tile_id)
        said[key] = mark.answer
        if mark.lon is not None and mark.lat is not None:
            looks.setdefault(key, []).append((mark.lon, mark.lat))
    given: Counter[str] = Counter()
    with open_project(folder) as project:
        desk = LabellingDesk(project, rng=random.Random(4), now=lambda: NOW + timedelta(days=1))
        with project.store.reading() as connection:
            tile_of = dict(connection.exec_driver_sql("SELECT token, tile_id FROM queue").all())
        for number in range(VOLUNTEERS):
            who = f"sim-{number + 1:02d}"
            for token in desk.next_tokens(who, 100, frozenset()):
                assert desk.picture(token) is not None
                tile = tile_of[token]
                # a tile at the scene's edge, most of which is not there
                answer = said.get((who, tile), "bad_image")
                (west, south), (east, north) = (tile_ring(tile_from_id(tile))[k] for k in (0, 2))
                marks = [
                    PictureMark((lon - west) / (east - west), (north - lat) / (north - south))
                    for lon, lat in looks.get((who, tile), [])
                ]
                assert desk.answer(who, Answer(token, token, answer, tuple(marks), NOW))
                given[answer] += 1
    return given


def labels_out(project: Path, out: Path) -> None:
    """What people said, as labels for the next run: polygons with a `probability`."""
    kilnlight("labels", "convert", project, out, "--answered")


def test_once_around(tmp_path: Path) -> None:
    project = tmp_path / "project"
    here = paint_scene(21, 512, 512, n_kilns=16)
    files = write_painted(here, tmp_path, "here")
    held_back = write_painted(elsewhere(paint_scene(22, 256, 256, n_kilns=8), 20_000), tmp_path, "there")
    # half of the kilns have no label yet
    truth = read_kilns(files.kilns)
    write_labels(tmp_path / "own.geojson", truth.take(np.arange(len(truth)) % 2 == 0))
    unlabelled = truth.take(np.arange(len(truth)) % 2 == 1)

    # detect and import: candidates are what the queue lives on
    kilnlight("detect", files.scene, "--out", tmp_path / "run", "--candidates", "--threads", 1)
    kilnlight("import", tmp_path / "run", "--project", project)

    # mine: look-alikes to learn, possible kilns to people
    said = kilnlight(
        "mine", files.scene, "--labels", tmp_path / "own.geojson", "--out", tmp_path / "mined.csv",
        "--to-people", project, "--threads", 1,
        # many kilns have no label here: people see all that counts as a detection
        "--possible-from", load_bundle(shipped_bundle_path()).card.threshold,
    )  # fmt: skip
    mined = pd.read_csv(tmp_path / "mined.csv")
    assert "per 1,000 km²" in said and "first in the queue" in said
    assert {"hard_negative", "possible_kiln"} == set(mined["kind"]), "this scene has both"

    # queue: a round with a random share
    said = kilnlight(
        "queue", "--project", project, "--tiles", 9, "--random-share", 0.3, "--seed", 1, "--scenes", tmp_path
    )
    assert "Round 2: " in said and "no picture" not in said

    # label: volunteers look at everything; each answer is merged at once
    given = volunteers_answer(project, here)
    assert given["kiln"] > 10 and given["none"] > 5
    labels_out(project, tmp_path / "answers.geojson")

    # a kiln without a label that volunteers marked is in the next labels with its probability
    answers = read_kilns(tmp_path / "answers.geojson")
    assert ((answers.probability > 0) & (answers.probability < 1)).all()
    found = [
        near(answers, *place, 60) for place in zip(unlabelled.boxes.lon, unlabelled.boxes.lat, strict=True)
    ]
    likely = [one for one in found if len(one) and one.probability.max() > 0.7]
    assert len(likely) >= len(unlabelled) / 2

    # train: the answers and what was mined are what the next net learns from
    (tmp_path / "RUN.toml").write_text(RUN)
    check_what_is_learnt(tmp_path, likely[0], mined)
    out = tmp_path / "second"
    kilnlight("train", tmp_path / "RUN.toml", "--out", out, "--init", shipped_bundle_path(), "--threads", 1)

    # evaluate on other land, publish, and use
    scored = json.loads(
        kilnlight(
            "evaluate", held_back.scene, "--labels", held_back.kilns, "--model", out / "bundle", "--json",
            "--threads", 1,
        )
    )  # fmt: skip
    new = load_bundle(out / "bundle")
    assert scored["model_id"] == new.model_id
    kilnlight(
        "models", "publish", out / "bundle", held_back.scene, "--labels", held_back.kilns,
        "--project", project, "--threads", 1, "--anyway", "a test trains for seconds",
    )  # fmt: skip
    assert "in use" in kilnlight("models", "list", "--project", project)
    kilnlight("detect", files.scene, "--model", project, "--out", tmp_path / "again", "--threads", 1)
    assert json.loads((tmp_path / "again" / "run.json").read_text())["model_id"] == new.model_id


def check_what_is_learnt(folder: Path, confirmed: KilnLabels, mined: pd.DataFrame) -> None:
    """The run file's labels hold the confirmed kiln softly; crops are drawn around what was mined."""
    from training.config import read_config
    from training.data import open_scenes, read_labels
    from training.false_alarms import FalseAlarmMemory
    from training.scenes import load

    def drawn_around(negatives: Places) -> tuple[int, float, float] | None:
        learnt = load(scene, replace(lesson, negatives=negatives))
        return FalseAlarmMemory.empty([learnt]).draw(np.random.default_rng(0))

    config = read_config(folder / "RUN.toml")
    labels = read_labels(config.data, folder)
    with ExitStack() as stack:
        (scene,) = open_scenes(config.data, folder, labels, stack).values()
        lesson = labels.lesson(scene.info.acquired_at)
        place, without = drawn_around(lesson.negatives), drawn_around(NO_PLACES)
    box = confirmed.boxes
    there = near(lesson.kilns, float(box.lon[0]), float(box.lat[0]), 1)
    assert there.probability.tolist() == confirmed.probability[:1].tolist()
    # what was mined is a place without a kiln, unless people have said something else of it
    hard = mined[mined["kind"] == "hard_negative"]
    none = lesson.negatives
    assert len(pairs_within((hard["lon"].to_numpy(), hard["lat"].to_numpy()), (none.lon, none.lat), 46)[0])
    col, row = scene.info.grid.pixel(none.lon, none.lat)
    assert place is not None and np.hypot(col - place[1], row - place[2]).min() < 32
    assert without is None, "without what was mined no crop begins at a false alarm"


def test_the_page_shows_every_command() -> None:
    page = (Path(__file__).parents[2] / "docs" / "loop.md").read_text(encoding="utf-8")
    for command in ("detect", "import", "mine", "queue", "app", "labels convert", "train", "evaluate"):
        assert f"kilnlight {command} " in page
    for command in ("models publish", "models list", "models use"):
        assert f"kilnlight {command}" in page
