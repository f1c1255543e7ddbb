"""geodata.painter.canvas: what is painted on, and soft-edged shapes on it; knows no colours."""

from dataclasses import dataclass

import numpy as np

from geodata.grid import Floats, Grid
from geodata.painter.land import Fields, Rng
from geodata.painter.statistics import Statistics


@dataclass(frozen=True)
class Stamp:
    """A window of the canvas and, for its pixels, metres along and across a box's axes."""

    rows: slice
    cols: slice
    along_m: Floats
    across_m: Floats

    @property
    def far_m(self) -> Floats:
        """Metres from the box's centre."""
        return np.hypot(self.along_m, self.across_m)

    def box_cover(self, length_m: float, width_m: float, corner_m: float = 0.0) -> Floats:
        """Share (0-1) of each pixel that a box with rounded corners covers."""
        x = np.abs(self.along_m) - (length_m / 2 - corner_m)
        y = np.abs(self.across_m) - (width_m / 2 - corner_m)
        outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) - corner_m
        distance_m = outside + np.minimum(np.maximum(x, y), 0)
        return np.asarray(np.clip(0.5 - distance_m / 10.0, 0, 1))


@dataclass(frozen=True)
class Canvas:
    """A scene while it is painted: its place, its fields and its log colours (3, height, width)."""

    grid: Grid
    fields: Fields
    colours: Floats
    stats: Statistics
    rng: Rng

    def stamp(self, col: float, row: float, angle_deg: float, reach_m: float) -> Stamp:
        """The window within `reach_m` of a pixel coordinate, in the frame of a turned box."""
        jacobian = self.grid.jacobian_m(col, row)[0]
        reach = int(np.ceil(reach_m / min(self.grid.pixel_size_m()))) + 1
        c0, c1 = max(0, int(col) - reach), min(self.grid.width, int(col) + reach + 1)
        r0, r1 = max(0, int(row) - reach), min(self.grid.height, int(row) + reach + 1)
        dc, dr = np.meshgrid(np.arange(c0, c1) + 0.5 - col, np.arange(r0, r1) + 0.5 - row)
        east, north = np.einsum("ij,jrc->irc", jacobian, np.stack([dc, dr]))
        turn = np.radians(angle_deg)
        along = east * np.cos(turn) + north * np.sin(turn)
        across = -east * np.sin(turn) + north * np.cos(turn)
        return Stamp(slice(r0, r1), slice(c0, c1), along, across)

    def under(self, place: Stamp) -> Floats:
        """The log colours in a stamp's window (a view)."""
        return self.colours[:, place.rows, place.cols]

    def lay(self, place: Stamp, cover: Floats, colour: Floats) -> None:
        """Mix a log colour, (3,) or (3, rows, cols), in, by the share that it covers."""
        layer = colour[:, None, None] if colour.ndim == 1 else colour
        under = self.under(place)
        under += cover * (layer - under)
