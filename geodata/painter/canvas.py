"""geodata.painter.canvas: what is painted on, and soft-edged shapes on it; knows no kilns."""

from dataclasses import dataclass

import numpy as np

from geodata.grid import Floats, Grid
from geodata.painter.statistics import Statistics

SOFT_M = 20.0
"""Width of a shape's edge: a pixel of 10 m and as much again for the sensor's blur."""


@dataclass(frozen=True)
class Stamp:
    """A window of a grid and, for its pixels, metres along and across a box's axes."""

    rows: slice
    cols: slice
    along_m: Floats
    across_m: Floats

    @property
    def far_m(self) -> Floats:
        """Metres from the box's centre."""
        return np.hypot(self.along_m, self.across_m)

    def box_cover(self, length_m: float, width_m: float) -> Floats:
        """Share (0-1) of a box's colour in each pixel; the edge is soft."""
        x, y = np.abs(self.along_m) - length_m / 2, np.abs(self.across_m) - width_m / 2
        distance_m = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0)
        return np.asarray(np.clip(0.5 - distance_m / SOFT_M, 0, 1))


def stamp(grid: Grid, col: float, row: float, angle_deg: float, reach_m: float) -> Stamp:
    """The window within `reach_m` of a pixel coordinate, in the frame of a turned box."""
    jacobian = grid.jacobian_m(col, row)[0]
    reach = int(np.ceil(reach_m / min(grid.pixel_size_m()))) + 1
    c0, c1 = max(0, int(col) - reach), max(0, min(grid.width, int(col) + reach + 1))
    r0, r1 = max(0, int(row) - reach), max(0, min(grid.height, int(row) + reach + 1))
    dc, dr = np.meshgrid(np.arange(c0, c1) + 0.5 - col, np.arange(r0, r1) + 0.5 - row)
    east, north = np.einsum("ij,jrc->irc", jacobian, np.stack([dc, dr]))
    turn = np.radians(angle_deg)
    along = east * np.cos(turn) + north * np.sin(turn)
    across = -east * np.sin(turn) + north * np.cos(turn)
    return Stamp(slice(r0, r1), slice(c0, c1), along, across)


def distance_m(grid: Grid, lon: Floats, lat: Floats, most: float = 1250.0) -> Floats:
    """Metres from each pixel to the nearest place, at most `most`, (height, width)."""
    out = np.full((grid.height, grid.width), most)
    for col, row in zip(*grid.pixel(lon, lat), strict=True):
        place = stamp(grid, float(col), float(row), 0.0, most)
        here = out[place.rows, place.cols]
        np.minimum(here, place.far_m, out=here)
    return out


@dataclass(frozen=True)
class Canvas:
    """A scene while it is painted: its place and its log colours (3, height, width)."""

    grid: Grid
    colours: Floats
    stats: Statistics
    rng: np.random.Generator

    def lay(self, place: Stamp, cover: Floats, colour: Floats) -> None:
        """Mix a log colour, (3,) or (3, rows, cols), in, by the share that it covers."""
        layer = colour[:, None, None] if colour.ndim == 1 else colour
        under = self.colours[:, place.rows, place.cols]
        under += cover * (layer - under)
