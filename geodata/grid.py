"""geodata.grid: pixels <-> lon/lat <-> metres on the ground; knows nothing of files or kilns.

Pixel coordinates are (col, row) with (0, 0) at the outer corner of the upper left pixel, so that
the centre of that pixel is (0.5, 0.5). Angles are degrees counter-clockwise from true east.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from affine import Affine
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Geod, Transformer

Floats = NDArray[np.float64]

WGS84 = Geod(ellps="WGS84")
_A = WGS84.a
_E2 = WGS84.es


def metres_per_degree(lat: ArrayLike) -> tuple[Floats, Floats]:
    """Metres per degree east and north at latitudes on the WGS 84 ellipsoid.

    From the radii of curvature in the prime vertical and in the meridian (Snyder 1987, USGS
    Professional Paper 1395, eqs. 4-18 and 4-20).
    """
    phi = np.radians(np.asarray(lat, dtype=np.float64))
    w = 1.0 - _E2 * np.sin(phi) ** 2
    prime_vertical = _A / np.sqrt(w)
    meridian = _A * (1.0 - _E2) / w**1.5
    return np.radians(1.0) * prime_vertical * np.cos(phi), np.radians(1.0) * meridian


def _apply(transform: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return x * transform.a + y * transform.b + transform.c, x * transform.d + y * transform.e + transform.f


@dataclass(frozen=True)
class Grid:
    """A raster's place on the earth: CRS, affine transform and size in pixels."""

    crs: CRS
    transform: Affine
    width: int
    height: int

    @cached_property
    def _to_lonlat(self) -> Transformer:
        return Transformer.from_crs(self.crs, CRS.from_epsg(4326), always_xy=True)

    def lonlat(self, col: ArrayLike, row: ArrayLike) -> tuple[Floats, Floats]:
        """Longitudes and latitudes (degrees, WGS 84) of pixel coordinates."""
        c, r = np.asarray(col, dtype=np.float64), np.asarray(row, dtype=np.float64)
        x, y = _apply(self.transform, c, r)
        lon, lat = self._to_lonlat.transform(x, y)
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)

    def pixel(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates (col, row) of longitudes and latitudes."""
        x, y = self._to_lonlat.transform(
            np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64), direction="INVERSE"
        )
        col, row = _apply(~self.transform, np.asarray(x), np.asarray(y))
        return np.asarray(col, dtype=np.float64), np.asarray(row, dtype=np.float64)

    def jacobian_m(self, col: ArrayLike, row: ArrayLike) -> Floats:
        """Metres east and north on the ground per pixel step, shape (n, 2, 2).

        `jacobian[k] @ (d_col, d_row)` is (east_m, north_m); it holds the pixel's size, the grid's
        convergence and the fact that rows run south.
        """
        c = np.atleast_1d(np.asarray(col, dtype=np.float64))
        r = np.atleast_1d(np.asarray(row, dtype=np.float64))
        half = 0.5
        lon_e, lat_e = self.lonlat(c + half, r)
        lon_w, lat_w = self.lonlat(c - half, r)
        lon_s, lat_s = self.lonlat(c, r + half)
        lon_n, lat_n = self.lonlat(c, r - half)
        east, north = metres_per_degree((lat_e + lat_w + lat_s + lat_n) / 4)
        out = np.empty((len(c), 2, 2))
        out[:, 0, 0] = (lon_e - lon_w) * east
        out[:, 1, 0] = (lat_e - lat_w) * north
        out[:, 0, 1] = (lon_s - lon_n) * east
        out[:, 1, 1] = (lat_s - lat_n) * north
        return out

    def pixel_size_m(self) -> tuple[float, float]:
        """Width and height of the centre pixel on the ground, in metres."""
        j = self.jacobian_m(self.width / 2, self.height / 2)[0]
        return float(np.hypot(j[0, 0], j[1, 0])), float(np.hypot(j[0, 1], j[1, 1]))

    def area_km2(self) -> float:
        """Ground area of the whole grid in km² (from the centre pixel's size)."""
        w, h = self.pixel_size_m()
        return self.width * self.height * w * h / 1e6
