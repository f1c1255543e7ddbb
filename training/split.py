"""training.split: labels read, scenes open, and which ground is learnt and scored in which part; no torch."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from detection.evaluate.lands import lands_of
from geodata.grid import Grid
from geodata.scene import Scene
from training import folds
from training.config import RunConfig
from training.data import Labels, border_px, open_scenes, read_labels
from training.folds import Fold
from training.scenes import Mask


@dataclass(frozen=True)
class Split:
    """How the ground of a run's scenes is parted."""

    grids: dict[str, Grid]
    """Of each scene, by name."""
    gap_px: int
    """Nothing is learnt so near to what is held back."""
    folds: list[Fold]
    held_out: Fold = field(default_factory=lambda: Fold({}))
    """Kept for a later test: neither learnt nor scored in any part."""
    borders: Mapping[str, int] = field(default_factory=dict)
    """How near to its border nothing of a scene is learnt or scored, in pixels; 0 for scenes left out."""

    def not_learnt(self, fold: Fold | None, name: str) -> Mask:
        """(height, width): True for what a fold (None: the final net) may not learn from, gaps included."""
        grid = self.grids[name]
        out = self.held_out.held_back(name, grid, self.gap_px)
        return out | fold.held_back(name, grid, self.gap_px) if fold else out

    def not_scored(self, fold: Fold, name: str) -> Mask:
        """(height, width): True for all but the fold's own ground; of that what is held out for good."""
        grid = self.grids[name]
        return ~fold.held_back(name, grid, 0) | self.held_out.held_back(name, grid, 0)

    def everything(self) -> Fold:
        """All ground that is not held out, as one fold."""
        return folds.everything(self.grids, self.held_out, self.borders)


@dataclass(frozen=True)
class Opened:
    """What a run file names."""

    labels: Labels
    scenes: dict[str, Scene]
    split: Split
    lands: dict[str, str | None]
    """Kind of land by scene."""


@contextmanager
def opened_data(config: RunConfig, base: Path) -> Iterator[Opened]:
    """Labels, open scenes and folds of a run file.

    Args:
        config: the checked run file.
        base: the folder that its paths start from.

    Raises:
        InputError: for labels, scenes, kinds of land or folds that cannot be used.
    """
    labels = read_labels(config.data, base)
    with ExitStack() as stack:
        scenes = open_scenes(config.data, base, labels, stack)
        named = ((land, pattern) for pattern, land in config.data.land.items())
        lands = dict(zip(scenes, lands_of(named, list(scenes)), strict=True))
        grids = {name: s.info.grid for name, s in scenes.items()}
        borders = {name: border_px(name, config.data) for name in scenes}
        split = Split(
            grids,
            config.folds.gap_px,
            folds.folds_of(config.folds, grids, base, borders),
            folds.held_out_of(config.folds, grids, base),
            borders,
        )
        yield Opened(labels, scenes, split, lands)
