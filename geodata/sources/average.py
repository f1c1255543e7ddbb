"""geodata.sources.average: fine pixels averaged to coarser ones; pure, on arrays.

Weights are exact areas, so a factor need not be a whole number, and each coarse pixel is summed in the
same order wherever the window starts: it does not depend on windows.
"""

import math

import numpy as np
from numpy.typing import NDArray

VALID_SHARE = 0.5
"""A coarse pixel is valid where at least this share of its area is."""


def source_span(start: int, stop: int, factor: float) -> tuple[int, int]:
    """First and last-plus-one fine pixel under the coarse pixels `start` to `stop`."""
    return math.floor(start * factor), math.ceil(stop * factor)


def average(
    pixels: NDArray[np.float32],
    valid: NDArray[np.bool_],
    starts: tuple[int, int],
    shape: tuple[int, int],
    factors: tuple[float, float],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Average the valid fine pixels under each coarse one.

    Args:
        pixels: fine pixels (bands, height, width) over exactly the `source_span` of the coarse window.
        valid: their mask (height, width).
        starts: first coarse row and column.
        shape: coarse rows and columns.
        factors: fine pixels per coarse one, down and across (>= 1).

    Returns:
        Coarse pixels (bands, *shape), 0 where invalid, and their mask.
    """
    area = _sum_both(valid[None].astype(np.float64), starts, shape, factors)[0]
    total = _sum_both(np.where(valid, pixels, 0.0).astype(np.float64), starts, shape, factors)
    enough = area >= VALID_SHARE * factors[0] * factors[1] * (1 - 1e-9)
    mean = np.where(enough, total / np.where(enough, area, 1.0), 0.0)
    return mean.astype(np.float32), enough


def _sum_both(
    values: NDArray[np.float64], starts: tuple[int, int], shape: tuple[int, int], factors: tuple[float, float]
) -> NDArray[np.float64]:
    down = _sum_axis(values.swapaxes(0, 1), starts[0], shape[0], factors[0]).swapaxes(0, 1)
    across = _sum_axis(np.moveaxis(down, 2, 0), starts[1], shape[1], factors[1])
    return np.moveaxis(across, 0, 2)


def _sum_axis(values: NDArray[np.float64], start: int, count: int, factor: float) -> NDArray[np.float64]:
    """Weighted sums along the first axis for `count` coarse steps from `start`."""
    if factor == int(factor):
        blocks: NDArray[np.float64] = values.reshape(count, int(factor), *values.shape[1:]).sum(axis=1)
        return blocks
    low = (start + np.arange(count)) * factor
    high = low + factor
    first = np.floor(low).astype(np.intp)
    origin = source_span(start, start + count, factor)[0]
    out = np.zeros((count, *values.shape[1:]))
    for step in range(math.ceil(factor) + 1):
        index = first + step
        share = np.clip(np.minimum(high, index + 1) - np.maximum(low, index), 0.0, 1.0)
        inside = np.minimum(index - origin, len(values) - 1)
        out += values[inside] * share.reshape(-1, *[1] * (values.ndim - 1))
    return out
