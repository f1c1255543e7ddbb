"""training.scenes: training scenes in memory, with kilns as boxes in pixels and what is not to be learnt."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detection.normalise import Normalisation, normalise
from geodata.grid import Floats, Grid
from geodata.labels.kilns import NO_PLACES, KilnLabels, Places
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
    probability: Floats = field(default_factory=lambda: np.empty(0))
    """Height of the heat that is to be learnt; 1 (the default) for a kiln that somebody is sure of."""
    size_known: Mask = field(default_factory=lambda: np.empty(0, np.bool_))
    """False (the default is True) where only the centre is learnt."""

    def __post_init__(self) -> None:
        for name, kind in (("probability", np.float64), ("size_known", np.bool_)):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.ones(len(self.col), kind))

    def take(self, index: NDArray[np.intp] | Mask) -> "PixelBoxes":
        """The boxes at an index or under a mask."""
        return PixelBoxes(
            self.col[index],
            self.row[index],
            self.along[index],
            self.across[index],
            self.probability[index],
            self.size_known[index],
        )


@dataclass(frozen=True)
class TrainingScene:
    """One scene, normalised, with what is to be learnt from it."""

    name: str
    pixels: NDArray[np.float32]
    """(bands, height, width), normalised."""
    weight: NDArray[np.float32]
    """(height, width): 0 where nothing may be learnt (invalid, ignored or held back), else 1."""
    kilns: PixelBoxes
    negatives: Floats = field(default_factory=lambda: np.empty((0, 2)))
    """(n, 2): (col, row) of places that are known to be none, to be shown like remembered false alarms."""


@dataclass(frozen=True)
class Lesson:
    """What labels teach of one scene; places anywhere, those outside the scene do no harm."""

    kilns: KilnLabels
    negatives: Places = NO_PLACES
    ignored: Places = NO_PLACES
    """Nothing is learnt within a radius of these."""


def to_pixels(labels: KilnLabels, grid: Grid) -> PixelBoxes:
    """Labels in the frame of a grid, through its local Jacobian."""
    boxes = labels.boxes
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
        labels.probability,
        labels.size_known,
    )


def discs(grid: Grid, lon: Floats, lat: Floats, radius_m: float) -> Mask:
    """Pixels of a grid that lie within a radius of any of the points."""
    out = np.zeros((grid.height, grid.width), dtype=bool)
    if not len(lon):
        return out
    col, row = grid.pixel(lon, lat)
    width_m, height_m = grid.pixel_size_m()
    reach = int(np.ceil(radius_m / min(width_m, height_m))) + 1
    near = (col > -reach) & (col < grid.width + reach) & (row > -reach) & (row < grid.height + reach)
    for c, r in zip(col[near], row[near], strict=True):
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
    lesson: Lesson,
    held_back: Mask | None = None,
    *,
    ignore_radius_m: float = 80.0,
    border_px: int = 0,
) -> TrainingScene:
    """Read and normalise a whole scene (training scenes fit in memory) and mask what is not to be learnt.

    Args:
        scene: an open scene.
        lesson: what the labels teach of it.
        held_back: (height, width), True where this fold may not look at all; kilns there are left out.
        ignore_radius_m: metres.
        border_px: nothing is learnt so near to the scene's border, where kilns that it cuts have no label.
    """
    grid = scene.info.grid
    patch = scene.read(Window(0, 0, grid.width, grid.height))
    valid = patch.valid if held_back is None else patch.valid & ~held_back
    valid &= inner(grid, border_px)
    weight = valid & ~discs(grid, lesson.ignored.lon, lesson.ignored.lat, ignore_radius_m)
    kilns, _ = _on(valid, grid, lesson.kilns.boxes.lon, lesson.kilns.boxes.lat)
    _, negatives = _on(valid, grid, lesson.negatives.lon, lesson.negatives.lat)
    # Normalised over all valid pixels, held-back ones included: detection sees them as surroundings too, and
    # no label enters here.
    pixels = normalise(patch.pixels, patch.valid, scene.stats(), NORMALISATION)
    return TrainingScene(
        scene.info.name,
        pixels,
        weight.astype(np.float32),
        to_pixels(lesson.kilns.take(kilns), grid),
        negatives,
    )


def inner(grid: Grid, border_px: int) -> Mask:
    """(height, width): True but for the pixels within `border_px` of the border."""
    out = np.ones((grid.height, grid.width), np.bool_)
    if border_px:
        out[:border_px] = out[-border_px:] = False
        out[:, :border_px] = out[:, -border_px:] = False
    return out


def _on(valid: Mask, grid: Grid, lon: Floats, lat: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Which places lie on valid pixels, and their (col, row)."""
    if not len(lon):
        return np.empty(0, np.intp), np.empty((0, 2))
    at = np.stack(grid.pixel(lon, lat), -1)
    size = (grid.width, grid.height)
    inside = np.flatnonzero(np.all((at >= 0) & (at < size), axis=1))
    col, row = np.floor(at[inside]).astype(int).T
    inside = inside[valid[row, col]]
    return inside, at[inside]
