"""training.progress: what a run tells while it learns; knows nothing of terminals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class NetPlan:
    """One net of a run: its name (`fold1/seed0`), its steps, and how many are done already."""

    name: str
    steps: int
    done: int


class Progress(Protocol):
    """Is told of the run."""

    def plan(self, nets: Sequence[NetPlan]) -> None:
        """All nets, before the first step."""

    def step(self, net: str, step: int, loss: float) -> None:
        """A step was made."""

    def say(self, text: str) -> None:
        """One line for the person who waits."""
