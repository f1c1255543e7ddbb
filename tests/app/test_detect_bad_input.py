"""Bad input to `detect`: one clear sentence each, exit code 2, and nothing half-written."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from full_disk import files_of_at_most
from painted_files import kilnlight, painted, write

from detection.bundle import shipped_bundle_path
from geodata.tables.run import open_run


def rewrite(path: Path, pixels: np.ndarray | None = None, **profile: object) -> Path:
    """The painted scene with another profile or other pixels, and no band names unless asked for."""
    with rasterio.open(write(path)) as data:
        settings, old = {**data.profile, **profile}, data.read()
    pixels = old if pixels is None else pixels
    settings.update(count=len(pixels), height=pixels.shape[1], width=pixels.shape[2], dtype=pixels.dtype)
    with rasterio.open(path, "w", **settings) as out:
        out.write(pixels)
    return path


def truncated(path):
    whole = write(path, side=192).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def text(path):
    path.write_text("no raster")
    return path


def pixel_of(metres):
    def make(path):
        return rewrite(path, crs="EPSG:32645", transform=Affine(metres, 0, 600_000, 0, -metres, 1_300_000))

    return make


BAD = {
    "not a raster": (text, "raster that can be read"),
    "truncated": (truncated, "cut short|do not decode"),
    "no CRS": (lambda p: rewrite(p, crs=None), "no coordinate reference system"),
    "metres in degrees": (
        lambda p: rewrite(p, transform=Affine(10, 0, 720_000, 0, -10, 3_170_000)),
        "look like metres",
    ),
    "over 180 degrees": (
        lambda p: rewrite(p, transform=Affine(9e-5, 0, 179.995, 0, -9e-5, 12)),
        "antimeridian",
    ),
    "missing band": (lambda p: rewrite(p, np.full((1, 64, 64), 9, np.uint8)), "band"),
    "small": (lambda p: rewrite(p, np.full((3, 12, 64), 9, np.uint8)), "at least 16"),
    "120 m": (pixel_of(120), "120.*8 to 12 m"),
    "not there": (lambda p: p, "no file"),
}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


def sentences(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("kilnlight: ")]


@pytest.mark.parametrize("make, says", BAD.values(), ids=BAD.keys())
def test_a_bad_scene_ends_with_one_sentence(tmp_path, out, make, says):
    scene = make(tmp_path / "scene.tif")
    done = kilnlight("detect", scene, "--out", out)
    assert done.exit_code == 2, done.output
    (sentence,) = sentences(done.output)
    assert re.search(says, sentence), sentence
    assert "scene.tif" in sentence and "Traceback" not in done.output
    assert not out.exists()


def test_all_problems_are_listed_before_any_scene_is_run(tmp_path):
    scenes = [make(tmp_path / f"{k}.tif") for k, (make, _) in enumerate(BAD.values())]
    (tmp_path / "file").write_text("")
    done = kilnlight("detect", *scenes, write(tmp_path / "good.tif"), "--out", tmp_path / "file")
    assert done.exit_code == 2
    listed = sentences(done.output)
    assert len(listed) == len(scenes) + 1
    assert "is a file, not a folder" in listed[-1]


def test_skip_bad_runs_the_good_and_names_the_others(tmp_path, out):
    bad, good = text(tmp_path / "bad.tif"), write(tmp_path / "good.tif")
    done = kilnlight("detect", bad, good, "--out", out, "--skip-bad")
    assert done.exit_code == 0, done.output
    record = open_run(out).record
    assert [one.name for one in record.inputs] == ["good.tif"]
    assert [one.name for one in record.skipped] == ["bad.tif"]
    assert record.skipped[0].problem.startswith("bad.tif is no raster")


def test_skip_bad_with_nothing_good_is_an_error(tmp_path, out):
    done = kilnlight("detect", text(tmp_path / "bad.tif"), "--out", out, "--skip-bad")
    assert done.exit_code == 2
    assert not out.exists()


def test_a_file_named_twice_and_an_empty_folder(tmp_path, out):
    scene = write(tmp_path / "scene.tif")
    (tmp_path / "empty").mkdir()
    done = kilnlight("detect", scene, tmp_path / "." / "scene.tif", tmp_path / "empty", "--out", out)
    assert done.exit_code == 2
    assert [word in done.output for word in ("named twice", "is empty")] == [True, True]


def test_two_copies_of_a_file_count_as_one_scene(tmp_path, out):
    scene = write(tmp_path / "scene.tif")
    shutil.copy(scene, tmp_path / "copy.tif")
    done = kilnlight("detect", scene, tmp_path / "copy.tif", "--out", out)
    assert done.exit_code == 0, done.output
    record = open_run(out).record
    assert [one.name for one in record.inputs] == ["scene.tif"]
    assert record.skipped[0].problem == "the same content as scene.tif"


def test_workable_input_works(tmp_path, out):
    """A constant band, a turned geotransform, a band without a name, NaN and infinite pixels."""
    constant = painted().pixels.copy()
    constant[1] = 77
    broken = painted().pixels.astype(np.float32)
    broken[:, :40, :40] = np.nan
    broken[0, 60, 60] = np.inf
    grid = painted().grid
    turned = grid.transform @ Affine.rotation(20, (64, 64))
    scenes = (
        rewrite(tmp_path / "constant.tif", constant),
        rewrite(tmp_path / "turned.tif", transform=turned),
        rewrite(tmp_path / "broken.tif", broken),
    )
    done = kilnlight("detect", *scenes, "--out", out, "--bands", "red,green,blue")
    assert done.exit_code == 0, done.output
    seen = {one.name: one.observed_km2 for one in open_run(out).record.inputs}
    assert seen["turned.tif"] == pytest.approx(seen["constant.tif"], rel=0.02)
    assert seen["broken.tif"] == pytest.approx(seen["constant.tif"] * (1 - 1601 / 128**2), rel=0.02)


@pytest.mark.parametrize(
    "options, says",
    [
        (["--acquired", "yesterday"], "2024-01-31"),
        (["--bands", "red,,blue"], "red,green,blue"),
        (["--model", "nowhere"], "card.json"),
    ],
)
def test_bad_options(tmp_path, out, options, says):
    done = kilnlight("detect", write(tmp_path / "scene.tif"), "--out", out, *options)
    assert done.exit_code == 2
    assert says in done.output and not out.exists()


def test_a_model_that_does_not_match_its_card(tmp_path, out):
    model = tmp_path / "model"
    shutil.copytree(shipped_bundle_path(), model)
    with (model / "model.onnx").open("ab") as file:
        file.write(b"x")
    done = kilnlight("detect", write(tmp_path / "scene.tif"), "--out", out, "--model", model)
    assert done.exit_code == 2
    assert "does not match its card" in done.output and not out.exists()


def test_a_graph_that_does_not_fit_its_card(tmp_path, out):
    model, junk = tmp_path / "model", b"no graph"
    for content, card in ((None, {"bands": ["red"]}), (junk, {})):
        shutil.rmtree(model, ignore_errors=True)
        shutil.copytree(shipped_bundle_path(), model)
        values = json.loads((model / "card.json").read_text()) | card
        if content is not None:
            (model / "model.onnx").write_bytes(content)
            values["files"]["model.onnx"] = hashlib.sha256(content).hexdigest()
        (model / "card.json").write_text(json.dumps(values))
        done = kilnlight("detect", write(tmp_path / "scene.tif"), "--out", out, "--model", model)
        assert done.exit_code == 2, done.output
        assert "does not run as its card says" in done.output and not out.exists()


def test_it_warns_outside_the_domain_and_of_an_unvalidated_product(tmp_path, out):
    scene = write(tmp_path / "scene.tif", at=None)
    done = kilnlight("detect", scene, "--out", out, "--acquired", "2023-05-02T05:00", "--product", "S2-L2A")
    assert done.exit_code == 0, done.output
    for reason in ("outside the area", "taken in May"):
        assert reason in done.output
    (one,) = open_run(out).record.inputs
    assert one.acquired_at.isoformat() == "2023-05-02T05:00:00+00:00"
    assert len(one.outside_domain) == 3


def damaged(path: Path) -> Path:
    """A scene of nine blocks, the last but one of them garbage."""
    with rasterio.open(write(path, side=192)) as data:
        settings, pixels = {**data.profile, "blockxsize": 64, "blockysize": 64, "predictor": 1}, data.read()
    with rasterio.open(path, "w", **settings) as out:
        out.write(pixels)
    with rasterio.open(path) as data:
        start = int(data.get_tag_item("BLOCK_OFFSET_1_2", "TIFF", bidx=1))
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * 64)
    return path


def test_a_block_that_does_not_decode(tmp_path, out):
    scene = damaged(tmp_path / "scene.tif")
    done = kilnlight("detect", scene, "--out", out, "--bands", "red,green,blue")
    assert done.exit_code == 2 and "--allow-damaged" in done.output
    assert not out.exists()
    done = kilnlight("detect", scene, "--out", out, "--bands", "red,green,blue", "--allow-damaged")
    assert done.exit_code == 0, done.output
    assert "11.11 % of its pixels do not decode" in done.output
    (one,) = open_run(out).record.inputs
    assert one.damaged_share == pytest.approx(1 / 9)


def test_what_fails_while_writing_leaves_the_older_run_whole(tmp_path, out):
    assert kilnlight("detect", write(tmp_path / "scene.tif"), "--out", out).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    scene = write(tmp_path / "other.tif", seed=4)
    whole = ("detect", scene, "--candidates", "--format", "geojson", "--out")
    assert kilnlight(*whole, tmp_path / "reference").exit_code == 0
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "reference").iterdir()}
    # some files of the new run fit, the largest does not
    assert sizes["detections.parquet"] < max(sizes.values())
    for folder in (out, tmp_path / "new"):
        with files_of_at_most(max(sizes.values()) - 1):
            done = kilnlight(*whole, folder)
        assert done.exit_code == 2, done.output
        assert sentences(done.output)[0].startswith("kilnlight: File too large; make room")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert not (tmp_path / "new").exists()


def test_nothing_good_left_after_reading_names_every_scene(tmp_path, out):
    bad, broken = text(tmp_path / "bad.tif"), damaged(tmp_path / "damaged.tif")
    done = kilnlight("detect", bad, broken, "--out", out, "--skip-bad", "--bands", "red,green,blue")
    assert done.exit_code == 2
    assert [name in done.output for name in ("bad.tif is no raster", "do not decode")] == [True, True]
    assert not out.exists()


def test_a_folder_in_the_place_of_a_table_is_refused_before_anything_is_run(tmp_path, out):
    scene = write(tmp_path / "scene.tif")
    assert kilnlight("detect", scene, "--out", out).exit_code == 0
    before = (out / "run.json").read_bytes()
    (out / "coverage.parquet").unlink()
    (out / "coverage.parquet").mkdir()
    done = kilnlight("detect", scene, "--out", out)
    assert done.exit_code == 2, done.output
    assert "coverage.parquet is a folder, where a file of the run has to be; move it away" in done.output
    assert sentences(done.output) and (out / "run.json").read_bytes() == before
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_ctrl_c_leaves_the_older_run_whole(tmp_path, out):
    scene, small = write(tmp_path / "scene.tif", side=768), write(tmp_path / "small.tif")
    assert kilnlight("detect", small, "--out", out).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    code = "from app.cli.main import run; run()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "detect", str(scene), "--out", str(out), "--threads", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a background shell may have switched the signal off
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stderr is not None
        assert "warning" in process.stderr.readline(), "it warns of the domain before it runs the scene"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    open_run(out)
