"""geodata.sources.masks: which pixels count; pure, on arrays.

A pixel is invalid where a band is not finite, equals its nodata value or is masked, where the class layer
says so, and, in a file that marks missing pixels in no way at all, where every band is 0: that is what
Sentinel-2 products and most mosaics put outside the swath.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SCL_VALID = (2, 4, 5, 6, 7)
"""Dark ground, vegetation, bare ground, water, unclassified. The others are invalid: no data (0),
saturated (1), cloud shadow (3), cloud (8, 9), cirrus (10), snow (11), and every class that does not
exist, since those come from lossy compression and could have been a cloud."""


def to_float(raw: NDArray[np.generic]) -> NDArray[np.float32]:
    """Pixels as float32; what overflows becomes inf and so invalid."""
    with np.errstate(over="ignore", invalid="ignore"):
        return raw.astype(np.float32)


def valid_values(raw: NDArray[np.generic], nodata: float | None) -> NDArray[np.bool_]:
    """Where one band is finite and not its nodata value."""
    valid: NDArray[np.bool_] = np.isfinite(to_float(raw))
    if nodata is None or math.isnan(nodata):
        return valid
    if raw.dtype.kind == "f":
        # a tag is written as text in double precision; the pixel has only its own
        with np.errstate(over="ignore"):
            nodata = float(raw.dtype.type(nodata))
    valid &= raw != nodata
    return valid


def valid_classes(scl: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where the scene classification shows the ground."""
    valid: NDArray[np.bool_] = np.isin(scl, SCL_VALID)
    return valid


def not_all_zero(bands: Sequence[NDArray[np.generic]]) -> NDArray[np.bool_]:
    """Where at least one band is not 0."""
    nonzero: NDArray[np.bool_] = np.any([band != 0 for band in bands], axis=0)
    return nonzero
