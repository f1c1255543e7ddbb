"""A run that is killed, or that meets a full disk, goes on to the very same end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
# its child imports torch anew, which takes long where the cores are not its own
pytestmark = [pytest.mark.train, pytest.mark.timeout(1800)]

from full_disk import files_of_at_most  # noqa: E402
from test_fit import CROPS, Stopped, options, scenes  # noqa: E402

from geodata.errors import InputError  # noqa: E402
from training.checkpoint import FILE, noted  # noqa: E402
from training.fit import fit  # noqa: E402

POINTS = {
    # where the plug is pulled -> steps that the last checkpoint holds (there is one at 3 and at 6)
    "after step 2": 0,
    "after step 5": 3,
    "the log has step 6, the checkpoint has not": 3,
    "the checkpoint of step 6 is half written": 3,
    "the log of step 5 is half written": 3,
}
HERE = Path(__file__).parent
CHILD = """
import os, signal, sys
from pathlib import Path
import training.checkpoint, training.fit, training.log
from test_fit import CROPS, options, scenes

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def learn(point, folder):
    report = None
    if point.startswith("after step"):
        report = lambda step, *_: step == int(point[-1]) and die()
    elif point.startswith("the log has"):
        save = training.fit.save_checkpoint
        training.fit.save_checkpoint = lambda *a: die() if a[1].step == 6 else save(*a)
    elif point.startswith("the checkpoint"):
        whole = training.checkpoint.save_file
        def half(tensors, path, metadata):
            whole(tensors, path, metadata=metadata)
            if metadata["step"] == "6":
                os.truncate(path, 1000)
                die()
        training.checkpoint.save_file = half
    else:
        whole = training.log.Log.step
        def half(log, step, *values):
            whole(log, step, *values)
            if step == 5:
                os.truncate(folder / "log.csv", (folder / "log.csv").stat().st_size - 9)
                die()
        training.log.Log.step = half
    training.fit.fit(scenes(), folder, options(), CROPS, report=report)

for number, point in enumerate(sys.argv[2:]):
    # a fork before torch has started any thread costs no second import
    child = os.fork()
    if child == 0:
        learn(point, Path(sys.argv[1]) / str(number))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, point
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_run_goes_on_to_the_very_same_weights_and_log(tmp_path: Path) -> None:
    path = os.pathsep.join([str(HERE.parents[1]), str(HERE), str(HERE.parent)])
    environment = {**os.environ, "PYTHONPATH": path}
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), *POINTS],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == 0, killed.stderr
    whole = fit(scenes(), tmp_path / "whole", options(), CROPS)
    log = (tmp_path / "whole/log.csv").read_text()
    assert [line.split(",")[0] for line in log.splitlines()] == ["step", *"123456"]
    for number, (point, steps) in enumerate(POINTS.items()):
        folder = tmp_path / str(number)
        assert noted(folder).step == steps, point
        resumed = fit(scenes(), folder, options(), CROPS)
        assert all(torch.equal(whole[k], resumed[k]) for k in whole), point
        assert (folder / "log.csv").read_text() == log, point
        assert {p.name for p in folder.iterdir()} == {FILE, "log.csv", "curves.png"}, point


def test_a_full_disk_loses_nothing_but_the_steps_since_the_last_checkpoint(tmp_path: Path) -> None:
    whole = fit(scenes(), tmp_path / "whole", options(steps=4, checkpoint_every=2), CROPS)
    folder = tmp_path / "full"

    def pull(step: int, *_: float) -> None:
        if step == 3:
            raise Stopped

    with pytest.raises(Stopped):
        fit(scenes(), folder, options(steps=4, checkpoint_every=2), CROPS, report=pull)
    before = (folder / FILE).read_bytes()
    with files_of_at_most(100_000), pytest.raises(InputError) as refused:
        fit(scenes(), folder, options(steps=4, checkpoint_every=2), CROPS)
    said = str(refused.value)
    assert "of step 4 could not be written" in said and "the one before it is whole" in said
    assert "\n" not in said and str(folder / FILE) in said
    assert (folder / FILE).read_bytes() == before and noted(folder).step == 2
    assert {p.name for p in folder.iterdir()} == {FILE, "log.csv", "curves.png"}  # nothing half-written
    resumed = fit(scenes(), folder, options(steps=4, checkpoint_every=2), CROPS)
    assert all(torch.equal(whole[k], resumed[k]) for k in whole)
    assert (folder / "log.csv").read_text() == (tmp_path / "whole/log.csv").read_text()


def test_a_log_that_cannot_grow_is_named(tmp_path: Path) -> None:
    with (
        files_of_at_most(80),
        pytest.raises(InputError, match=r"log.csv could not be written \(File too large\)"),
    ):
        fit(scenes(), tmp_path, options(), CROPS)
    assert signal.getsignal(signal.SIGXFSZ) is signal.SIG_IGN  # as Python sets it: an error, no kill
