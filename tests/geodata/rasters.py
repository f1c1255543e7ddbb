"""Small rasters for tests of what reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

UTM = "EPSG:32643"
DEGREE_PIXEL = 8.983152841195214e-05
"""10 m north-south."""
EAST, NORTH = 720_000.0, 3_170_000.0
"""A corner near Delhi in UTM zone 43."""


def utm_transform(pixel_m: float = 10.0) -> Affine:
    return Affine(pixel_m, 0, EAST, 0, -pixel_m, NORTH)


def degree_transform(west: float = 77.25, north: float = 28.63) -> Affine:
    return Affine(DEGREE_PIXEL, 0, west, 0, -DEGREE_PIXEL, north)


def noise(
    height: int = 64, width: int = 80, bands: int = 3, dtype: str = "uint16", seed: int = 1
) -> np.ndarray:
    """Values of 1000-3000 (50-250 for bytes), none of them 0."""
    low, high = (50, 250) if dtype == "uint8" else (1000, 3000)
    return np.random.default_rng(seed).integers(low, high, (bands, height, width)).astype(dtype)


def write_raster(
    path: Path,
    pixels: np.ndarray,
    *,
    names: tuple[str, ...] | None = ("B04", "B03", "B02"),
    tags: dict[str, str] | None = None,
    crs: str | None = UTM,
    transform: Affine | None = None,
    **creation: Any,
) -> Path:
    """Write a GeoTIFF (or what `driver` says)."""
    profile = {
        "driver": "GTiff",
        "count": len(pixels),
        "height": pixels.shape[1],
        "width": pixels.shape[2],
        "dtype": pixels.dtype,
        "crs": crs,
        "transform": utm_transform() if transform is None else transform,
    }
    with rasterio.open(path, "w", **{**profile, **creation}) as dataset:
        dataset.write(pixels)
        for index, name in enumerate(names or (), start=1):
            dataset.set_band_description(index, name)
        if tags:
            dataset.update_tags(**tags)
    return path
