"""Log files hold a line a step, whatever happened, and curves are drawn from them."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from tensorboardX.proto.event_pb2 import Event, SessionLog  # noqa: E402

from training.curves import smooth, thin  # noqa: E402
from training.log import Log  # noqa: E402

LINES = "step,heat_loss,regression_loss,learning_rate\n1,2.00000,1.00000,0.002\n2,2.00000,1.00000,0.002\n"


def write(folder: Path, *steps: int, after: int = 0, tensorboard: bool = False) -> str:
    with Log(folder, after, tensorboard) as log:
        for step in steps:
            log.step(step, 2.0, 1.0, 2e-3)
    return (folder / "log.csv").read_text()


@pytest.mark.parametrize("torn", ["", "3,2.0", "3,2.00000,1.00000,0.002\n4,2.", "\0\0\0", "3,2.0\r\n4"])
def test_lines_behind_the_checkpoint_and_half_lines_go(tmp_path: Path, torn: str) -> None:
    assert write(tmp_path, 1, 2) == LINES
    with (tmp_path / "log.csv").open("a") as file:
        file.write(torn)
    assert write(tmp_path, 3, after=2) == LINES + "3,2.00000,1.00000,0.002\n"


def test_a_run_without_a_checkpoint_begins_its_log_anew(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,heat_l")
    assert write(tmp_path, 1, 2) == LINES


def events(folder: Path) -> list[Event]:
    """The records of all event files in order: length (8 bytes), its checksum (4), an event, its checksum."""
    out = []
    for path in sorted((folder / "tensorboard").iterdir(), key=lambda p: p.stat().st_mtime_ns):
        content = path.read_bytes()
        while content:
            (size,) = struct.unpack("<Q", content[:8])
            out.append(Event.FromString(content[12 : 12 + size]))
            content = content[16 + size :]
    return out


def test_tensorboard_shows_each_step_once(tmp_path: Path) -> None:
    write(tmp_path, 1, 2, 3, tensorboard=True)
    write(tmp_path, 3, 4, after=2, tensorboard=True)
    shown: dict[int, list[str]] = {}
    for event in events(tmp_path):
        if event.session_log.status == SessionLog.START:
            # as TensorBoard does: a session that starts at a step takes back what was there from it on
            shown = {step: tags for step, tags in shown.items() if step < event.step}
        for value in event.summary.value:
            shown.setdefault(event.step, []).append(value.tag)
    tags = ["train/heat_loss", "train/regression_loss", "train/learning_rate"]
    assert shown == dict.fromkeys((1, 2, 3, 4), tags)


@settings(deadline=None)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=50), st.integers(1, 60))
def test_the_smoothed_curve_is_the_mean_of_the_last_values(values: list[float], width: int) -> None:
    got = smooth(np.array(values), width)
    want = [np.mean(values[max(k - width, 0) : k]) for k in range(1, len(values) + 1)]
    np.testing.assert_allclose(got, want, atol=1e-9)


@settings(deadline=None)
@given(st.integers(1, 5000))
def test_long_curves_are_thinned_and_keep_their_end(n: int) -> None:
    x, y = thin(np.arange(n), -np.arange(n))
    assert len(x) <= 800 and x[-1] == n - 1 and (y == -x).all() and (np.diff(x) > 0).all()
