"""app.cli.training_bar: what `kilnlight train` shows on stderr while it learns; knows nothing of nets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Net(Protocol):
    """What is shown of a net before it learns."""

    @property
    def name(self) -> str:
        """Such as `fold1/seed0`."""

    @property
    def steps(self) -> int:
        """In all."""

    @property
    def done(self) -> int:
        """Steps that an earlier session made."""


class TrainingBar:
    """A bar for the whole run with the time left, and one for each net with its loss."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._whole: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}
        self._done: dict[str, int] = {}

    def plan(self, nets: Sequence[Net]) -> None:
        """Show all nets; steps of earlier sessions count as done."""
        self._done = {net.name: net.done for net in nets}
        done, steps = sum(self._done.values()), sum(net.steps for net in nets)
        self._whole = self._bar.add_task("whole run", total=steps, completed=done, loss="")
        for net in nets:
            self._tasks[net.name] = self._bar.add_task(
                net.name, total=net.steps, completed=net.done, loss="", start=False
            )
        if done:
            self.say(f"Going on: {done:,} of {steps:,} steps are done.")

    def step(self, net: str, step: int, loss: float) -> None:
        """One step was made."""
        if self._whole is None:
            return
        shown = f"loss {loss:.3f}"
        self._done[net] = step
        self._bar.start_task(self._tasks[net])
        self._bar.update(self._tasks[net], completed=step, loss=shown)
        self._bar.update(self._whole, completed=sum(self._done.values()), loss=shown)

    def say(self, text: str) -> None:
        """A line above the bars."""
        self._bar.console.print(escape(text), soft_wrap=True, highlight=False)


@contextmanager
def training_bar() -> Iterator[TrainingBar]:
    """Bars on stderr while the block runs."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        yield TrainingBar(bar)
