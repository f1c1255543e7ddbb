"""detection.matched_filter: a hill of a kiln's shape in the heat-map counts for more than a lone cell."""

import numpy as np

from geodata.grid import Floats

REACH = 3.0
"""The Gaussian is cut off at so many of its widths."""


def matched_filter(heat: Floats, sigma_cells: tuple[float, float]) -> Floats:
    """A Gaussian filter that gives 1 at the top of a Gaussian hill of its own width and height 1 (at most 1).

    After North 1943, reprinted in Proc. IEEE 51(7), 1963. The width is set on the ground, so that a kiln gets
    nearly the same score on grids of other pixels.

    Args:
        heat: (h, w), 0-1; outside it is 0.
        sigma_cells: width along rows and along columns; 0 leaves the heat as it is.
    """
    for axis, sigma in enumerate(sigma_cells):
        if sigma > 0:
            heat = _along(heat, axis, sigma)
    return np.minimum(heat, 1.0)


def _along(heat: Floats, axis: int, sigma: float) -> Floats:
    reach = int(np.ceil(REACH * sigma))
    hill = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel = hill / (hill**2).sum()
    beside = [(reach, reach) if a == axis else (0, 0) for a in range(2)]
    wide, length = np.pad(heat, beside), heat.shape[axis]
    out = np.zeros_like(heat)
    for shift, weight in enumerate(kernel):
        out += weight * (wide[shift : shift + length] if axis == 0 else wide[:, shift : shift + length])
    return out
