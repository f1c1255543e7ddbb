"""training.folds: which pixels of which scene each fold holds back; no torch, no files."""

from dataclasses import dataclass

import numpy as np

from geodata.errors import InputError
from geodata.grid import Floats, Grid
from training.config import Folds, Part
from training.scenes import Mask


@dataclass(frozen=True)
class Fold:
    """The parts of the scenes that one fold holds back: scene name -> columns (first, behind the last)."""

    spans: dict[str, tuple[int, int]]

    def held_back(self, name: str, grid: Grid, gap_px: int) -> Mask:
        """(height, width): True for the fold's own pixels and those within the gap beside them."""
        out = np.zeros((grid.height, grid.width), dtype=bool)
        if name in self.spans:
            first, last = self.spans[name]
            out[:, max(first - gap_px, 0) : last + gap_px] = True
        return out

    def owns(self, name: str, grid: Grid, lon: Floats, lat: Floats) -> Mask:
        """Which points lie in the fold's own part of a scene."""
        first, last = self.spans[name]
        col, row = grid.pixel(lon, lat)
        return np.asarray((col >= first) & (col < last) & (row >= 0) & (row < grid.height))

    def share(self, name: str, grid: Grid) -> float:
        """The share of the scene's area that the fold owns."""
        first, last = self.spans[name]
        return (min(last, grid.width) - first) / grid.width


def folds_of(config: Folds, grids: dict[str, Grid]) -> list[Fold]:
    """The folds of a run.

    Args:
        config: the run file's section.
        grids: the grid of each scene, by file name.

    Raises:
        InputError: for a scene that the run does not have, a part that is empty or held back twice.
    """
    seen: dict[str, list[tuple[int, int]]] = {}
    folds = []
    for number, parts in enumerate(config.parts, 1):
        spans: dict[str, tuple[int, int]] = {}
        for part in parts:
            span = _span(part, grids, number)
            if part.scene in spans:
                raise InputError(f"Fold {number} names {part.scene} twice; give one span of columns for it.")
            for first, last in seen.get(part.scene, []):
                if span[0] < last and first < span[1]:
                    raise InputError(
                        f"{part.scene} is held back twice, the second time in fold {number}; part it."
                    )
            seen.setdefault(part.scene, []).append(span)
            spans[part.scene] = span
        folds.append(Fold(spans))
    if len(folds) == 1:
        raise InputError("One fold holds everything back; give two folds or more, or none.")
    return folds


def _span(part: Part, grids: dict[str, Grid], number: int) -> tuple[int, int]:
    if part.scene not in grids:
        raise InputError(
            f"Fold {number} names the scene {part.scene}, which the run does not have; "
            f"it has {', '.join(sorted(grids))}."
        )
    width = grids[part.scene].width
    first, last = part.columns or (0, width)
    last = min(last, width)
    if first < 0 or first >= last:
        raise InputError(
            f"Fold {number}: columns {part.columns} of {part.scene} are empty; it is {width} px wide."
        )
    return first, last
