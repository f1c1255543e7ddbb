"""geodata.sources.sentinelhub.area_grid: the 10 m UTM grid of an area; knows nothing of services."""

import math

import numpy as np
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.grid import Floats, Grid
from geodata.scene import Window
from geodata.sources.sentinelhub.area import MAX_DEGREES, Area
from geodata.sources.sentinelhub.units import units_of_area

PIXEL_M = 10.0
MIN_SIDE_PX = 16
"""Scenes below this size are refused by the detector."""

_EDGE_POINTS_DEGREES = 0.05


def grid_of(area: Area, band_count: int) -> Grid:
    """The north-up UTM grid with 10 m pixels around an area, its corners at multiples of 10 m.

    The zone is that of the area's middle, so that pixels of Sentinel-2 tiles of that zone are not resampled.

    Raises:
        InputError: the area is wider than one grid can hold, or smaller than a scene may be.
    """
    west, south, east, north = area.bounds
    if max(east - west, north - south) > MAX_DEGREES:
        units = units_of_area(area, PIXEL_M, band_count)
        raise InputError(
            f"The area is {east - west:.1f} by {north - south:.1f} degrees, too large to fetch at once: "
            f"about {units:,.0f} processing units for one date; take at most {MAX_DEGREES:g} degrees a side."
        )
    crs = CRS.from_epsg(utm_epsg((west + east) / 2, (south + north) / 2))
    left, bottom, right, top = project(area, crs).bounds
    left, bottom = math.floor(left / PIXEL_M) * PIXEL_M, math.floor(bottom / PIXEL_M) * PIXEL_M
    right, top = math.ceil(right / PIXEL_M) * PIXEL_M, math.ceil(top / PIXEL_M) * PIXEL_M
    width, height = round((right - left) / PIXEL_M), round((top - bottom) / PIXEL_M)
    if min(width, height) < MIN_SIDE_PX:
        raise InputError(
            f"The area is {width} by {height} pixels of 10 m; give one of at least {MIN_SIDE_PX} a side."
        )
    return Grid(crs, Affine(PIXEL_M, 0.0, left, 0.0, -PIXEL_M, top), width, height)


def utm_epsg(lon: float, lat: float) -> int:
    """EPSG code of the UTM zone of a place in degrees, without the exceptions around Norway and Svalbard."""
    zone = min(int((lon + 180) // 6) + 1, 60)
    return (32600 if lat >= 0 else 32700) + zone


def project(shape: BaseGeometry, crs: CRS) -> BaseGeometry:
    """A shape in degrees carried into a CRS; long edges get points, since they bend."""
    transformer = Transformer.from_crs(4326, crs, always_xy=True)
    dense = shapely.segmentize(shape, _EDGE_POINTS_DEGREES)

    def carry(points: Floats) -> Floats:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return shapely.transform(dense, carry)


def window_box(grid: Grid, window: Window) -> tuple[float, float, float, float]:
    """(left, bottom, right, top) of a window in the grid's CRS."""
    left, top = grid.transform @ (window.col, window.row)
    right, bottom = grid.transform @ (window.col + window.width, window.row + window.height)
    return left, bottom, right, top
