"""training.false_alarms: places that fooled the net while it learnt, to be shown to it again."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.scenes import TrainingScene

CELL_PX = 32
"""Side of the cells in which false alarms are remembered."""
KNOWN_NEGATIVE = 0.5
"""A place that labels know to be none begins as a false alarm of this strength."""


@dataclass
class FalseAlarmMemory:
    """Per scene, the last strongest answer in each cell where no kiln is; filled while training goes on."""

    scores: list[NDArray[np.float32]] = field(default_factory=list)

    @classmethod
    def empty(cls, scenes: list[TrainingScene]) -> "FalseAlarmMemory":
        """Nothing remembered yet but the places that labels know to be none."""
        memory = cls([np.zeros([-(-n // CELL_PX) for n in s.weight.shape], np.float32) for s in scenes])
        for k, scene in enumerate(scenes):
            for col, row in scene.negatives:
                memory.remember(k, col, row, KNOWN_NEGATIVE)
        return memory

    def remember(self, scene: int, col: float, row: float, score: float) -> None:
        """Keep the score of the cell at a pixel."""
        cells = self.scores[scene]
        r = int(np.clip(row // CELL_PX, 0, cells.shape[0] - 1))
        c = int(np.clip(col // CELL_PX, 0, cells.shape[1] - 1))
        cells[r, c] = score

    def draw(self, rng: np.random.Generator, at_least: float = 0.15) -> tuple[int, float, float] | None:
        """A remembered place (scene, col, row), stronger ones more often; None if there is none."""
        cells = np.concatenate(
            [np.insert(np.argwhere(s > at_least), 0, k, axis=1) for k, s in enumerate(self.scores)]
        )
        if not len(cells):
            return None
        strength = np.concatenate([s[s > at_least] for s in self.scores])
        k, row, col = cells[int(rng.choice(len(cells), p=strength / strength.sum()))].tolist()
        return k, (col + 0.5) * CELL_PX, (row + 0.5) * CELL_PX
