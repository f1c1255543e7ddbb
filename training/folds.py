"""training.folds: which ground of which scene each fold holds back, and which is held out for good; no torch.

Ground is a shape in a scene's pixels: a span of columns, or polygons of a file in any CRS, so that a fold's
ground is held back in every scene that shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from affine import Affine
from rasterio.features import geometry_mask
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.grid import Floats, Grid, metres_per_degree
from geodata.labels.split_files import HELD_OUT, TRAIN, UNUSED, read_ground, read_splits
from geodata.labels.vectors import TABLE
from geodata.tiles import footprint
from training.config import Folds, Part
from training.data import resolve
from training.scenes import Mask

_LONGEST_SIDE_DEG = 0.02
"""Straight sides in degrees bend in other CRSs; so short ones bend by less than a pixel."""
_AREA_DEG2 = 1e-10
"""About a square metre: polygons that only share a side overlap by less."""


@dataclass(frozen=True)
class Fold:
    """The ground that is held back together. Shapes are in pixels, (0, 0) at a scene's outer corner."""

    owned: Mapping[str, BaseGeometry]
    """Scene name -> its part of the scene, which is scored; scenes without one are left out."""
    ground: Mapping[str, BaseGeometry] = field(default_factory=dict)
    """Scene name -> what is not learnt, nor a gap around it; may reach beyond the scene; holds `owned`."""

    def kept_from(self, name: str, gap_px: int) -> BaseGeometry:
        """The shape in a scene's pixels that is not learnt: the ground and a gap around it."""
        return self.ground.get(name, shapely.Polygon()).buffer(gap_px, join_style="mitre")

    def held_back(self, name: str, grid: Grid, gap_px: int) -> Mask:
        """(height, width): True for the fold's own pixels and those within the gap beside them."""
        return _pixels_in(self.kept_from(name, gap_px), grid)

    def owned_pixels(self, name: str, grid: Grid) -> Mask:
        """(height, width): True for the pixels of the fold's own part of a scene."""
        return _pixels_in(self.owned[name], grid)

    def owns(self, name: str, grid: Grid, lon: Floats, lat: Floats) -> Mask:
        """Which points lie in the fold's own part of a scene."""
        # a point belongs where its pixel's centre does: no border of a part runs through one
        col, row = (np.floor(v) + 0.5 for v in grid.pixel(lon, lat))
        return np.asarray(shapely.contains_xy(self.owned[name], col, row), dtype=bool)

    def share(self, name: str, grid: Grid) -> float:
        """The share of the scene's area that the fold owns."""
        return float(self.owned[name].area / (grid.width * grid.height))


def _pixels_in(shape: BaseGeometry, grid: Grid) -> Mask:
    if shape.is_empty:
        return np.zeros((grid.height, grid.width), dtype=bool)
    mask = geometry_mask([shape], (grid.height, grid.width), Affine.identity(), invert=True)
    return np.asarray(mask, dtype=bool)


def folds_of(
    config: Folds, grids: dict[str, Grid], base: Path = Path(), border_px: Mapping[str, int] | None = None
) -> list[Fold]:
    """The folds of a run.

    Args:
        config: the run file's section.
        grids: the grid of each scene, by file name.
        base: the folder that the section's file starts from.
        border_px: how near to its border nothing of a scene is scored; 0 for scenes left out.

    Raises:
        InputError: for a scene that the run does not have, a part that is empty or held back twice, a file
            that cannot be used, or a fold that leaves nothing to learn from.
    """
    border = border_px or {}
    if config.file is None:
        folds = _of_parts(config, grids, border)
    else:
        named = read_ground(resolve(config.file, base), grids)
        _check_apart(named, config.file)
        folds = [
            _of_ground(shape, grids, config.gap_px, border)
            for name, shape in sorted(named.items(), key=lambda item: _natural(item[0]))
            if name not in (HELD_OUT, TRAIN, UNUSED)
        ]
    for number, fold in enumerate(folds, 1):
        if not fold.owned:
            raise InputError(f"Fold {number} holds back no ground of any scene; take it out of the run file.")
        if all(fold.kept_from(name, config.gap_px).covers(_frame(grid)) for name, grid in grids.items()):
            raise InputError(f"Fold {number} holds everything back; leave land to learn from, or no folds.")
    return folds


def held_out_of(config: Folds, grids: dict[str, Grid], base: Path = Path()) -> Fold:
    """What the section's file keeps for a later test: neither learnt nor scored by the run, in any fold."""
    if config.file is None:
        return Fold({})
    path = resolve(config.file, base)
    kept = _of_ground(read_ground(path, grids).get(HELD_OUT, shapely.Polygon()), grids, config.gap_px, {})
    whole = {}
    if path.suffix.lower() == TABLE:
        # pictures that lie too near to it are named, and are left out whole
        whole = {name: _frame(grids[name]) for name, split in read_splits(path).items() if split == UNUSED}
    return Fold(kept.owned, {**kept.ground, **whole})


def everything(grids: dict[str, Grid], held_out: Fold, border_px: Mapping[str, int] | None = None) -> Fold:
    """All ground that is not held out, as one fold."""
    inner = {name: _frame(grid, (border_px or {}).get(name, 0)) for name, grid in grids.items()}
    owned = {name: shape - held_out.kept_from(name, 0) for name, shape in inner.items()}
    return Fold({name: shape for name, shape in owned.items() if not shape.is_empty})


def _of_parts(config: Folds, grids: dict[str, Grid], border: Mapping[str, int]) -> list[Fold]:
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
        ground = {
            name: shapely.box(first, 0, last, grids[name].height) for name, (first, last) in spans.items()
        }
        folds.append(Fold(_inside(ground, grids, border), ground))
    return folds


def _of_ground(shape: BaseGeometry, grids: dict[str, Grid], gap_px: int, border: Mapping[str, int]) -> Fold:
    shape = shapely.segmentize(shape, _LONGEST_SIDE_DEG)
    shapely.prepare(shape)
    ground = {}
    for name, grid in grids.items():
        around = _around(grid, gap_px)
        if not shapely.intersects(shape, around):
            continue
        near = shapely.intersection(shape, around)
        ground[name] = _in_pixels(near, grid)
    return Fold(_inside(ground, grids, border), ground)


def _in_pixels(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    return shapely.transform(shape, lambda at: np.stack(grid.pixel(*at.T), -1))


def _around(grid: Grid, gap_px: int) -> shapely.Polygon:
    """Degrees: the scene's bounds and twice the gap, so that what is cut off beyond it cannot matter."""
    west, south, east, north = footprint(grid).bounds
    reach_m = 2 * (gap_px + 1) * max(grid.pixel_size_m())
    x, y = (reach_m / float(v) for v in metres_per_degree((south + north) / 2))
    return shapely.box(west - x, south - y, east + x, north + y)


def _inside(
    ground: Mapping[str, BaseGeometry], grids: dict[str, Grid], border: Mapping[str, int]
) -> dict[str, BaseGeometry]:
    inner = {name: shape & _frame(grids[name], border.get(name, 0)) for name, shape in ground.items()}
    return {name: shape for name, shape in inner.items() if shape.area > 0}


def _frame(grid: Grid, border_px: int = 0) -> shapely.Polygon:
    return shapely.box(border_px, border_px, grid.width - border_px, grid.height - border_px)


def _check_apart(named: dict[str, BaseGeometry], file: str) -> None:
    if file.lower().endswith(".csv"):
        return  # pictures may overlap: what one fold holds back is not learnt from another's picture
    names = sorted(set(named) - {TRAIN, UNUSED})
    for k, one in enumerate(names):
        for other in names[:k]:
            if shapely.intersection(named[one], named[other]).area > _AREA_DEG2:
                raise InputError(f"{file} holds ground back twice, in {other} and in {one}; part it.")


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (1 << 30, name)


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
