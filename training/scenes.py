"""training.scenes: training scenes in memory, with kilns as boxes in pixels and what is not to be learnt."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.normalise import Normalisation, normalise
from geodata.grid import Floats, Grid
from geodata.obb import Boxes
from geodata.scene import Scene, Window

Mask = NDArray[np.bool_]

NORMALISATION = Normalisation()
"""How nets are trained now; it goes into their cards."""


@dataclass(frozen=True)
class PixelBoxes:
    """n boxes in pixels: centre, half axes as (col, row) vectors; float64."""

    col: Floats
    row: Floats
    along: Floats
    """(n, 2): half of the long side."""
    across: Floats
    """(n, 2): half of the short side."""

    def take(self, index: NDArray[np.intp] | Mask) -> "PixelBoxes":
        """The boxes at an index or under a mask."""
        return PixelBoxes(self.col[index], self.row[index], self.along[index], self.across[index])


@dataclass(frozen=True)
class TrainingScene:
    """One scene, normalised, with what is to be learnt from it."""

    name: str
    pixels: NDArray[np.float32]
    """(bands, height, width), normalised."""
    weight: NDArray[np.float32]
    """(height, width): 0 where nothing may be learnt (invalid, ignored or held back), else 1."""
    kilns: PixelBoxes


def to_pixels(boxes: Boxes, grid: Grid) -> PixelBoxes:
    """Ground boxes in the frame of a grid, through its local Jacobian."""
    col, row = grid.pixel(boxes.lon, boxes.lat)
    inverse = np.linalg.inv(grid.jacobian_m(col, row)) if len(boxes) else np.zeros((0, 2, 2))
    t = np.radians(boxes.angle_deg)
    along = np.stack([np.cos(t), np.sin(t)], -1) * (boxes.length_m / 2)[:, None]
    across = np.stack([-np.sin(t), np.cos(t)], -1) * (boxes.width_m / 2)[:, None]
    return PixelBoxes(
        np.atleast_1d(col),
        np.atleast_1d(row),
        np.einsum("nij,nj->ni", inverse, along),
        np.einsum("nij,nj->ni", inverse, across),
    )


def discs(grid: Grid, lon: Floats, lat: Floats, radius_m: float) -> Mask:
    """Pixels of a grid that lie within a radius of any of the points."""
    out = np.zeros((grid.height, grid.width), dtype=bool)
    col, row = grid.pixel(lon, lat)
    width_m, height_m = grid.pixel_size_m()
    reach = int(np.ceil(radius_m / min(width_m, height_m))) + 1
    for c, r in zip(np.atleast_1d(col), np.atleast_1d(row), strict=True):
        c0, c1 = max(int(c) - reach, 0), min(int(c) + reach + 1, grid.width)
        r0, r1 = max(int(r) - reach, 0), min(int(r) + reach + 1, grid.height)
        if c0 >= c1 or r0 >= r1:
            continue
        dx = (np.arange(c0, c1) + 0.5 - c) * width_m
        dy = (np.arange(r0, r1) + 0.5 - r) * height_m
        out[r0:r1, c0:c1] |= dx[None, :] ** 2 + dy[:, None] ** 2 <= radius_m**2
    return out


def load(
    scene: Scene,
    kilns: Boxes,
    ignore_lon: Floats,
    ignore_lat: Floats,
    held_back: Mask | None = None,
    *,
    ignore_radius_m: float = 80.0,
) -> TrainingScene:
    """Read and normalise a whole scene (training scenes fit in memory) and mask what is not to be learnt.

    Args:
        scene: an open scene.
        kilns: boxes to learn, anywhere; those outside the scene are left out.
        ignore_lon: longitudes of places to learn nothing from, within `ignore_radius_m`.
        ignore_lat: their latitudes.
        held_back: (height, width), True where this fold may not look at all; kilns there are left out.
        ignore_radius_m: metres.
    """
    grid = scene.info.grid
    patch = scene.read(Window(0, 0, grid.width, grid.height))
    valid = patch.valid if held_back is None else patch.valid & ~held_back
    weight = valid & ~discs(grid, ignore_lon, ignore_lat, ignore_radius_m)
    boxes = to_pixels(kilns, grid)
    col, row = np.floor(boxes.col).astype(int), np.floor(boxes.row).astype(int)
    inside = (col >= 0) & (col < grid.width) & (row >= 0) & (row < grid.height)
    inside[inside] = valid[row[inside], col[inside]]
    # Normalised over all valid pixels, held-back ones included: detection sees them as surroundings too, and
    # no label enters here.
    pixels = normalise(patch.pixels, patch.valid, scene.stats(), NORMALISATION)
    return TrainingScene(scene.info.name, pixels, weight.astype(np.float32), boxes.take(inside))
