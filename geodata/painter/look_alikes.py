"""geodata.painter.look_alikes: villages, red roofs, sheds, red ground and roads, which are no kilns."""

import numpy as np

from geodata.grid import Floats
from geodata.obb import Boxes
from geodata.painter.canvas import Canvas, Stamp
from geodata.painter.land import smooth_noise

KM2_PER_VILLAGE = 6.0
KM2_PER_RED_ROOF = 3.0
KM2_PER_SHED = 2.5
KM2_PER_RED_GROUND = 4.0
KM2_PER_ROAD = 25.0


def lay_look_alikes(canvas: Canvas, kilns: Boxes) -> Floats:
    """Paint all of them; pixel coordinates (n, 2) of the red roofs and the red ground are given back.

    They keep off the kilns, so that the truth stays clear.
    """
    _lay_roads(canvas)
    _lay_villages(canvas, _places(canvas, kilns, KM2_PER_VILLAGE, 500.0))
    _lay_sheds(canvas, _places(canvas, kilns, KM2_PER_SHED, 150.0))
    ground = _places(canvas, kilns, KM2_PER_RED_GROUND, 400.0)
    _lay_red_ground(canvas, ground)
    roofs = _places(canvas, kilns, KM2_PER_RED_ROOF, 200.0)
    _lay_red_roofs(canvas, roofs)
    return np.vstack([ground, roofs])


def _places(canvas: Canvas, kilns: Boxes, km2_each: float, off_m: float) -> Floats:
    """Random pixel coordinates, (n, 2), at least `off_m` from every kiln."""
    grid = canvas.grid
    n = int(canvas.rng.poisson(grid.area_km2() / km2_each))
    at = canvas.rng.uniform(0, 1, (n, 2)) * [grid.width, grid.height]
    kiln_at = np.column_stack(grid.pixel(kilns.lon, kilns.lat))
    far = np.hypot(*(at[:, None] - kiln_at[None]).transpose(2, 0, 1)) * min(grid.pixel_size_m())
    return np.asarray(at[(far > off_m).all(axis=1)])


def _lay_villages(canvas: Canvas, places: Floats) -> None:
    """Ragged blobs of bright and dark roofs."""
    for col, row in places:
        radius = canvas.rng.uniform(100, 350)
        place = canvas.stamp(col, row, 0.0, radius * 1.8)
        shape = place.far_m.shape
        ragged = smooth_noise(canvas.rng, shape, 8) + 0.5 * smooth_noise(canvas.rng, shape, 3)
        inside = place.far_m / radius + 0.3 * ragged < 1.0
        roofs = canvas.stats.built.draw(canvas.rng, inside.size).T.reshape(3, *shape)
        canvas.lay(place, inside * canvas.rng.uniform(0.5, 1.0, shape), roofs)


def _lay_sheds(canvas: Canvas, places: Floats) -> None:
    """Bright sheds of 40-120 m."""
    for col, row in places:
        place = canvas.stamp(col, row, canvas.rng.uniform(0, 180), 120.0)
        cover = place.box_cover(canvas.rng.uniform(40, 120), canvas.rng.uniform(15, 35))
        canvas.lay(place, cover, canvas.stats.shed.draw(canvas.rng, 1)[0])


def _lay_red_roofs(canvas: Canvas, places: Floats) -> None:
    """Red roofs of 25-70 m."""
    for col, row in places:
        place = canvas.stamp(col, row, canvas.rng.uniform(0, 180), 90.0)
        cover = place.box_cover(canvas.rng.uniform(25, 70), canvas.rng.uniform(15, 40))
        canvas.lay(place, cover, canvas.stats.red.draw(canvas.rng, 1)[0])


def _lay_red_ground(canvas: Canvas, places: Floats) -> None:
    """Bare red fields and ragged patches of red soil."""
    for col, row in places:
        place = canvas.stamp(col, row, 0.0, 250.0)
        field = canvas.fields.number[int(row), int(col)]
        bare = canvas.fields.number[place.rows, place.cols] == field
        cover = bare if canvas.rng.uniform() < 0.5 else _ragged(canvas, place)
        canvas.lay(place, 0.9 * cover, canvas.stats.red.draw(canvas.rng, 1)[0])


def _ragged(canvas: Canvas, place: Stamp) -> Floats:
    edge_m = canvas.rng.uniform(60, 150) + 40.0 * smooth_noise(canvas.rng, place.far_m.shape, 5)
    return np.asarray(np.clip((edge_m - place.far_m) / 20.0, 0, 1))


def _lay_roads(canvas: Canvas) -> None:
    """A few straight roads and lines of trees, right through the scene."""
    grid, rng = canvas.grid, canvas.rng
    for _ in range(round(grid.area_km2() / KM2_PER_ROAD)):
        col, row = rng.uniform(0, grid.width), rng.uniform(0, grid.height)
        place = canvas.stamp(col, row, rng.uniform(0, 180), 12.0 * max(grid.width, grid.height))
        colour = canvas.stats.built.mean if rng.uniform() < 0.7 else canvas.stats.dug.mean
        canvas.lay(place, 0.8 * place.box_cover(1e7, rng.uniform(12, 30)), colour)
