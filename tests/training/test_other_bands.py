"""Other bands than red, green and blue, the whole way to detections; twice to the same bytes."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from typer.testing import CliRunner

pytest.importorskip("torch")
pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.timeout(1800)]

from app.cli.main import build  # noqa: E402
from detection.bundle import load_bundle, shipped_bundle_path  # noqa: E402
from geodata.painter import paint_scene, write_painted  # noqa: E402

RUN = """
[data]
scenes = ["made_up.tif"]
labels = "made_up_kilns.geojson"
bands = {bands}
[model]
name = "bands"
views = 1
[fit]
steps = 8
batch = 2
learning_rate = 1e-4
ema_decay = 0.5
checkpoint_every = 5
[crops]
size_px = 64
"""


def kilnlight(*arguments: object) -> str:
    result = CliRunner().invoke(build(), [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def land(folder: Path, bands: tuple[str, ...]) -> Path:
    """A painted scene with these bands (nir is made of the others), and a run file beside it."""
    folder.mkdir()
    files = write_painted(paint_scene(3, 256, 256, n_kilns=12, with_look_alikes=False), folder)
    with rasterio.open(files.scene) as data:
        profile, (red, green, blue) = data.profile, data.read().astype(np.float32)
        tags = data.tags()
    made = {"red": red, "green": green, "blue": blue, "nir": 255 - 0.5 * red - 0.3 * blue}
    # else GDAL takes the fourth band of four of 8 bits for transparency
    profile |= {"count": len(bands), "photometric": "minisblack"}
    with rasterio.open(files.scene, "w", **profile) as data:
        data.update_tags(**tags)
        for number, name in enumerate(bands, 1):
            data.write(np.clip(made[name], 1, 255).astype(np.uint8), number)
            data.set_band_description(number, name)
    (folder / "RUN.toml").write_text(RUN.format(bands=json.dumps(bands)))
    return folder


def test_four_bands_started_from_three_end_in_the_same_bytes_twice(tmp_path: Path) -> None:
    bands = ("blue", "green", "red", "nir")
    folder = land(tmp_path / "four", bands)
    for name in "ab":
        kilnlight(
            *("train", folder / "RUN.toml", "--out", tmp_path / name, "--threads", 2),
            *("--init", shipped_bundle_path(), "--device", "cpu"),
        )
    one, two = tmp_path / "a" / "bundle", tmp_path / "b" / "bundle"
    for name in ("model.onnx", "model.safetensors"):
        assert (one / name).read_bytes() == (two / name).read_bytes(), name
    cards = [json.loads((b / "card.json").read_text()) for b in (one, two)]
    assert all(card.pop("created_at") for card in cards) and cards[0] == cards[1]
    assert load_bundle(one).card.bands == bands
    logs = [(tmp_path / name / "final/seed0/log.csv").read_bytes() for name in "ab"]
    assert logs[0] == logs[1]
    assert scored(folder, one, tmp_path / "found") > 0.3


def test_one_band_goes_the_whole_way(tmp_path: Path) -> None:
    folder = land(tmp_path / "one", ("red",))
    kilnlight(
        "train", folder / "RUN.toml", "--out", tmp_path / "a", "--threads", 1, "--init", shipped_bundle_path()
    )
    notes = json.loads((tmp_path / "a" / "training.json").read_text())
    assert notes["nets"]["final/seed0"]["steps"] == 8 and notes["nets"]["final/seed0"]["seconds"] > 0
    assert scored(folder, tmp_path / "a" / "bundle", tmp_path / "found") > 0


def scored(folder: Path, bundle: Path, out: Path) -> float:
    """F1 at 100 m on the very scene that was learnt: enough to see that bands are not mixed up."""
    scene, labels = folder / "made_up.tif", folder / "made_up_kilns.geojson"
    kilnlight("detect", scene, "--model", bundle, "--out", out)
    assert (out / "detections.parquet").stat().st_size > 0
    answer = json.loads(
        kilnlight("evaluate", scene, "--labels", labels, "--model", bundle, "--json", "--allow-training-data")
    )
    return float(next(row["f1"] for row in answer["rows"] if row["radius_m"] == 100))
