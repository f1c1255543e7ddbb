"""The whole way on painted land: train for minutes, export, detect, score. A stub would fail every part."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.train, pytest.mark.slow]

from app.cli.main import build  # noqa: E402
from detection.bundle import GRAPH, WEIGHTS, load_bundle, write_card  # noqa: E402
from geodata.painter import paint_scene, write_painted  # noqa: E402
from training.export import export  # noqa: E402
from training.net import KilnNet  # noqa: E402

RUN = """
[data]
scenes = ["train/*.tif"]
labels = "train/{name}_kilns.geojson"
[model]
name = "painted"
views = 1
[fit]
steps = 320
batch = 8
ema_decay = 0.98
learning_rate = 4e-3
[crops]
size_px = 96
zoom_wide_share = 0
"""


def kilnlight(*arguments: object) -> str:
    result = CliRunner().invoke(build(), [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two painted scenes (no look-alikes: there are only minutes) and a bundle trained on the first."""
    folder = tmp_path_factory.mktemp("painted")
    for seed, part, size, kilns in ((11, "train", 832, 90), (12, "other", 576, 40)):
        painted = paint_scene(seed, width=size, height=size, n_kilns=kilns, with_look_alikes=False)
        write_painted(painted, folder / part)
    name = next((folder / "train").glob("*.tif")).stem
    (folder / "RUN.toml").write_text(RUN.format(name=name))
    kilnlight("train", folder / "RUN.toml", "--out", folder / "run", "--threads", 1)
    return folder


def scores(folder: Path, model: Path, labels: Path) -> dict[str, float]:
    scene = next((folder / "other").glob("*.tif"))
    answer = json.loads(kilnlight("evaluate", scene, "--labels", labels, "--model", model, "--json"))
    return next(r for r in answer["rows"] if r["radius_m"] == 100)


def test_minutes_of_training_find_painted_kilns(folder):
    # Wanted is .8. Two minutes of one core reach .68 (six minutes .74, look-alikes included), since painted
    # kilns are as faint as real ones. The bound tells a net that has learnt from one that has not.
    labels = next((folder / "other").glob("*_kilns.geojson"))
    assert scores(folder, folder / "run" / "bundle", labels)["f1"] >= 0.5


def test_the_score_is_low_where_the_labels_lie_elsewhere(folder):
    labels = json.loads(next((folder / "other").glob("*_kilns.geojson")).read_text())
    rng = np.random.default_rng(4)
    rings = np.array([f["geometry"]["coordinates"][0] for f in labels["features"]])
    low, high = rings.min((0, 1)), rings.max((0, 1))
    for feature, ring in zip(labels["features"], rings, strict=True):
        moved = ring - ring.mean(0) + rng.uniform(low, high)
        feature["geometry"]["coordinates"] = [moved.tolist()]
    path = folder / "moved.geojson"
    path.write_text(json.dumps(labels))
    assert scores(folder, folder / "run" / "bundle", path)["f1"] < 0.2


def test_random_weights_find_nothing(folder):
    torch.manual_seed(0)
    random = folder / "random"
    export(KilnNet().state_dict(), random, views=1)
    card = load_bundle(folder / "run" / "bundle").card
    write_card(random, card.model_copy(update={"name": "random"}))
    assert (random / GRAPH).exists() and (random / WEIGHTS).exists()
    labels = next((folder / "other").glob("*_kilns.geojson"))
    found = scores(folder, random, labels)["f1"]
    assert not found > 0.1  # also where it is NaN: nothing found
