"""Other detectors on the same folds: boxes along the axes, ground that teaches nothing, steady figures."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytestmark = pytest.mark.train

import torch  # noqa: E402

from geodata.errors import InputError  # noqa: E402
from geodata.painter import paint_scene, write_painted  # noqa: E402
from geodata.tables.held_out import HELD_OUT, read_held_out, write_held_out  # noqa: E402
from training.crops import CropOptions  # noqa: E402
from training.cut import Crop  # noqa: E402
from training.false_alarms import FalseAlarmMemory  # noqa: E402
from training.fit import FitOptions  # noqa: E402
from training.peers import fit as peer  # noqa: E402
from training.peers.__main__ import main as command  # noqa: E402
from training.peers.compare import RESULT, Result  # noqa: E402
from training.peers.lesson import hulls, target  # noqa: E402
from training.peers.look import _answers, fuse, on_the_ground  # noqa: E402
from training.peers.nets import Alarm, build, upsampled  # noqa: E402
from training.peers.tries import Try, read_tries  # noqa: E402
from training.scenes import PixelBoxes, TrainingScene  # noqa: E402

FCOS = Try("fcos", "fcos", "resnet18", 4, levels=(1,), channels=32, convs=1)
RETINANET = replace(FCOS, name="retinanet", detector="retinanet")
GRID = paint_scene(1, 64, 64, n_kilns=0).grid


def turned(col: float, row: float, length: float, width: float, angle: float) -> PixelBoxes:
    cos, sin = np.cos(angle), np.sin(angle)
    along, across = np.array([[cos, sin]]) * length / 2, np.array([[-sin, cos]]) * width / 2
    return PixelBoxes(np.array([col]), np.array([row]), along, across)


def crop_of(kilns: PixelBoxes, weight: torch.Tensor) -> Crop:
    return Crop(torch.zeros(3, *weight.shape), weight, kilns, 0, (0.0, 0.0), np.eye(2))


@given(st.floats(4, 20), st.floats(2, 10), st.floats(0, np.pi))
@settings(max_examples=30, deadline=None)
def test_a_hull_holds_the_turned_box_and_touches_it_on_each_side(
    length: float, width: float, angle: float
) -> None:
    kiln = turned(30, 40, length, width, angle)
    signs = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    corners = [30, 40] + signs[:, :1] * kiln.along + signs[:, 1:] * kiln.across
    np.testing.assert_allclose(hulls(kiln)[0], [*corners.min(0), *corners.max(0)], atol=1e-9)


def test_a_kiln_is_learnt_where_its_centre_may_be_and_left_out_elsewhere() -> None:
    weight = torch.ones(32, 32)
    weight[20:] = 0
    inside = target(crop_of(turned(10, 10, 12, 6, 0), weight), up=2)
    assert inside["boxes"].tolist() == [[8, 14, 32, 26]]
    assert not inside["ignore"][:20].any() and inside["ignore"][20:].all()
    masked = target(crop_of(turned(10, 25, 12, 6, 0), weight), up=2)
    assert masked["boxes"].shape == (0, 4) and masked["labels"].shape == (0,)
    doubtful = replace(turned(10, 10, 12, 6, 0), probability=np.array([0.3]))
    unsure = target(crop_of(doubtful, weight), up=2)
    assert unsure["boxes"].shape == (0, 4) and unsure["ignore"][7:13, 4:16].all()
    outside = target(crop_of(turned(-2, 10, 12, 6, 0), weight), up=2)
    assert outside["boxes"].shape == (0, 4)
    assert outside["ignore"][7:13, :4].all() and outside["ignore"][:20].sum() == 24


@pytest.mark.parametrize("one", [FCOS, RETINANET], ids=lambda one: one.name)
def test_ignored_ground_teaches_nothing_but_a_kiln_that_reaches_into_it_is_learnt(one: Try) -> None:
    net = build(one, 3)
    centres = torch.tensor([[6.0, 6.0], [22.0, 6.0], [22.0, 22.0], [6.0, 22.0]])
    anchors = [torch.cat([centres - 4, centres + 4], 1)]
    n, ignore = len(centres), torch.zeros(32, 32, dtype=torch.bool)
    ignore[:, 16:] = True
    # the kiln's box has its centre at the left and reaches over the second anchor
    lesson = {"boxes": torch.tensor([[0.0, 2.0, 26.0, 10.0]]), "labels": torch.zeros(1, dtype=torch.int64)}
    logits = torch.zeros(1, n, 1, requires_grad=True)
    heads = {
        "cls_logits": logits,
        "bbox_regression": torch.ones(1, n, 4),
        "bbox_ctrness": torch.zeros(1, n, 1),
    }
    counts = [[n]] if one.detector == "fcos" else []
    loss = net.compute_loss([{**lesson, "ignore": ignore}], heads, anchors, *counts)["classification"]
    loss.backward()
    learnt = logits.grad[0, :, 0].abs() > 1e-6
    assert learnt.tolist()[2:] == [False, True]
    assert not torch.isnan(loss) and learnt[:2].any()


def test_views_are_fused_into_means() -> None:
    box, score = torch.tensor([[10.0, 10.0, 22.0, 18.0]]), torch.tensor([0.8])
    none = torch.empty(0, 4), torch.empty(0)
    boxes, scores = fuse([(box, score)] * 4, 0.4)
    torch.testing.assert_close((boxes, scores), (box, score))
    boxes, scores = fuse([(box, score), none, none, none], 0.4)
    torch.testing.assert_close((boxes, scores), (box, score / 4))
    boxes, scores = fuse([(box, score), (box + 2, score / 2)], 0.4)
    torch.testing.assert_close((boxes, scores), (box + 2 / 3, score * 0.75))
    assert len(fuse([(box, score), (box + 20, score)], 0.4)[0]) == 2


class Brightest(torch.nn.Module):
    """Answers the box around all that is bright."""

    def forward(self, pixels: torch.Tensor) -> list[dict[str, torch.Tensor]]:
        rows, cols = torch.nonzero(pixels[0, 0] > 0.5, as_tuple=True)
        edges = [cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]
        return [{"boxes": torch.stack(edges)[None].float(), "scores": torch.ones(1)}]


@pytest.mark.parametrize("up", [1, 2, 3])
def test_every_view_answers_in_the_window_s_own_pixels(up: int) -> None:
    pixels = torch.zeros(1, 3, 32, 64)
    pixels[..., 5:9, 40:52] = 1
    answers = list(_answers(Brightest(), pixels, up, views=4))
    assert len(answers) == 4
    for boxes, _ in answers:
        torch.testing.assert_close(boxes, torch.tensor([[40.0, 5.0, 52.0, 9.0]]), atol=0.35, rtol=0)


@given(st.floats(10, 50), st.floats(10, 50), st.floats(4, 15), st.floats(4, 15))
@settings(max_examples=30, deadline=None)
def test_a_box_comes_back_from_the_ground(col: float, row: float, width: float, height: float) -> None:
    box = np.array([[col - width / 2, row - height / 2, col + width / 2, row + height / 2]])
    corners = on_the_ground(box, GRID).corners()[0]
    again = np.stack(GRID.pixel(corners[:, 0], corners[:, 1]), -1)
    np.testing.assert_allclose([*again.min(0), *again.max(0)], box[0], atol=0.05)


def painted_lesson(steps: int) -> peer.Lesson:
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((3, 64, 64)).astype(np.float32)
    pixels[:, 27:34, 26:38] += 3
    scene = TrainingScene("a", pixels, np.ones((64, 64), np.float32), turned(32, 30.5, 12, 7, 0))
    options = FitOptions(steps=steps, batch=2, checkpoint_every=2)
    return peer.Lesson([scene], FCOS, options, CropOptions(size_px=32))


def test_a_false_alarm_is_remembered_where_the_crop_was_cut_from() -> None:
    scene = painted_lesson(1).scenes[0]
    memory = FalseAlarmMemory.empty([scene])
    quarter_turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    crop = replace(crop_of(scene.kilns, torch.ones(32, 32)), centre=(30.0, 40.0), matrix=quarter_turn)
    # 8 right and 12 down of the crop's middle is 12 left and 8 down in the scene
    peer.remember(memory, [crop, replace(crop, scene=-1)], [Alarm(24, 28, 0.75), Alarm(0, 0, 1.0)])
    assert memory.scores[0].tolist() == [[0, 0], [0.75, 0]]


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path: Path) -> None:
    lesson = painted_lesson(4)
    whole = peer.fit(lesson, tmp_path / "whole").state_dict()

    def stop(step: int, _loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        peer.fit(lesson, tmp_path / "stopped", stop)
    again = peer.fit(lesson, tmp_path / "stopped").state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert peer.cpu_seconds(tmp_path / "stopped") > 0
    with pytest.raises(InputError, match="other settings"):
        peer.fit(replace(lesson, one=replace(FCOS, convs=2)), tmp_path / "stopped")


def test_the_tries_of_the_repository_can_be_built_and_see_up_sampled_input() -> None:
    tries = read_tries(Path(peer.__file__).parent / "TRIES.toml")
    assert len(tries.tries) >= 4 and (tries.base / tries.run).is_file()
    assert any(one.up > 1 for one in tries.tries)
    for one in tries.tries:
        net = build(one, 3).eval()
        with torch.inference_mode():
            answer = net(upsampled(torch.zeros(1, 3, 32, 32), one.up))[0]
        assert answer["boxes"].shape[1] == 4


def test_a_file_of_tries_with_a_mistake_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "TRIES.toml"
    path.write_text(
        'run = "RUN.toml"\n[[tries]]\nname = "a"\ndetector = "yolo"\nbackbone = "resnet18"\nsteps = 1'
    )
    with pytest.raises(InputError, match=r"tries\.0\.detector"):
        read_tries(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_tries(tmp_path / "none.toml")
    text = path.read_text().replace("yolo", "fcos")
    path.write_text(text + "\n" + text[text.index("[[") :])
    with pytest.raises(InputError, match="two tries of one name"):
        read_tries(path)


RUN = """
[data]
scenes = ["made_up.tif"]
labels = "made_up_kilns.geojson"
[model]
name = "painted"
views = 1
[crops]
size_px = 64
kiln_share = 0.7
hard_share = 0.2
zoom_wide_share = 0
[folds]
gap_px = 20
parts = [
    [{ scene = "made_up.tif", columns = [0, 320] }],
    [{ scene = "made_up.tif", columns = [320, 640] }],
]
"""
TRIES = """
run = "RUN.toml"
compare_folds = [1]
compare_share = 0.5
views = 2
[[tries]]
name = "fcos"
detector = "fcos"
backbone = "resnet18"
levels = [1, 2]
channels = 32
steps = 10
learning_rate = 2e-3
"""


@pytest.mark.slow
def test_the_command_trains_scores_and_reports_both(tmp_path: Path) -> None:
    write_painted(paint_scene(11, 640, 640, n_kilns=110, with_look_alikes=False), tmp_path)
    (tmp_path / "RUN.toml").write_text(RUN)
    (tmp_path / "TRIES.toml").write_text(TRIES)
    out = tmp_path / "out"
    command(tmp_path / "TRIES.toml", out)
    short = Result.model_validate_json((out / "compare" / "fcos" / RESULT).read_bytes())
    whole = Result.model_validate_json((out / "full" / "fcos" / RESULT).read_bytes())
    assert short.folds == (1,) and short.steps == 5
    assert whole.folds == (1, 2) and whole.views == 2 and min(whole.cpu_seconds) > 0
    assert whole.steps == 10 and np.isfinite(whole.value("f1"))
    # the peer's own detections stand for the own net's: then nothing differs
    (tmp_path / "run").mkdir()
    parts = [read_held_out(out / "full" / "fcos" / f"fold{k}" / "held_out_2_views.parquet") for k in (1, 2)]
    write_held_out(tmp_path / "run" / HELD_OUT, pd.concat(parts, ignore_index=True))
    command(tmp_path / "TRIES.toml", out, full="fcos", against=tmp_path / "run")
    report = json.loads((out / "report" / "report.json").read_text())
    differences = report["comparison"]["differences"]
    assert {one["name"] for one in differences} >= {"f1", "average_precision"}
    assert all(one["first"] == one["second"] for one in differences)
    # with another overlap the net is asked again, and another rate is another net
    note = out / "compare" / "fcos" / "fold1" / "held_out_1_views.json"
    before = note.read_text()
    (tmp_path / "TRIES.toml").write_text(TRIES + "nms_iou = 0.1\n")
    command(tmp_path / "TRIES.toml", out)
    assert note.read_text() != before
    (tmp_path / "TRIES.toml").write_text(TRIES.replace("2e-3", "1e-3"))
    with pytest.raises(InputError, match=r"learning_rate was 0\.002 and is 0\.001"):
        command(tmp_path / "TRIES.toml", out)
