"""A run with folds: each part is scored by a net that has not learnt from it, and the bundle says so."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")
from safetensors.numpy import load_file

pytestmark = [pytest.mark.train, pytest.mark.slow]

from app.cli.main import build  # noqa: E402
from detection.bundle import (  # noqa: E402
    TrainingBlock,
    load_bundle,
    shipped_bundle_path,
    write_card,
)
from geodata.painter import paint_scene, write_painted  # noqa: E402
from geodata.tables.held_out import HELD_OUT, read_held_out  # noqa: E402

RUN = """
stages = [{ steps = 1, final_steps = 2, learning_rate = 1e-4, new_share = 0.25, crops = { size_px = 64 } }]
[data]
scenes = ["made_up.tif"]
labels = "made_up_kilns.geojson"
[model]
name = "short"
views = 1
[fit]
steps = 1
final_steps = 2
learning_rate = 1e-6
[crops]
size_px = 64
[folds]
gap_px = 20
parts = [
    [{ scene = "made_up.tif", columns = [0, 130] }],
    [{ scene = "made_up.tif", columns = [130, 256] }],
]
"""


def kilnlight(*arguments: object) -> str:
    result = CliRunner().invoke(build(), [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def steps_in(log: Path) -> list[int]:
    with log.open(newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def averaged(folder: Path) -> np.ndarray:
    """One tensor of the averaged weights in a checkpoint."""
    return load_file(folder / "checkpoint.safetensors")["ema.module.stem.1.weight"]


def test_a_run_with_folds_chooses_on_what_was_held_back_and_goes_on_where_it_was(tmp_path: Path) -> None:
    write_painted(paint_scene(3, 256, 256, n_kilns=12), tmp_path)
    (tmp_path / "RUN.toml").write_text(RUN)
    # weights that know kilns already, so that a step is enough for there to be something to score
    out, init = tmp_path / "out", shipped_bundle_path()
    command = ("train", tmp_path / "RUN.toml", "--out", out, "--init", init, "--threads", 1)

    said = kilnlight(*command, "--fold", 2)
    figures = json.loads((out / "fold2" / "figures.json").read_text())
    assert str(out / "fold2" / "figures.json") in said.replace("\n", "")
    assert not (out / "fold1").exists() and not (out / "bundle").exists()
    assert "1 held-out fold of" in figures[0]["protocol"]

    kilnlight(*command)
    card = load_bundle(out / "bundle").card
    assert card.name == "short" and "pooled over 2 held-out folds" in card.threshold_chosen
    assert f"({card.training_data[0].kilns} kilns" in card.figures[0].protocol
    assert card.training_data[0].kilns == 12 and np.isfinite(card.threshold)
    # the ground that was learnt stands in the card, and what the folds found beside the bundle
    assert [block.scene for block in card.training_data[0].blocks] == ["made_up.tif"]
    # and so does what the first weights had learnt from, under their licence
    began = load_bundle(init)
    assert card.training_data[1].blocks == began.card.training_data[0].blocks
    assert began.model_id in card.training_data[1].name and began.card.licence in card.licence
    assert "learnt from it; threshold" in card.figures[0].protocol
    assert card.figures[0].command == "kilnlight train RUN.toml --init kilnnet-delhi --out OUT"
    assert (out / "report" / "report.html").is_file() and (out / "report" / "report.json").is_file()
    assert set(read_held_out(out / HELD_OUT)["fold"]) == {1, 2}
    # the second fold was not learnt again
    logs = [steps_in(out / part / "seed0" / "log.csv") for part in ("fold1", "fold2", "final")]
    assert logs == [[1], [1], [1, 2]]
    # each net then went through the second stage, from the weights of the first, and it is what was exported
    logs = [steps_in(out / part / "seed0" / "stage2" / "log.csv") for part in ("fold1", "fold2", "final")]
    assert logs == [[1], [1], [1, 2]]
    nets = json.loads((out / "training.json").read_text())["nets"]
    assert {name: net["steps"] for name, net in nets.items() if "final" in name} == {
        "final/seed0": 2,
        "final/seed0/stage2": 2,
    }
    first, second = (averaged(out / "final" / "seed0" / stage) for stage in ("", "stage2"))
    exported = load_file(out / "bundle" / "model.safetensors")["0.stem.1.weight"]
    assert np.allclose(exported, 0.75 * first + 0.25 * second, atol=1e-7)
    assert not np.allclose(first, second, atol=1e-7) and np.allclose(first, second, atol=1e-3)
    _goes_on_from_nets_alone(tmp_path, command, out)


def _goes_on_from_nets_alone(tmp_path: Path, command: tuple[object, ...], out: Path) -> None:
    """Another folder with nothing but the second fold's net: it is scored, or learns what is new."""
    again = tmp_path / "again"
    kept = again / "fold2" / "seed0" / "net.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes((out / "fold2" / "seed0" / "net.safetensors").read_bytes())
    command = (*(again if part == out else part for part in command), "--fold", 2)
    kilnlight(*command)
    assert not list(again.rglob("log.csv")) and not list(again.rglob("checkpoint.safetensors"))
    first, second = (load_file(folder / "fold2" / "model.safetensors") for folder in (out, again))
    assert first.keys() == second.keys() and all((first[name] == second[name]).all() for name in first)
    nets = json.loads((again / "training.json").read_text())["nets"]
    assert {name: net["steps"] for name, net in nets.items()} == {"fold2/seed0": 1, "fold2/seed0/stage2": 1}

    run = tmp_path / "RUN.toml"
    text = RUN.replace("crops = { size_px = 64 } }]", "crops = { size_px = 64 } }, { steps = 1 }]")
    run.write_text(text)
    kilnlight(*command)
    assert [path.parent.name for path in again.rglob("log.csv")] == ["stage3"]
    run.write_text(text.replace("new_share = 0.25", "new_share = 0.5"))
    done = CliRunner().invoke(build(), [str(a) for a in command])
    assert done.exit_code == 2 and "new_share was 0.25 and is 0.5 now" in " ".join(done.output.split())


def test_a_check_tells_what_a_run_would_do_and_writes_nothing(tmp_path: Path) -> None:
    write_painted(paint_scene(3, 256, 256, n_kilns=12), tmp_path)
    (tmp_path / "RUN.toml").write_text(RUN)
    said = kilnlight("train", tmp_path / "RUN.toml", "--out", tmp_path / "out", "--threads", 1, "--check")
    assert "made_up.tif" in said and "12" in said and "s a step on" in said and "to go" in said
    rows = [line.split() for line in said.splitlines() if "fold" in line or "final" in line]
    assert [row[1] for row in rows] == ["fold1", "fold2", "final"]
    assert not (tmp_path / "out").exists()


def test_figures_on_ground_that_the_first_weights_have_learnt_from_say_so(tmp_path: Path) -> None:
    write_painted(paint_scene(3, 256, 256, n_kilns=12), tmp_path)
    (tmp_path / "RUN.toml").write_text(RUN)
    known = shutil.copytree(shipped_bundle_path(), tmp_path / "known")
    card = load_bundle(known).card
    data = card.training_data[0]
    world = ((-180, -89), (180, -89), (180, 89), (-180, 89), (-180, -89))
    everywhere = TrainingBlock(scene="all.tif", ring=world)
    for blocks, said in (((everywhere,), "that flatters"), ((), "does not tell on what ground")):
        data = data.model_copy(update={"blocks": blocks})
        write_card(known, card.model_copy(update={"training_data": (data,)}))
        out = tmp_path / said
        kilnlight(
            *("train", tmp_path / "RUN.toml", "--out", out, "--fold", 1, "--init", known, "--threads", 1)
        )
        figures = json.loads((out / "fold1" / "figures.json").read_text())
        assert f"it began from {card.name} {load_bundle(known).model_id}" in figures[0]["protocol"]
        assert said in figures[0]["protocol"]


def test_land_of_a_scene_that_there_is_not_is_refused_before_anything_is_learnt(tmp_path: Path) -> None:
    write_painted(paint_scene(3, 256, 256, n_kilns=12), tmp_path)
    (tmp_path / "RUN.toml").write_text(RUN + '\n[data.land]\n"other_*.tif" = "city"\n')
    command = ("train", tmp_path / "RUN.toml", "--out", tmp_path / "out", "--threads", 1)
    for more in ((), ("--check",)):
        done = CliRunner().invoke(build(), [str(a) for a in (*command, *more)])
        assert done.exit_code == 2 and "'city' is given for other_*.tif" in done.output
    assert not (tmp_path / "out").exists()


def test_a_fold_without_a_kiln_is_refused_before_anything_is_learnt(tmp_path: Path) -> None:
    write_painted(paint_scene(3, 256, 256, n_kilns=12), tmp_path)
    text = RUN.replace("[0, 130]", "[0, 2]").replace("[130, 256]", "[2, 256]")
    (tmp_path / "RUN.toml").write_text(text.replace("gap_px = 20", "gap_px = 0"))
    command = ("train", tmp_path / "RUN.toml", "--out", tmp_path / "out", "--threads", 1)
    done = CliRunner().invoke(build(), [str(a) for a in command])
    assert done.exit_code == 2
    assert "A split with no positives: fold 1 holds back" in done.output
    assert not (tmp_path / "out" / "fold1").exists()
