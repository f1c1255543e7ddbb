"""training.parts: how many kilns and how much land each fold holds back and learns from; reads no pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.obb import Boxes
from training.folds import Fold
from training.scenes import Mask


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


def count_parts(
    folds: Sequence[Fold], kilns: Boxes, grids: Mapping[str, Grid], gap_px: int
) -> list[PartCounts]:
    """Kilns (by their centres) and ground (clouds and nodata included) of each fold and of the final net.

    Args:
        folds: as the run file has them.
        kilns: those that are learnt, in degrees.
        grids: of each scene, by name.
        gap_px: what is masked beside a held-back part.
    """
    out = [_count(f"fold{n}", fold, kilns, grids, gap_px) for n, fold in enumerate(folds, 1)]
    return [*out, _count("final", Fold({}), kilns, grids, gap_px)]


def count_scenes(kilns: Boxes, grids: Mapping[str, Grid]) -> dict[str, Side]:
    """Kilns and ground of each scene, by name; as in `count_parts`."""
    everywhere = {name: np.ones((grid.height, grid.width), dtype=bool) for name, grid in grids.items()}
    return {
        name: Side(int(_at(everywhere[name], grid, kilns).sum()), grid.area_km2())
        for name, grid in grids.items()
    }


def _count(name: str, fold: Fold, kilns: Boxes, grids: Mapping[str, Grid], gap_px: int) -> PartCounts:
    held = {scene: fold.owns(scene, grids[scene], kilns.lon, kilns.lat) for scene in fold.spans}
    held_km2 = sum(grids[scene].area_km2() * fold.share(scene, grids[scene]) for scene in fold.spans)
    learnt, learnt_km2 = 0, 0.0
    for scene, grid in grids.items():
        free = ~fold.held_back(scene, grid, gap_px)
        learnt += int(_at(free, grid, kilns).sum())
        learnt_km2 += grid.area_km2() * float(free.mean())
    return PartCounts(
        name, Side(sum(int(h.sum()) for h in held.values()), held_km2), Side(learnt, learnt_km2)
    )


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
                " whole kiln; join it with another fold."
            )
