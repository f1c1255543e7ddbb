"""geodata.painter.look_alikes: villages, red roofs, sheds, red ground and roads, which are no kilns."""

from dataclasses import dataclass

import numpy as np

from geodata.grid import Floats, Grid
from geodata.painter.land import Fields, smooth_noise
from geodata.painter.shapes import Stamp, lay, stamp
from geodata.painter.statistics import Statistics

KM2_PER_VILLAGE = 5.0
KM2_PER_RED_ROOF = 3.0
KM2_PER_SHED = 2.5
KM2_PER_RED_GROUND = 4.0


@dataclass(frozen=True)
class Spots:
    """Pixel coordinates of places that a hasty eye takes for a kiln."""

    cols: Floats
    rows: Floats


def lay_villages(rng: np.random.Generator, canvas: Floats, grid: Grid, stats: Statistics) -> None:
    """Ragged blobs of bright and dark roofs."""
    for col, row in _places(rng, grid, KM2_PER_VILLAGE):
        radius = rng.uniform(100, 350)
        place = stamp(grid, col, row, 0.0, radius * 1.6)
        shape = place.along_m.shape
        far = np.hypot(place.along_m, place.across_m) / radius
        inside = far + 0.35 * smooth_noise(rng, (shape[0], shape[1]), 6) < 1.0
        colours = stats.built.draw(rng, inside.size).T.reshape(3, *shape)
        lay(canvas, place, 0.85 * inside, colours)


def lay_roofs_and_sheds(rng: np.random.Generator, canvas: Floats, grid: Grid, stats: Statistics) -> Spots:
    """Red roofs of 20-70 m and bright sheds of 40-120 m; the red ones are given back as look-alikes."""
    for col, row in _places(rng, grid, KM2_PER_SHED):
        place = stamp(grid, col, row, rng.uniform(0, 180), 120.0)
        cover = place.box_cover(rng.uniform(40, 120), rng.uniform(15, 35))
        lay(canvas, place, cover, stats.shed.draw(rng, 1)[0])
    roofs = _places(rng, grid, KM2_PER_RED_ROOF)
    for col, row in roofs:
        place = stamp(grid, col, row, rng.uniform(0, 180), 90.0)
        lay(
            canvas,
            place,
            place.box_cover(rng.uniform(25, 70), rng.uniform(15, 40)),
            stats.red.draw(rng, 1)[0],
        )
    return _spots(roofs)


def lay_red_ground(
    rng: np.random.Generator, canvas: Floats, grid: Grid, fields: Fields, stats: Statistics
) -> Spots:
    """Bare red fields and ragged patches of red soil."""
    places = _places(rng, grid, KM2_PER_RED_GROUND)
    for col, row in places:
        place = stamp(grid, col, row, rng.uniform(0, 180), 250.0)
        colour = stats.red.draw(rng, 1)[0]
        lay(canvas, place, _red_cover(rng, place, fields, (col, row)), colour)
    return _spots(places)


def _red_cover(rng: np.random.Generator, place: Stamp, fields: Fields, at: tuple[float, float]) -> Floats:
    if rng.uniform() < 0.5:
        here = fields.number[int(at[1]), int(at[0])]
        return np.asarray(fields.number[place.rows, place.cols] == here, dtype=np.float64)
    shape = place.along_m.shape
    ragged = 60.0 * smooth_noise(rng, (shape[0], shape[1]), 5)
    far = np.hypot(place.along_m, place.across_m) + ragged
    return np.asarray(np.clip((rng.uniform(60, 150) - far) / 20.0, 0, 1))


def lay_roads(rng: np.random.Generator, canvas: Floats, grid: Grid, stats: Statistics) -> None:
    """A few straight roads and lines of trees right through the scene."""
    for _ in range(max(1, round(grid.area_km2() / 25))):
        col, row = rng.uniform(0, grid.width), rng.uniform(0, grid.height)
        place = stamp(grid, col, row, rng.uniform(0, 180), 12.0 * max(grid.width, grid.height))
        colour = stats.built.mean if rng.uniform() < 0.7 else stats.dug.mean
        lay(canvas, place, place.box_cover(1e7, rng.uniform(12, 30)) * 0.8, colour)


def _places(rng: np.random.Generator, grid: Grid, km2_each: float) -> list[tuple[float, float]]:
    n = int(rng.poisson(grid.area_km2() / km2_each))
    return [(float(c), float(r)) for c, r in rng.uniform(0, 1, (n, 2)) * [grid.width, grid.height]]


def _spots(places: list[tuple[float, float]]) -> Spots:
    table = np.array(places, dtype=np.float64).reshape(-1, 2)
    return Spots(table[:, 0], table[:, 1])
