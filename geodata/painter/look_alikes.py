"""geodata.painter.look_alikes: villages, roofs, sheds, yards, red ground and roads, which are no kilns.

How many there are and how large is assumed, not measured; the colours are measured.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from geodata.grid import Floats
from geodata.obb import Boxes
from geodata.painter.canvas import Canvas, Stamp, stamp
from geodata.painter.land import smooth_noise

KEEP_OFF_M = 100.0
"""They lie at least so far from a kiln's centre, so that the truth stays clear."""
KM2_PER_ROAD = 25.0
"""Four roads cross a scene of 10 x 10 km."""


@dataclass(frozen=True)
class Kind:
    """One kind of look-alike: how often, how large, of which measured colour."""

    colour: Literal["built", "red", "shed", "yard"]
    form: Literal["box", "blob", "village"]
    km2_each: float
    length_m: tuple[float, float]
    width_m: tuple[float, float] = (0.0, 0.0)


# one of each kind in 2 km2: each is several times as common as a kiln, so none of them gives kilns away;
# villages: the plain has one in 2.5 (Uttar Pradesh) to 6.5 km2 (Haryana), hamlets not counted
KINDS = {
    "village": Kind("built", "village", 4.0, (200, 700)),
    "shed": Kind("shed", "box", 2.0, (40, 120), (15, 35)),
    "yard": Kind("yard", "box", 2.0, (60, 200), (40, 120)),
    "red ground": Kind("red", "blob", 2.0, (100, 300)),
    "red roof": Kind("red", "box", 2.0, (25, 70), (15, 40)),
}


def lay_look_alikes(canvas: Canvas, kilns: Boxes) -> Floats:
    """Paint all of them; pixel coordinates (n, 2) of the red roofs and the red ground are given back."""
    _lay_roads(canvas)
    red = []
    for kind in KINDS.values():
        places = _places(canvas, kilns, kind)
        for col, row in places:
            _lay_one(canvas, kind, col, row)
        if kind.colour == "red":
            red.append(places)
    return np.vstack(red)


def _places(canvas: Canvas, kilns: Boxes, kind: Kind) -> Floats:
    """Random pixel coordinates, (n, 2), whose shapes keep off every kiln."""
    grid = canvas.grid
    n = int(canvas.rng.poisson(grid.area_km2() / kind.km2_each))
    at = canvas.rng.uniform(0, 1, (n, 2)) * [grid.width, grid.height]
    kiln_at = np.column_stack(grid.pixel(kilns.lon, kilns.lat))
    far = np.hypot(*(at[:, None] - kiln_at[None]).transpose(2, 0, 1)) * min(grid.pixel_size_m())
    return np.asarray(at[(far > KEEP_OFF_M + kind.length_m[1]).all(axis=1)])


def _lay_one(canvas: Canvas, kind: Kind, col: float, row: float) -> None:
    rng, colours = canvas.rng, getattr(canvas.stats, kind.colour)
    length, width = rng.uniform(*kind.length_m), rng.uniform(*kind.width_m)
    place = stamp(canvas.grid, col, row, rng.uniform(0, 180), kind.length_m[1])
    shape = place.far_m.shape
    if kind.form == "village":
        # half of the measured variation is from village to village, half from roof to roof
        noise = np.stack([smooth_noise(rng, shape, 1.5) for _ in range(3)]) + rng.standard_normal((3, 1, 1))
        roofs = np.einsum("ij,jrc->irc", np.linalg.cholesky(colours.cov / 2), noise)
        canvas.lay(place, _blob(canvas, place, length / 2), roofs + colours.mean[:, None, None])
        return
    cover = place.box_cover(length, width) if kind.form == "box" else _blob(canvas, place, length / 2)
    grain = canvas.stats.pixel_sd[:, None, None] * rng.standard_normal(shape)
    canvas.lay(place, cover, colours.draw(rng, 1)[0][:, None, None] + grain)


def _blob(canvas: Canvas, place: Stamp, radius_m: float) -> Floats:
    """A disc with a ragged edge, never beyond twice its radius."""
    ragged = 1 + 0.3 * smooth_noise(canvas.rng, place.far_m.shape, 5)
    return np.asarray(np.clip(0.5 + (radius_m * np.clip(ragged, 0, 2) - place.far_m) / 20.0, 0, 1))


def _lay_roads(canvas: Canvas) -> None:
    """A few straight roads, right through the scene."""
    grid, rng = canvas.grid, canvas.rng
    for _ in range(round(grid.area_km2() / KM2_PER_ROAD)):
        col, row = rng.uniform(0, grid.width), rng.uniform(0, grid.height)
        place = stamp(grid, col, row, rng.uniform(0, 180), 12.0 * max(grid.width, grid.height))
        canvas.lay(place, 0.8 * place.box_cover(1e7, rng.uniform(12, 30)), canvas.stats.built.mean)
