"""geodata.painter.kilns: where kilns stand and how they look; colours come from the statistics."""

import numpy as np

from geodata.grid import Floats, Grid
from geodata.obb import Boxes
from geodata.painter.land import Fields
from geodata.painter.shapes import lay, stamp
from geodata.painter.statistics import Statistics, draw_from_quantiles

EDGE_M = 160.0
"""Kilns stay whole: their centres keep this far from the scene's edge."""


def place_kilns(rng: np.random.Generator, grid: Grid, n: int, stats: Statistics) -> Boxes:
    """Up to n boxes; half of them stand as close to another as real neighbours do."""
    cols: list[float] = []
    rows: list[float] = []
    size = min(grid.pixel_size_m())
    edge = min(EDGE_M / size, grid.width / 3, grid.height / 3)
    least = float(stats.neighbour_m[0]) / size
    for _ in range(200 * n):
        if len(cols) == n:
            break
        if cols and rng.uniform() < 0.5:
            k, turn = int(rng.integers(len(cols))), rng.uniform(0, 2 * np.pi)
            far = float(draw_from_quantiles(rng, stats.neighbour_m, 1)[0]) / size
            col, row = cols[k] + far * np.cos(turn), rows[k] + far * np.sin(turn)
        else:
            col, row = rng.uniform(0, grid.width), rng.uniform(0, grid.height)
        inside = edge <= col <= grid.width - edge and edge <= row <= grid.height - edge
        free = not cols or np.hypot(np.array(cols) - col, np.array(rows) - row).min() >= least
        if inside and free:
            cols.append(col)
            rows.append(row)
    lon, lat = grid.lonlat(cols, rows)
    length = draw_from_quantiles(rng, stats.length_m, len(cols))
    width = np.minimum(draw_from_quantiles(rng, stats.width_m, len(cols)), length)
    return Boxes(lon, lat, length, width, rng.uniform(0, 180, len(cols)))


def lay_yards(
    rng: np.random.Generator, canvas: Floats, grid: Grid, fields: Fields, kilns: Boxes, stats: Statistics
) -> None:
    """Recolour fields around each kiln as pale drying yards and as dark dug-out ground."""
    cols, rows = grid.pixel(kilns.lon, kilns.lat)
    for col, row in zip(cols, rows, strict=True):
        place = stamp(grid, float(col), float(row), 0.0, 350.0)
        number = fields.number[place.rows, place.cols]
        far = np.hypot(place.along_m, place.across_m)
        near = np.unique(number[far < 350.0])
        kind = rng.uniform(size=len(near))
        for colour, chosen in (
            (stats.yard, near[kind < stats.yard_share]),
            (stats.dug, near[(kind >= stats.yard_share) & (kind < 1.4 * stats.yard_share)]),
        ):
            base = colour.draw(rng, 1)[0]
            for one in chosen:
                # the yards of one kiln resemble each other
                own = 0.7 * base + 0.3 * colour.draw(rng, 1)[0]
                lay(canvas, place, (number == one).astype(np.float64), own)


def lay_kilns(rng: np.random.Generator, canvas: Floats, grid: Grid, kilns: Boxes, stats: Statistics) -> None:
    """Paint the kilns: a rounded box with the measured profile and a midline of its own."""
    cols, rows = grid.pixel(kilns.lon, kilns.lat)
    for k in range(len(kilns)):
        length, width = float(kilns.length_m[k]), float(kilns.width_m[k])
        place = stamp(grid, float(cols[k]), float(rows[k]), float(kilns.angle_deg[k]), 230.0)
        far = np.hypot(place.along_m, place.across_m)
        around = np.median(canvas[:, place.rows, place.cols][:, (far > 130) & (far < 220)], axis=1)
        colour = np.concatenate([[1.0], around]) @ stats.kiln_line + stats.kiln_left_over.draw(rng, 1)[0]
        u, v = np.abs(place.along_m) / (length / 2), np.abs(place.across_m) / (width / 2)
        layer = colour[:, None, None] + _profile(stats, u, v)
        midline = stats.kiln_midline.draw(rng, 1)[0]
        layer = layer + (midline - stats.kiln_midline.mean)[:, None, None] * ((v < 0.3) & (u < 0.8))
        if rng.uniform() < 0.4:
            layer = layer - 0.25 * _two_dots(place.along_m, place.across_m, length)
        grain = rng.standard_normal(far.shape) * 0.7 * stats.kiln_pixel_sd[:, None, None]
        corner = width * float(rng.choice([0.15, 0.5]))
        lay(canvas, place, place.box_cover(length, width, corner), layer + grain)


def _profile(stats: Statistics, u: Floats, v: Floats) -> Floats:
    """Measured log ratio to the kiln's mean at shares of the half-sides, (3, rows, cols)."""
    bins = stats.kiln_profile.shape[1:]
    i = np.minimum(u / stats.kiln_reach * bins[0], bins[0] - 1).astype(int)
    j = np.minimum(v / stats.kiln_reach * bins[1], bins[1] - 1).astype(int)
    # beyond the box the measured means are those of the surroundings, which are on the canvas already
    inside = (u < 1.0) & (v < 1.0)
    return np.asarray(stats.kiln_profile[:, i, j] * inside)


def _two_dots(along_m: Floats, across_m: Floats, length_m: float) -> Floats:
    """1 near two points on the midline (the flues), 0 elsewhere."""
    far = np.hypot(np.abs(along_m) - length_m / 4, across_m)
    return np.asarray(np.clip(1.5 - far / 8.0, 0, 1))
