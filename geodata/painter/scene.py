"""geodata.painter.scene: paints one whole scene in memory; writes no file."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from geodata.grid import Floats, Grid
from geodata.obb import Boxes
from geodata.painter.canvas import Canvas, distance_m
from geodata.painter.kilns import lay_kilns, place_kilns
from geodata.painter.land import paint_land
from geodata.painter.look_alikes import lay_look_alikes
from geodata.painter.statistics import load

SEA_LON, SEA_LAT = 88.0, 12.0
"""Open water in the Bay of Bengal, more than 500 km from any coast: no real place is meant."""
COLUMNS, ROWS, APART_DEG, APART_M = 10, 8, 0.25, 27_000
"""Scenes at other places lie to the west and south of it, more than 400 km from any coast."""


@dataclass(frozen=True)
class PaintedScene:
    """A made-up scene with its truth."""

    pixels: NDArray[np.uint8] | NDArray[np.uint16]
    """(3, height, width): red, green, blue."""
    grid: Grid
    kilns: Boxes
    look_alikes: Floats
    """Pixel coordinates (col, row), shape (n, 2), of red roofs and red ground that are no kilns."""


def sea_grid(width: int, height: int, crs: Literal["utm", "4326"] = "utm", place: int = 0) -> Grid:
    """A grid of 10 m pixels in open sea, in UTM zone 45N or in degrees (8.98e-5).

    Scenes of up to 2,600 pixels at two of the 80 places share no ground; then the places come again.
    """
    south, west = divmod(place % (COLUMNS * ROWS), COLUMNS)
    if crs == "4326":
        step = 8.983152841195214e-05
        corner = SEA_LON - west * APART_DEG, SEA_LAT - south * APART_DEG
        return Grid(CRS.from_epsg(4326), Affine(step, 0, corner[0], 0, -step, corner[1]), width, height)
    corner = 608_880 - west * APART_M, 1_326_720 - south * APART_M
    return Grid(CRS.from_epsg(32645), Affine(10, 0, corner[0], 0, -10, corner[1]), width, height)


def paint_scene(
    seed: int,
    width: int = 1024,
    height: int = 1024,
    n_kilns: int = 30,
    *,
    crs: Literal["utm", "4326"] = "utm",
    dtype: Literal["uint8", "uint16"] = "uint8",
    with_look_alikes: bool = True,
    place: int = 0,
) -> PaintedScene:
    """Paint fields, look-alikes and up to `n_kilns` kilns; the same arguments give the same pixels.

    `uint8` has grey levels 1..255 as the measured scenes; `uint16` has 20 times as much plus 200.
    `place` moves the scene to other sea (`sea_grid`).
    """
    rng, stats, grid = np.random.default_rng(seed), load(), sea_grid(width, height, crs, place)
    kilns = place_kilns(rng, grid, n_kilns, stats)
    land = paint_land(rng, distance_m(grid, kilns.lon, kilns.lat), stats)
    canvas = Canvas(grid, land, stats, rng)
    look_alikes = lay_look_alikes(canvas, kilns) if with_look_alikes else np.empty((0, 2))
    lay_kilns(canvas, kilns)
    return PaintedScene(_to_pixels(canvas.colours, dtype), grid, kilns, look_alikes)


def _to_pixels(image: Floats, dtype: Literal["uint8", "uint16"]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    grey = np.clip(np.exp(image), 1, 255)
    if dtype == "uint16":
        return np.round(grey * 20 + 200).astype(np.uint16)
    return np.round(grey).astype(np.uint8)
