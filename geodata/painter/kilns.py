"""geodata.painter.kilns: where kilns stand and how they look; colours come from the statistics."""

import numpy as np

from geodata.grid import Floats, Grid
from geodata.obb import Boxes
from geodata.painter.canvas import Canvas
from geodata.painter.land import Rng
from geodata.painter.statistics import Statistics, draw_from_quantiles

EDGE_M = 160.0
"""Kilns stay whole: their centres keep this far from the scene's edge."""
YARDS_WITHIN_M = 350.0
DUST_WITHIN_M = 900.0
BESIDE_M = 110.0
"""A field that comes so near to a kiln is three times as often a yard."""


def place_kilns(rng: Rng, grid: Grid, n: int, stats: Statistics) -> Boxes:
    """Up to n boxes; half of them stand as close to another as real neighbours do."""
    size = min(grid.pixel_size_m())
    edge = min(EDGE_M / size, grid.width / 3, grid.height / 3)
    least = float(stats.neighbour_m[0]) / size
    at = np.empty((0, 2))
    for _ in range(200 * n):
        if len(at) == n:
            break
        if len(at) and rng.uniform() < 0.5:
            turn = rng.uniform(0, 2 * np.pi)
            far = draw_from_quantiles(rng, stats.neighbour_m, 1)[0] / size
            new = at[rng.integers(len(at))] + far * np.array([np.cos(turn), np.sin(turn)])
        else:
            new = rng.uniform(0, 1, 2) * [grid.width, grid.height]
        inside = (new >= edge).all() and (new <= np.array([grid.width, grid.height]) - edge).all()
        if inside and (np.hypot(*(at - new).T) >= least).all():
            at = np.vstack([at, new])
    lon, lat = grid.lonlat(at[:, 0], at[:, 1])
    length = draw_from_quantiles(rng, stats.length_m, len(at))
    width = np.minimum(draw_from_quantiles(rng, stats.width_m, len(at)), length)
    return Boxes(lon, lat, length, width, rng.uniform(0, 180, len(at)))


def lay_dust(canvas: Canvas, kilns: Boxes) -> None:
    """Give the land around kilns the mean colour that was measured there; it fades out with the distance."""
    most = np.zeros(canvas.colours.shape[1:])
    cols, rows = canvas.grid.pixel(kilns.lon, kilns.lat)
    for col, row in zip(cols, rows, strict=True):
        place = canvas.stamp(float(col), float(row), 0.0, DUST_WITHIN_M)
        here = most[place.rows, place.cols]
        np.maximum(here, np.exp(-2 * (2 * place.far_m / DUST_WITHIN_M) ** 2), out=here)
    shift = canvas.stats.kiln_surroundings - canvas.stats.land.mean
    canvas.colours[:] += shift[:, None, None] * most


def lay_yards(canvas: Canvas, kilns: Boxes) -> None:
    """Recolour fields around each kiln as pale drying yards and as dark dug-out ground."""
    rng = canvas.rng
    cols, rows = canvas.grid.pixel(kilns.lon, kilns.lat)
    for col, row in zip(cols, rows, strict=True):
        place = canvas.stamp(float(col), float(row), 0.0, YARDS_WITHIN_M)
        number = canvas.fields.number[place.rows, place.cols]
        near = np.unique(number[place.far_m < YARDS_WITHIN_M])
        share = np.where(np.isin(near, number[place.far_m < BESIDE_M]), 3.0, 1.0) * canvas.stats.yard_share
        kind = rng.uniform(size=len(near))
        yards, dug = near[kind < share], near[(kind >= share) & (kind < 1.4 * share)]
        for colour, chosen in ((canvas.stats.yard, yards), (canvas.stats.dug, dug)):
            base = colour.draw(rng, 1)[0]
            for one in chosen:
                # the yards of one kiln resemble each other
                own = 0.7 * base + 0.3 * colour.draw(rng, 1)[0]
                canvas.lay(place, (number == one) * 0.9, own)


def lay_kilns(canvas: Canvas, kilns: Boxes) -> None:
    """Paint the kilns: a rounded box with the measured profile and a midline of its own."""
    rng, stats = canvas.rng, canvas.stats
    cols, rows = canvas.grid.pixel(kilns.lon, kilns.lat)
    for k in range(len(kilns)):
        length, width = float(kilns.length_m[k]), float(kilns.width_m[k])
        place = canvas.stamp(float(cols[k]), float(rows[k]), float(kilns.angle_deg[k]), 230.0)
        ring = (place.far_m > 130) & (place.far_m < 220)
        around = np.median(canvas.under(place)[:, ring], axis=1)
        colour = np.concatenate([[1.0], around]) @ stats.kiln_line + stats.kiln_left_over.draw(rng, 1)[0]
        u, v = np.abs(place.along_m) / (length / 2), np.abs(place.across_m) / (width / 2)
        layer = colour[:, None, None] + _profile(stats, u, v)
        midline = stats.kiln_midline.draw(rng, 1)[0] - stats.kiln_midline.mean
        layer = layer + midline[:, None, None] * ((v < 0.3) & (u < 0.8))
        if rng.uniform() < 0.4:
            layer = layer - 0.25 * _two_dots(place.along_m, place.across_m, length)
        grain = rng.standard_normal(u.shape) * 0.4 * stats.kiln_pixel_sd[:, None, None]
        corner = width * float(rng.choice([0.15, 0.5]))
        canvas.lay(place, place.box_cover(length, width, corner), layer + grain)


def _profile(stats: Statistics, u: Floats, v: Floats) -> Floats:
    """Measured log ratio to the kiln's mean at shares of the half-sides, (3, rows, cols)."""
    bins = stats.kiln_profile.shape[1:]
    i = np.minimum(u / stats.kiln_reach * bins[0], bins[0] - 1).astype(int)
    j = np.minimum(v / stats.kiln_reach * bins[1], bins[1] - 1).astype(int)
    # beyond the box the measured means are those of the surroundings, which are on the canvas already
    return np.asarray(stats.kiln_profile[:, i, j] * ((u < 1.0) & (v < 1.0)))


def _two_dots(along_m: Floats, across_m: Floats, length_m: float) -> Floats:
    """1 near two points on the midline (the flues), 0 elsewhere."""
    far = np.hypot(np.abs(along_m) - length_m / 4, across_m)
    return np.asarray(np.clip(1.5 - far / 8.0, 0, 1))
