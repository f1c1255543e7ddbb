"""training.log: a net's log files: a line a step, none twice and none missing; knows nothing of the net."""

import csv
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from geodata.errors import InputError
from geodata.files import write_bytes_atomic

STEPS, WATCHED, EVENTS = "log.csv", "watch.csv", "tensorboard"
STEP_COLUMNS = ("step", "heat_loss", "regression_loss", "learning_rate")
WATCHED_COLUMNS = ("step", "heat_loss", "regression_loss", "average_precision", "best_f1")


class Log:
    """`log.csv` and `watch.csv` in a net's folder and, if asked for, TensorBoard's event files.

    A run that goes on from a checkpoint takes out the lines behind it first: those steps run again.

    Raises:
        InputError: where a line cannot be written.
    """

    def __init__(self, folder: Path, step: int, tensorboard: bool = False) -> None:
        self._stack = ExitStack()
        self._steps = _Table(folder / STEPS, STEP_COLUMNS, step)
        self._watched = _Table(folder / WATCHED, WATCHED_COLUMNS, step)
        self._events = _events(folder / EVENTS, step) if tensorboard else None

    def step(self, step: int, heat: float, regression: float, rate: float) -> None:
        """One step's losses and learning rate."""
        self._steps.write([step, f"{heat:.5f}", f"{regression:.5f}", f"{rate:.3g}"])
        self._scalars("train", STEP_COLUMNS, (step, heat, regression, rate))

    def watched(self, step: int, figures: Sequence[float]) -> None:
        """Figures of what is held back, in the order of `WATCHED_COLUMNS`."""
        self._watched.write([step, *(f"{value:.4f}" for value in figures)])
        self._scalars("held_back", WATCHED_COLUMNS, (step, *figures))

    def _scalars(self, group: str, names: Sequence[str], values: Sequence[float]) -> None:
        if self._events is not None:
            for name, value in zip(names[1:], values[1:], strict=True):
                self._events.add_scalar(f"{group}/{name}", value, int(values[0]))

    def sync(self) -> None:
        """Bring all lines to the disk; a checkpoint must not be newer than its log."""
        for table in (self._steps, self._watched):
            table.sync()
        if self._events is not None:
            self._events.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._events is not None:
            self._events.close()


class _Table:
    """A CSV file that grows by whole lines; it is made with the first one."""

    def __init__(self, path: Path, columns: Sequence[str], step: int) -> None:
        self._path, self._columns = path, columns
        _cut(path, columns, step)

    def write(self, row: Sequence[object]) -> None:
        try:
            fresh = not self._path.exists()
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([self._columns, row] if fresh else [row])
        except OSError as error:
            raise InputError(
                f"{self._path} could not be written ({error.strerror}); make room and run the same command "
                "again, it goes on from the last checkpoint."
            ) from error

    def sync(self) -> None:
        if self._path.exists():
            with self._path.open("rb+") as file:
                os.fsync(file.fileno())


def _cut(path: Path, columns: Sequence[str], step: int) -> None:
    """Take out the lines behind a step, and one that was cut short when the plug was pulled."""
    if not path.exists():
        return
    if step == 0:
        path.unlink()
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    whole = [line for line in lines[1:] if line.endswith("\n") and line.split(",")[0].isdecimal()]
    kept = [line for line in whole if int(line.split(",")[0]) <= step]
    write_bytes_atomic(path, "".join([",".join(columns) + "\n", *kept]).encode())


def _events(folder: Path, step: int) -> Any:
    """A writer of TensorBoard's event files; it hides what an interrupted run wrote behind `step`."""
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError:
        raise InputError(
            "--tensorboard needs tensorboardX, which is not installed; install the extra `train` again, or "
            "leave the option out."
        ) from None
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
