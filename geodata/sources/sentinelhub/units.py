"""geodata.sources.sentinelhub.units: what requests cost; knows nothing of how they are made.

The rules are those of Sentinel Hub's "Processing Unit definition"
(https://docs.sentinel-hub.com/api/latest/api/overview/processing-unit/). One processing unit (PU) is 512 x
512 pixels, three input bands, one sample a pixel, at most 16 bits. The factors multiply:

    PU = max(0.005, max(0.01, width * height / 512^2) * bands / 3)

`dataMask` is not counted as a band; our output is 16-bit and one acquisition is one sample (factors 1).
Catalog requests cost nothing, and so do requests that fail.
"""

from collections.abc import Iterable

from pyproj import Geod
from shapely.geometry.base import BaseGeometry

from geodata.scene import Window

_PU_PIXELS = 512 * 512
_PU_BANDS = 3
_LEAST_AREA_FACTOR = 0.01
_LEAST_UNITS = 0.005


def units_of_request(width: int, height: int, band_count: int) -> float:
    """Estimated PU of one Process request of so many pixels and input bands (without dataMask)."""
    area_factor = max(width * height / _PU_PIXELS, _LEAST_AREA_FACTOR)
    return max(area_factor * band_count / _PU_BANDS, _LEAST_UNITS)


def units_of(windows: Iterable[Window], band_count: int) -> float:
    """Estimated PU of one request a window."""
    return sum(units_of_request(window.width, window.height, band_count) for window in windows)


def units_of_area(shape: BaseGeometry, pixel_m: float, band_count: int) -> float:
    """Rough PU of a shape in degrees, from its area on the ellipsoid: good enough to refuse it."""
    area_m2, _ = Geod(ellps="WGS84").geometry_area_perimeter(shape)
    return abs(area_m2) / pixel_m**2 / _PU_PIXELS * band_count / _PU_BANDS
