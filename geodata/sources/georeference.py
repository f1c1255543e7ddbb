"""geodata.sources.georeference: a raster's grid and whether its pixels suit the model; reads no pixels."""

import math
from dataclasses import dataclass

import numpy as np
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.tiles import MAX_LATITUDE

MIN_SIDE_PX = 16
FINEST, COARSEST = 0.8, 1.2
"""Pixels of 0.8 to 1.2 times the model's (8 to 12 m for 10 m) run as they are. The finer limit is for the
geometric mean of both sides, since a geographic grid of 10 m north-south is narrower east-west (8.2 m at
35 degrees); no side may be finer than `NARROWEST`."""
NARROWEST = 0.6
_TOLERANCE = 0.02
_SMALLEST_PIXEL_M = 0.01


@dataclass(frozen=True)
class Fit:
    """How a file's grid becomes the grid that is read: factors of 1 leave it as it is."""

    grid: Grid
    rows_per_pixel: float = 1.0
    cols_per_pixel: float = 1.0

    @property
    def is_averaged(self) -> bool:
        """Whether fine pixels are averaged."""
        return (self.rows_per_pixel, self.cols_per_pixel) != (1.0, 1.0)


def grid_of(file: str, crs_wkt: str | None, transform: Affine, width: int, height: int) -> Grid:
    """Build the grid of a raster and check that it lies on the earth.

    Raises:
        InputError: no CRS or place, degrees that are metres, coordinates off the earth or off the tiles.
    """
    if not crs_wkt:
        raise InputError(
            f"{file} has no coordinate reference system; assign the right one"
            f" (for example: rio edit-info --crs EPSG:32643 {file})."
        )
    if transform == Affine.identity() or transform.determinant == 0:
        raise InputError(f"{file} has a CRS but no place on the earth (no geotransform); export it with one.")
    try:
        grid = Grid(CRS.from_wkt(crs_wkt), transform, width, height)
    except CRSError as error:
        raise InputError(f"{file} has a CRS that cannot be understood ({error}); assign it anew.") from error
    _check_place(file, grid)
    return grid


def _check_place(file: str, grid: Grid) -> None:
    corners = np.array(
        [(0, 0), (grid.width, 0), (grid.width, grid.height), (0, grid.height)], dtype=np.float64
    )
    x, y = np.array([grid.transform @ (col, row) for col, row in corners]).T
    name = f"EPSG:{grid.crs.to_epsg()}" if grid.crs.to_epsg() else grid.crs.name
    if grid.crs.is_geographic and (np.abs(x).max() > 360 or np.abs(y).max() > 90):
        far = int(np.argmax(np.maximum(np.abs(x) / 180, np.abs(y) / 90)))
        raise InputError(
            f"{file} says {name}, which is in degrees, but a corner lies at x = {x[far]:.6g},"
            f" y = {y[far]:.6g}: these look like metres; assign the CRS that they are in."
        )
    if grid.crs.is_geographic and np.abs(x).max() > 180:
        raise InputError(
            f"{file} reaches longitude {x[np.argmax(np.abs(x))]:.6g}, beyond the antimeridian, where"
            " kilnlight does not work; cut it there, with longitudes from -180 to 180."
        )
    try:
        lon, lat = grid.lonlat(corners[:, 0], corners[:, 1])
    except ProjError as error:
        raise InputError(
            f"{file} has the CRS {name}, which cannot be turned into lon and lat; warp it to another."
        ) from error
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise InputError(
            f"{file} says {name}, but its corner x = {x[0]:.6g}, y = {y[0]:.6g} is no place on the earth"
            " in it; assign the right CRS."
        )
    if np.ptp(lon) > 180:
        raise InputError(f"{file} crosses the antimeridian, where kilnlight does not work; cut it there.")
    farthest = lat[np.argmax(np.abs(lat))]
    if abs(farthest) > MAX_LATITUDE:
        raise InputError(
            f"{file} reaches latitude {farthest:.6g}, beyond the tiles that coverage is told in; cut it at"
            f" {MAX_LATITUDE:g} degrees."
        )


def fit_pixels(file: str, grid: Grid, model_pixel_m: float | None) -> Fit:
    """Decide whether the pixels run as they are or are averaged to the model's.

    Args:
        file: the file's name, for messages.
        grid: the file's own grid.
        model_pixel_m: the model's pixel in metres; None takes any pixel as it is.

    Raises:
        InputError: pixels too coarse, or too few of them.
    """
    width_m, height_m = grid.pixel_size_m()
    if min(width_m, height_m) < _SMALLEST_PIXEL_M:
        raise InputError(
            f"{file} has pixels of {width_m:.2g} m × {height_m:.2g} m on the ground, which cannot be;"
            " its CRS or its geotransform is wrong, assign the right one."
        )
    fit = Fit(grid) if model_pixel_m is None else _fit(file, grid, (width_m, height_m), model_pixel_m)
    if min(fit.grid.width, fit.grid.height) < MIN_SIDE_PX:
        at = f" when averaged to {model_pixel_m:g} m" if fit.is_averaged else ""
        raise InputError(
            f"{file} is only {fit.grid.width} × {fit.grid.height} pixels{at}; at least {MIN_SIDE_PX} a side"
            " are needed, take a larger cut-out."
        )
    return fit


def _fit(file: str, grid: Grid, size_m: tuple[float, float], model_m: float) -> Fit:
    if max(size_m) > model_m * COARSEST * (1 + _TOLERANCE):
        raise InputError(
            f"{file} has pixels of {size_m[0]:.1f} m × {size_m[1]:.1f} m on the ground; the model needs"
            f" {model_m * FINEST:g} to {model_m * COARSEST:g} m or finer: use imagery of {model_m:g} m."
        )
    mean = math.sqrt(size_m[0] * size_m[1])
    if mean >= model_m * FINEST * (1 - _TOLERANCE) and min(size_m) >= model_m * NARROWEST:
        return Fit(grid)
    across, down = (_factor(model_m / size) for size in size_m)
    coarse = Grid(
        grid.crs,
        grid.transform @ Affine.scale(across, down),
        max(1, round(grid.width / across)),
        max(1, round(grid.height / down)),
    )
    return Fit(coarse, rows_per_pixel=down, cols_per_pixel=across)


def _factor(ratio: float) -> float:
    """Pixels per model pixel; a whole number where it is one within a hundredth (UTM scales by 0.9996)."""
    whole = round(ratio)
    return float(max(1, whole)) if abs(ratio - whole) <= 0.01 * ratio else max(1.0, ratio)
