"""training.parts: how many kilns and how much land each fold holds back and learns from; reads no pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.obb import Boxes
from training.data import Labels
from training.folds import Fold
from training.scenes import Mask, inner
from training.split import Split


@dataclass(frozen=True)
class Side:
    """One side of a split: what is held back, or what is learnt from."""

    kilns: int
    km2: float


@dataclass(frozen=True)
class PartCounts:
    """A fold, or `final`, which learns from everything and holds nothing back."""

    name: str
    held_back: Side
    learnt: Side


def count_parts(split: Split, labels: Labels) -> list[PartCounts]:
    """Kilns (centres, each once) and ground (clouds and nodata included) of each fold and of the final net.

    What is scored are kilns that somebody is sure of; what is learnt are soft labels too.
    """
    out = [_count(f"fold{n}", fold, split, labels) for n, fold in enumerate(split.folds, 1)]
    return [*out, _count("final", Fold({}), split, labels)]


def count_learnt(split: Split, labels: Labels) -> Side:
    """Kilns and ground that the final net learns from; as in `count_parts`."""
    return _count("final", Fold({}), split, labels).learnt


def count_scenes(kilns: Boxes, grids: Mapping[str, Grid]) -> dict[str, Side]:
    """Kilns and ground of each scene, by name; as in `count_parts`."""
    return {
        name: Side(int(_at(inner(grid, 0), grid, kilns).sum()), grid.area_km2())
        for name, grid in grids.items()
    }


def _count(name: str, fold: Fold, split: Split, labels: Labels) -> PartCounts:
    scored, taught = labels.whole, labels.taught
    held, learnt = np.zeros(len(scored), np.bool_), np.zeros(len(taught), np.bool_)
    held_km2 = learnt_km2 = 0.0
    for scene, grid in split.grids.items():
        if scene in fold.owned:
            held |= fold.owns(scene, grid, scored.lon, scored.lat)
            held_km2 += grid.area_km2() * fold.share(scene, grid)
        free = inner(grid, split.borders.get(scene, 0)) & ~split.not_learnt(fold, scene)
        learnt |= _at(free, grid, taught)
        learnt_km2 += grid.area_km2() * float(free.mean())
    return PartCounts(name, Side(int(held.sum()), held_km2), Side(int(learnt.sum()), learnt_km2))


def _at(mask: Mask, grid: Grid, kilns: Boxes) -> Mask:
    """Which kilns stand where the mask is True."""
    col, row = (np.floor(np.atleast_1d(v)).astype(int) for v in grid.pixel(kilns.lon, kilns.lat))
    out = (col >= 0) & (col < grid.width) & (row >= 0) & (row < grid.height)
    out[out] = mask[row[out], col[out]]
    return out


def check_positives(parts: Sequence[PartCounts]) -> None:
    """Refuse a run that would learn from nothing or be scored on nothing.

    Raises:
        InputError: for a split with no positives.
    """
    for part in parts:
        number = part.name.removeprefix("fold")
        if not part.learnt.kilns:
            where = "the scenes" if part.name == "final" else f"what fold {number} leaves to learn from"
            raise InputError(
                f"A split with no positives: {where} ({part.learnt.km2:,.0f} km²) has no whole kiln; give it"
                " some, or check the labels."
            )
        if part.name != "final" and not part.held_back.kilns:
            raise InputError(
                f"A split with no positives: fold {number} holds back {part.held_back.km2:,.0f} km² without a"
                " whole kiln; join it with another fold, or make folds with `kilnlight labels split --folds`."
            )
