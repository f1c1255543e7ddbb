"""geodata.painter.land: fields with the measured distribution and texture; knows kilns only as a distance."""

import numpy as np
from numpy.typing import NDArray

from geodata.grid import Floats
from geodata.painter.statistics import NORMAL_POINTS, Statistics

Rng = np.random.Generator

TEXTURE = 0.08
"""Variance inside fields for 1 between them; the one figure that is set by the comparison (gradients)."""
FIELD_PX = (3.0, 21.0)
"""Sides of fields: 30-210 m, from smallholders' plots to large ones."""


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


def make_fields(rng: Rng, shape: tuple[int, int]) -> NDArray[np.int64]:
    """The number of the field that each pixel lies in: oblongs in two directions, some here, some there."""
    turn = rng.uniform(-0.6, 0.6)
    first, second = _mosaic(rng, shape, turn), _mosaic(rng, shape, turn + rng.uniform(0.2, 1.2))
    here = smooth_noise(rng, shape, 90) > 0
    _, flat = np.unique(np.where(here, first, -1 - second), return_inverse=True)
    return flat.reshape(shape)


def _mosaic(rng: Rng, shape: tuple[int, int], turn: float) -> NDArray[np.int64]:
    """Field numbers >= 0: rows of oblongs, bent a little."""
    height, width = shape
    x = np.arange(width) + 10 * smooth_noise(rng, shape, 170)
    y = np.arange(height)[:, None] + 10 * smooth_noise(rng, shape, 170)
    u = x * np.cos(turn) - y * np.sin(turn)
    v = x * np.sin(turn) + y * np.cos(turn)
    reach = 2 * (height + width) + 400
    low, high = float(np.log(FIELD_PX[0])), float(np.log(FIELD_PX[1]))
    rows, cols = (np.cumsum(np.exp(rng.uniform(low, high, reach // 3))) - reach / 2 for _ in "uv")
    row = np.searchsorted(rows, v)
    # every row of fields is moved by its own amount, like bricks
    shift = rng.uniform(0, 200, len(rows) + 1)
    col = np.searchsorted(cols, u + shift[row])
    return np.asarray(row.astype(np.int64) * (len(cols) + 1) + col)


def paint_land(rng: Rng, from_kilns_m: Floats, stats: Statistics) -> Floats:
    """Log colours (3, height, width) of the land, given each pixel's distance from the nearest kiln."""
    fields = make_fields(rng, from_kilns_m.shape)
    own = stats.land_palette[rng.integers(len(stats.land_palette), size=fields.max() + 1)]
    # no two fields are quite the same
    own = own + 0.2 * rng.standard_normal(own.shape)
    axes = []
    for a in range(3):
        plane = own[fields, a] + np.sqrt(TEXTURE) * rng.standard_normal(fields.shape)
        plane = _with_power(plane, stats.land_frequency, stats.land_power[a])
        axes.append(_as_distributed(plane, from_kilns_m, stats, a))
    bright, red_green, green_blue = axes
    green = bright + (green_blue - red_green) / 3
    return np.stack([green + red_green, green, green - green_blue])


def _with_power(plane: Floats, frequency: Floats, power: Floats) -> Floats:
    """Give a plane the measured power at each frequency (cycles per pixel); its shapes stay."""
    waves = np.fft.rfft2(plane)
    at = np.hypot(np.fft.fftfreq(plane.shape[0])[:, None], np.fft.rfftfreq(plane.shape[1]))
    log_at = np.log(np.clip(at, frequency[0], frequency[-1]))
    ring = np.rint(np.interp(log_at, np.log(frequency), np.arange(len(frequency)))).astype(int)
    count = np.bincount(ring.ravel(), minlength=len(frequency))
    present = np.bincount(ring.ravel(), np.square(np.abs(waves)).ravel(), len(frequency))[count > 0]
    gain = np.sqrt(power[count > 0] * count[count > 0] / present)
    waves *= np.interp(log_at, np.log(frequency[count > 0]), gain)
    waves[0, 0] = 0
    return np.asarray(np.fft.irfft2(waves, s=plane.shape))


def _as_distributed(plane: Floats, from_kilns_m: Floats, stats: Statistics, axis: int) -> Floats:
    """Stretch a plane so that its values are distributed as measured at each distance from kilns."""
    have = np.quantile(plane, NORMAL_POINTS)
    zone = np.interp(from_kilns_m, stats.zone_m, np.arange(len(stats.zone_m)))
    out = np.zeros(plane.shape)
    for z, measured in enumerate(stats.land_quantiles[:, axis]):
        share = np.clip(1 - np.abs(zone - z), 0, 1)
        out += share * np.interp(plane, have, measured)
    return out
