"""geodata.painter.kilns: where kilns stand and how they look; colours come from the statistics."""

import numpy as np

from geodata.grid import Floats, Grid
from geodata.obb import Boxes
from geodata.painter.canvas import Canvas, stamp
from geodata.painter.statistics import Statistics, draw_sizes

EDGE_M = 160.0
"""Kilns stay whole: their centres keep this far from the scene's edge (the longest is shorter)."""
BESIDE_SHARE = 0.5
"""Share of kilns that are set beside another one: they stand in groups about as often as alone."""


def place_kilns(rng: np.random.Generator, grid: Grid, n: int, stats: Statistics) -> Boxes:
    """Up to n boxes; some stand as close to another as real neighbours do."""
    size = min(grid.pixel_size_m())
    edge = min(EDGE_M / size, grid.width / 3, grid.height / 3)
    least = float(stats.neighbour_m[0]) / size
    at = np.empty((0, 2))
    for _ in range(200 * n):
        if len(at) == n:
            break
        if len(at) and rng.uniform() < BESIDE_SHARE:
            turn = rng.uniform(0, 2 * np.pi)
            far = draw_sizes(rng, stats.neighbour_m, 1)[0] / size
            new = at[rng.integers(len(at))] + far * np.array([np.cos(turn), np.sin(turn)])
        else:
            new = rng.uniform(0, 1, 2) * [grid.width, grid.height]
        inside = (new >= edge).all() and (new <= np.array([grid.width, grid.height]) - edge).all()
        if inside and (np.hypot(*(at - new).T) >= least).all():
            at = np.vstack([at, new])
    lon, lat = grid.lonlat(at[:, 0], at[:, 1])
    length = draw_sizes(rng, stats.length_m, len(at))
    width = np.minimum(draw_sizes(rng, stats.width_m, len(at)), length)
    return Boxes(lon, lat, length, width, rng.uniform(0, 180, len(at)))


def lay_kilns(canvas: Canvas, kilns: Boxes) -> None:
    """Paint the kilns: the mean kiln with its measured variations, turned and stretched."""
    rng, stats = canvas.rng, canvas.stats
    cols, rows = canvas.grid.pixel(kilns.lon, kilns.lat)
    for k in range(len(kilns)):
        length, width = float(kilns.length_m[k]), float(kilns.width_m[k])
        place = stamp(canvas.grid, float(cols[k]), float(rows[k]), float(kilns.angle_deg[k]), length)
        nodes = stats.kiln_mean + np.tensordot(
            rng.standard_normal(len(stats.kiln_parts)), stats.kiln_parts, 1
        )
        rim = 2 * float(stats.kiln_rim_m)
        kiln = at_nodes(nodes, place.along_m / (length + rim), place.across_m / (width + rim))
        grain = rng.multivariate_normal(
            np.zeros(3), stats.kiln_grain_cov, place.far_m.shape, method="cholesky"
        )
        # the nodes hold the kiln's own soft edge; the cover's lies outside it
        cover = place.box_cover(length + rim - 10, width + rim - 10)
        canvas.lay(place, cover, kiln + grain.transpose(2, 0, 1))


def at_nodes(nodes: Floats, u: Floats, v: Floats) -> Floats:
    """Values (3, ...) between nodes (3, along, across) that span -0.5..0.5 along and across, bilinear."""
    last = np.array(nodes.shape[1:]) - 1
    x, y = np.clip((u + 0.5) * last[0], 0, last[0]), np.clip((v + 0.5) * last[1], 0, last[1])
    i, j = np.minimum(x.astype(int), last[0] - 1), np.minimum(y.astype(int), last[1] - 1)
    x, y = x - i, y - j
    low = nodes[:, i, j] * (1 - x) + nodes[:, i + 1, j] * x
    high = nodes[:, i, j + 1] * (1 - x) + nodes[:, i + 1, j + 1] * x
    return np.asarray(low * (1 - y) + high * y)
