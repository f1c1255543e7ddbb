"""The loop: repeatable, resumable, and honest about other settings."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.errors import InputError  # noqa: E402
from training.checkpoint import load_checkpoint, save_checkpoint  # noqa: E402
from training.crops import CropOptions  # noqa: E402
from training.fit import FitOptions, fit, learning_rate, start  # noqa: E402
from training.scenes import PixelBoxes, TrainingScene  # noqa: E402

CROPS = CropOptions(size_px=48)


def scenes() -> list[TrainingScene]:
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((3, 96, 96)).astype(np.float32)
    boxes = PixelBoxes(np.array([40.0]), np.array([50.0]), np.array([[6.0, 0.0]]), np.array([[0.0, 3.0]]))
    return [TrainingScene("s", pixels, np.ones((96, 96), np.float32), boxes)]


def options(**changes: object) -> FitOptions:
    return FitOptions(**{"steps": 6, "batch": 2, "checkpoint_every": 3, "threads": 1} | changes)  # type: ignore[arg-type]


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
    save_checkpoint(tmp_path, state, options(), CROPS)
    again = start(options(), scenes(), None)
    load_checkpoint(tmp_path, again, options(), CROPS)
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


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    fit(scenes(), tmp_path, options(steps=3), CROPS)
    with pytest.raises(InputError, match="other settings"):
        fit(scenes(), tmp_path, options(steps=3, learning_rate=1e-4), CROPS)


def test_the_log_has_a_line_a_step(tmp_path):
    fit(scenes(), tmp_path, options(steps=3), CROPS)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert lines[0].startswith("step,") and [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3"]
