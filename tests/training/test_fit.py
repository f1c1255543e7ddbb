"""The loop: repeatable, resumable, and honest about other settings."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from geodata.errors import InputError  # noqa: E402
from training.checkpoint import FILE, load_checkpoint, noted, save_checkpoint  # noqa: E402
from training.crops import CropOptions  # noqa: E402
from training.fit import FitOptions, fit, learning_rate, start  # noqa: E402
from training.identity import identity  # noqa: E402
from training.scenes import PixelBoxes, TrainingScene  # noqa: E402

CROPS = CropOptions(size_px=48)


def scenes() -> list[TrainingScene]:
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((3, 96, 96)).astype(np.float32)
    boxes = PixelBoxes(np.array([40.0]), np.array([50.0]), np.array([[6.0, 0.0]]), np.array([[0.0, 3.0]]))
    return [TrainingScene("s", pixels, np.ones((96, 96), np.float32), boxes)]


def options(**changes: object) -> FitOptions:
    return FitOptions(**{"steps": 6, "batch": 2, "checkpoint_every": 3, "threads": 1} | changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a net that has learnt for three steps; tests only read it."""
    folder = tmp_path_factory.mktemp("finished")
    fit(scenes(), folder, options(steps=3), CROPS)
    return folder


class Stopped(Exception):
    """The plug was pulled."""


def test_a_stopped_run_goes_on_to_the_very_same_weights(tmp_path):
    whole = fit(scenes(), tmp_path / "whole", options(), CROPS)

    def pull(step: int, *_: float) -> None:
        if step == 5:
            raise Stopped

    with pytest.raises(Stopped):
        fit(scenes(), tmp_path / "parts", options(), CROPS, report=pull)
    # how often to save may change on the way
    resumed = fit(scenes(), tmp_path / "parts", options(checkpoint_every=2), CROPS)
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    # steps that were run twice stand in the log once
    assert (tmp_path / "parts/log.csv").read_text() == (tmp_path / "whole/log.csv").read_text()
    assert (tmp_path / "parts/curves.png").read_bytes() == (tmp_path / "whole/curves.png").read_bytes()


def test_the_rate_falls_to_zero_in_each_cycle_from_half_the_height_the_next_time():
    o = options(steps=200, cycles=2, warm_up_share=0.05, learning_rate=2e-3)
    rates = np.array([learning_rate(step, o) for step in range(200)])
    assert rates[:100].max() == pytest.approx(2e-3) and rates[100:].max() == pytest.approx(1e-3)
    assert rates[99] < 1e-5 and rates[199] < 1e-5
    one = [
        learning_rate(step, options(steps=100, warm_up_share=0.05, learning_rate=2e-3)) for step in range(100)
    ]
    np.testing.assert_allclose(rates[:100], one)
    np.testing.assert_allclose(rates[100:], rates[:100] / 2)


def test_remembered_false_alarms_come_back_with_the_checkpoint(tmp_path):
    state = start(options(), scenes(), None)
    state.memory.remember(0, 50.0, 20.0, 0.9)
    settings = identity(options(), CROPS, scenes(), None)
    save_checkpoint(tmp_path, state, settings)
    again = start(options(), scenes(), None)
    load_checkpoint(tmp_path, again, settings)
    np.testing.assert_array_equal(again.memory.scores[0], state.memory.scores[0])
    assert again.memory.scores[0].max() == np.float32(0.9)


def test_given_weights_are_where_training_starts(tmp_path):
    given = fit(scenes(), tmp_path, options(steps=2), CROPS)
    state = start(options(seed=1), scenes(), given)
    assert all(torch.equal(v, given[k]) for k, v in state.net.state_dict().items())
    assert all(torch.equal(v, given[k]) for k, v in state.ema.module.state_dict().items())


def test_another_seed_gives_other_weights(tmp_path):
    one = fit(scenes(), tmp_path / "1", options(steps=2), CROPS)
    two = fit(scenes(), tmp_path / "2", options(steps=2, seed=1), CROPS)
    assert not torch.equal(one["stem.0.weight"], two["stem.0.weight"])


def moved() -> list[TrainingScene]:
    """The same pixels with the kiln a pixel further."""
    [scene] = scenes()
    return [replace(scene, kilns=replace(scene.kilns, col=scene.kilns.col + 1))]


def soft() -> list[TrainingScene]:
    """The same with a kiln that nobody is sure of."""
    [scene] = scenes()
    return [replace(scene, kilns=replace(scene.kilns, probability=np.array([0.6])))]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"options": options(steps=3, learning_rate=1e-4)},
            "fit.learning_rate was 0.002 and is 0.0001 now; put",
        ),
        ({"crops": replace(CROPS, gain=0.5)}, "crops.gain was 0.2 and is 0.5 now"),
        ({"scenes": moved()}, "the scene s has other kilns"),
        ({"scenes": soft()}, "the scene s has other kilns"),
        ({"scenes": [replace(scenes()[0], negatives=np.array([[9.0, 9.0]]))]}, "the scene s has other kilns"),
        ({"scenes": [*scenes(), replace(scenes()[0], name="t")]}, "the scene t is new"),
        ({"scenes": [replace(scenes()[0], pixels=scenes()[0].pixels[:1])]}, "bands was 3 and is 1 now"),
        ({"init": True}, "it started from no weights"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_what_differs(
    finished: Path, changes: dict[str, Any], said: str
) -> None:
    init = start(options(seed=3), scenes(), None).net.state_dict() if changes.get("init") else None
    with pytest.raises(InputError, match=said) as refused:
        fit(
            changes.get("scenes", scenes()),
            finished,
            changes.get("options", options(steps=3)),
            changes.get("crops", CROPS),
            init=init,
        )
    assert str(finished / FILE) in str(refused.value) and "\n" not in str(refused.value)


def test_what_does_not_change_the_weights_may_change(finished: Path) -> None:
    fit(scenes(), finished, options(steps=3, checkpoint_every=1, threads=2), CROPS)


def test_a_checkpoint_of_an_earlier_version_goes_on(finished: Path, tmp_path: Path) -> None:
    """It noted the options as two tables, and neither precision, data nor weights to start from."""
    with safe_open(finished / FILE, framework="pt") as file:
        notes = file.metadata()
        tensors = {k: file.get_tensor(k) for k in file.keys()}
    now, later = json.loads(notes["configuration"]), ("fit.precision", "fit.doubt_after_share")
    tables = [
        {k.split(".")[1]: v for k, v in now.items() if k.startswith(part) and k not in later}
        for part in ("fit.", "crops.")
    ]
    save_file(tensors, tmp_path / FILE, metadata=notes | {"configuration": json.dumps(tables)})
    fit(scenes(), tmp_path, options(steps=3), CROPS)
    with pytest.raises(InputError, match=r"fit.batch was 2 and is 3 now; put"):
        fit(scenes(), tmp_path, options(steps=3, batch=3), CROPS)
    with pytest.raises(InputError, match=r"fit.precision was fp32 and is bf16 now; put"):
        fit(scenes(), tmp_path, options(steps=3, precision="bf16"), CROPS)


def test_a_checkpoint_that_is_cut_short_is_named(finished: Path, tmp_path: Path) -> None:
    content = (finished / FILE).read_bytes()
    for size in (0, 5, len(content) // 2, len(content) - 1):
        (tmp_path / FILE).write_bytes(content[:size])
        with pytest.raises(InputError, match="cut short or broken") as refused:
            fit(scenes(), tmp_path, options(steps=3), CROPS)
        assert str(tmp_path / FILE) in str(refused.value) and "\n" not in str(refused.value)
        with pytest.raises(InputError, match="cut short or broken"):
            noted(tmp_path)


def test_a_net_says_how_far_it_has_come(finished: Path, tmp_path: Path) -> None:
    assert noted(finished).step == 3 and noted(finished).seconds > 0
    assert noted(tmp_path).step == 0


def test_bf16_trains_too_and_keeps_weights_in_full(tmp_path: Path) -> None:
    weights = fit(scenes(), tmp_path, options(steps=2, precision="bf16"), CROPS)
    assert {v.dtype for v in weights.values()} <= {torch.float32, torch.int64}
    assert all(torch.isfinite(v).all() for v in weights.values())
    full = fit(scenes(), tmp_path / "full", options(steps=2), CROPS)
    assert not torch.equal(weights["stem.0.weight"], full["stem.0.weight"])


def test_a_loss_that_is_no_number_ends_the_run_before_it_is_saved(tmp_path: Path) -> None:
    [scene] = scenes()
    scene.pixels[:] = np.nan
    with pytest.raises(InputError, match="The loss of step 1 is nan"):
        fit([scene], tmp_path, options(), replace(CROPS, blank_share=0), init=None)
    assert not (tmp_path / FILE).exists()


def test_curves_are_drawn_from_the_log(finished: Path) -> None:
    with Image.open(finished / "curves.png") as picture:
        assert picture.size == (900, 600)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


def test_the_log_has_a_line_a_step(tmp_path):
    fit(scenes(), tmp_path, options(steps=3), CROPS)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0].startswith("step,") and [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3"]
