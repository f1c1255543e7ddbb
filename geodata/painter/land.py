"""geodata.painter.land: fields, their colours and the noise of pixels; knows nothing of kilns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.grid import Floats
from geodata.painter.statistics import Statistics


@dataclass(frozen=True)
class Fields:
    """A mosaic of fields: the number of the field that each pixel lies in, (height, width)."""

    number: NDArray[np.int64]
    count: int
    edge: NDArray[np.bool_]
    """True on the pixels along a field's border."""


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], step: int) -> Floats:
    """Noise of mean 0 and deviation about 1 that varies over `step` pixels (bilinear between random nodes)."""
    rows, cols = shape[0] // step + 3, shape[1] // step + 3
    nodes = rng.standard_normal((rows, cols))
    y = np.arange(shape[0]) / step + rng.uniform()
    x = np.arange(shape[1]) / step + rng.uniform()
    i, j = y.astype(int), x.astype(int)
    fy, fx = (y - i)[:, None], (x - j)[None]
    top = nodes[np.ix_(i, j)] * (1 - fx) + nodes[np.ix_(i, j + 1)] * fx
    low = nodes[np.ix_(i + 1, j)] * (1 - fx) + nodes[np.ix_(i + 1, j + 1)] * fx
    # bilinear mixing of independent nodes keeps 2/3 of the deviation per axis
    return np.asarray((top * (1 - fy) + low * fy) * 1.5)


def make_fields(rng: np.random.Generator, shape: tuple[int, int]) -> Fields:
    """Rows of oblong fields about 9 px on a side, turned and bent a little."""
    height, width = shape
    turn = rng.uniform(-0.6, 0.6)
    bend = 14.0
    x = np.arange(width) + bend * smooth_noise(rng, shape, 150)
    y = np.arange(height)[:, None] + bend * smooth_noise(rng, shape, 150)
    u = x * np.cos(turn) - y * np.sin(turn)
    v = x * np.sin(turn) + y * np.cos(turn)
    reach = 2 * (height + width)
    rows = np.cumsum(rng.uniform(5, 15, reach // 5)) - reach / 2
    cols = np.cumsum(rng.uniform(4, 18, reach // 5)) - reach / 2
    row = np.searchsorted(rows, v)
    # every row of fields is moved by its own amount, like bricks
    shift = rng.uniform(0, 200, len(rows) + 1)
    col = np.searchsorted(cols, u + shift[row])
    number = row.astype(np.int64) * (len(cols) + 1) + col
    _, flat = np.unique(number, return_inverse=True)
    number = flat.reshape(shape)
    edge = np.zeros(shape, dtype=bool)
    edge[:, 1:] |= number[:, 1:] != number[:, :-1]
    edge[1:] |= number[1:] != number[:-1]
    return Fields(number, int(number.max()) + 1, edge)


def colour_fields(rng: np.random.Generator, fields: Fields, stats: Statistics) -> Floats:
    """Log colours (3, height, width) of the land."""
    shape = (fields.number.shape[0], fields.number.shape[1])
    root = np.linalg.cholesky(stats.land.cov)
    regional = np.einsum("ij,jrc->irc", root, np.stack([smooth_noise(rng, shape, 160) for _ in range(3)]))
    own = rng.multivariate_normal(np.zeros(3), stats.field_cov, fields.count, method="cholesky")
    land = stats.land.mean[:, None, None] + regional + own[fields.number].transpose(2, 0, 1)
    # paths and bunds between fields are a little darker, as the half of them that one sees
    seam = fields.edge & (smooth_noise(rng, shape, 12) > 0)
    return np.asarray(land - 0.12 * seam)


def add_pixel_noise(rng: np.random.Generator, land: Floats, stats: Statistics) -> Floats:
    """Land with a texture that is mostly common to the bands."""
    common = rng.standard_normal(land.shape[1:])
    own = rng.standard_normal(land.shape)
    return np.asarray(land + stats.pixel_sd[:, None, None] * (0.85 * common + 0.5 * own))


def blur(land: Floats) -> Floats:
    """The sensor's point spread: a 3 x 3 kernel of 1, 4, 1 along each axis."""
    for axis in (1, 2):
        before = np.concatenate([land.take([0], axis), land.take(range(land.shape[axis] - 1), axis)], axis)
        after = np.concatenate([land.take(range(1, land.shape[axis]), axis), land.take([-1], axis)], axis)
        land = (before + 4 * land + after) / 6
    return land
