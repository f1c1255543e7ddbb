"""geodata.painter.land: fields, their colours and the noise of pixels; knows nothing of kilns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.grid import Floats
from geodata.painter.statistics import Statistics

Rng = np.random.Generator


@dataclass(frozen=True)
class Fields:
    """A mosaic of fields: the number of the field that each pixel lies in, (height, width)."""

    number: NDArray[np.int64]
    count: int
    edge: NDArray[np.bool_]
    """True on the pixels along a field's border."""


def smooth_noise(rng: Rng, shape: tuple[int, ...], step: float) -> Floats:
    """Noise of mean 0 and deviation about 1 that varies over `step` pixels, (rows, cols)."""
    y = np.arange(shape[0]) / step + rng.uniform()
    x = np.arange(shape[1]) / step + rng.uniform()
    nodes = rng.standard_normal((int(y[-1]) + 2, int(x[-1]) + 2))
    i, j = y.astype(int), x.astype(int)
    fy, fx = (y - i)[:, None], (x - j)[None]
    # smooth steps leave no kinks at the nodes
    fy, fx = fy * fy * (3 - 2 * fy), fx * fx * (3 - 2 * fx)
    top = nodes[np.ix_(i, j)] * (1 - fx) + nodes[np.ix_(i, j + 1)] * fx
    low = nodes[np.ix_(i + 1, j)] * (1 - fx) + nodes[np.ix_(i + 1, j + 1)] * fx
    # mixing independent nodes keeps about 2/3 of the deviation
    return np.asarray((top * (1 - fy) + low * fy) * 1.4)


def make_fields(rng: Rng, shape: tuple[int, int]) -> Fields:
    """Oblong fields in two directions of ploughing, some here and some there."""
    turn = rng.uniform(-0.6, 0.6)
    first, second = _mosaic(rng, shape, turn), _mosaic(rng, shape, turn + rng.uniform(0.2, 1.2))
    here = smooth_noise(rng, shape, 90) > 0
    _, flat = np.unique(np.where(here, first, -1 - second), return_inverse=True)
    number = flat.reshape(shape)
    edge = np.zeros(shape, dtype=bool)
    edge[:, 1:] |= number[:, 1:] != number[:, :-1]
    edge[1:] |= number[1:] != number[:-1]
    return Fields(number, int(number.max()) + 1, edge)


def _mosaic(rng: Rng, shape: tuple[int, int], turn: float) -> NDArray[np.int64]:
    """Field numbers >= 0: rows of oblongs of 3-21 px, bent a little."""
    height, width = shape
    x = np.arange(width) + 10 * smooth_noise(rng, shape, 170)
    y = np.arange(height)[:, None] + 10 * smooth_noise(rng, shape, 170)
    u = x * np.cos(turn) - y * np.sin(turn)
    v = x * np.sin(turn) + y * np.cos(turn)
    reach = 2 * (height + width) + 400
    rows = np.cumsum(_sizes(rng, reach)) - reach / 2
    cols = np.cumsum(_sizes(rng, reach)) - reach / 2
    row = np.searchsorted(rows, v)
    # every row of fields is moved by its own amount, like bricks
    shift = rng.uniform(0, 200, len(rows) + 1)
    col = np.searchsorted(cols, u + shift[row])
    return np.asarray(row.astype(np.int64) * (len(cols) + 1) + col)


def _sizes(rng: Rng, reach: int) -> Floats:
    return np.exp(rng.uniform(np.log(3), np.log(21), reach // 3))


def colour_fields(rng: Rng, fields: Fields, stats: Statistics) -> Floats:
    """Log colours (3, height, width) of the land."""
    shape = fields.number.shape
    root = np.linalg.cholesky(stats.land.cov)
    regional = np.einsum("ij,jrc->irc", root, np.stack([smooth_noise(rng, shape, 150) for _ in range(3)]))
    # it was measured on means of 5 x 5 px, which even out the borders; drawn per field it must be wider
    own = rng.multivariate_normal(np.zeros(3), 1.3 * stats.field_cov, fields.count, method="cholesky")
    land = _as_distributed(regional + own[fields.number].transpose(2, 0, 1), stats)
    # bunds and paths between fields are darker; about half of them can be seen
    seam = fields.edge & (smooth_noise(rng, shape, 12) > 0)
    return np.asarray(land - 0.15 * seam)


def _as_distributed(land: Floats, stats: Statistics) -> Floats:
    """Stretch brightness, red - green and green - blue so that each is distributed as measured.

    Crops are greener than a normal distribution allows, and red ground is rarer.
    """
    red, green, blue = land
    axes = (land.mean(axis=0), red - green, green - blue)
    bright, red_green, green_blue = (
        np.interp(axis, np.quantile(axis, stats.land_points), measured)
        for axis, measured in zip(axes, stats.land_quantiles, strict=True)
    )
    green = bright + (green_blue - red_green) / 3
    return np.stack([green + red_green, green, green - green_blue])


def add_texture(rng: Rng, land: Floats, stats: Statistics) -> Floats:
    """Land with mottles of two pixels and noise of one, mostly common to the bands."""
    common = rng.standard_normal(land.shape[1:]) + 1.2 * smooth_noise(rng, land.shape[1:], 2.0)
    own = rng.standard_normal(land.shape)
    return np.asarray(land + stats.pixel_sd[:, None, None] * (1.3 * common + 0.6 * own))


def blur(land: Floats) -> Floats:
    """The sensor's point spread: a kernel of 1, 6, 1 along each axis."""
    for axis in (1, 2):
        pad = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        wide = np.moveaxis(np.pad(land, pad, mode="edge"), axis, 0)
        land = np.moveaxis((wide[:-2] + 6 * wide[1:-1] + wide[2:]) / 8, 0, axis)
    return land
