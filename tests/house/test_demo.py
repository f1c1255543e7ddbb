"""The demo's way from end to end, with the shipped weights and with random ones."""

import json
from pathlib import Path

import pytest
from make_project import DAY, FakeScene, Kiln, write_run_folder

from app.cli.demo import refuse_second_scene, run_command, steps, summary
from app.services.project import open_project
from detection.bundle import load_bundle, shipped_bundle_path
from geodata.errors import InputError
from geodata.tables.run import open_run


def small(tmp_path: Path) -> list[list[str]]:
    """The demo's commands on a smaller scene."""
    paint, *others = steps(tmp_path, seed=3)
    return [[*paint, "--size", "384", "--kilns", "14"], *others]


def f1(evaluation: Path) -> float:
    rows = json.loads((evaluation / "evaluation.json").read_text())["rows"]
    return float(next(row["f1"] for row in rows if row["radius_m"] == 100))


def test_another_scene_does_not_come_into_the_same_project(tmp_path: Path) -> None:
    refuse_second_scene(tmp_path)
    scene = tmp_path / "painted" / "made_up.tif"
    scene.parent.mkdir()
    scene.write_bytes(b"one scene")
    write_run_folder(tmp_path / "run", [FakeScene("one", DAY, (Kiln(500, 500, 0.9),), file=scene)])
    refuse_second_scene(tmp_path)
    scene.write_bytes(b"that of another seed")
    with pytest.raises(InputError, match="holds the demo of another scene; name another folder with --out"):
        refuse_second_scene(tmp_path)


@pytest.mark.slow
def test_the_demo_runs_through_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    for step in small(tmp_path):
        run_command(step)
    assert open_run(tmp_path / "run").record.inputs[0].made_up
    evaluation = tmp_path / "project" / "evaluations" / "made_up"
    assert "plumbing, not the accuracy" in summary(evaluation / "evaluation.json")
    with open_project(tmp_path / "project") as project:
        first = project.store.counts()
    tables = [(tmp_path / "run" / name).read_bytes() for name in ("detections.parquet", "run.json")]
    for step in small(tmp_path):
        run_command(step)
    with open_project(tmp_path / "project") as project:
        assert project.store.counts() == first
    assert tables == [(tmp_path / "run" / name).read_bytes() for name in ("detections.parquet", "run.json")]
    assert first.candidates > 0


@pytest.mark.slow
@pytest.mark.train
def test_trained_weights_find_painted_kilns_and_random_ones_do_not(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from detection.bundle import write_card
    from training.export import export, load_weights

    shipped = load_bundle(shipped_bundle_path())
    torch.manual_seed(1)
    trained = load_weights(shipped.weights_path)
    # the same mean and spread in each tensor, so that nothing but what was learnt is gone
    shuffled = [
        {k: v.flatten()[torch.randperm(v.numel())].reshape(v.shape) for k, v in net.items()}
        for net in trained
    ]
    export(shuffled, tmp_path / "random")
    write_card(tmp_path / "random", shipped.card)

    paint, *_ = small(tmp_path)
    run_command(paint)
    scene, truth = (str(tmp_path / "painted" / f"made_up{end}") for end in (".tif", "_kilns.geojson"))
    evaluate = ["evaluate", scene, "--labels", truth, "--out"]
    run_command([*evaluate, str(tmp_path / "trained_score")])
    run_command([*evaluate, str(tmp_path / "random_score"), "--model", str(tmp_path / "random")])
    assert f1(tmp_path / "random_score") < 0.1
    assert f1(tmp_path / "trained_score") > f1(tmp_path / "random_score") + 0.1
