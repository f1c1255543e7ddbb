"""Cuts of real scenes, and copies of them that show the same ground in other numbers or on another grid."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.warp import Resampling, calculate_default_transform, reproject
from rasterio.windows import Window


def cut(source: Path, target: Path, window: Window) -> Path:
    """Some pixels of a scene as a file of its own."""
    with rasterio.open(source) as data:
        with rasterio.open(
            target,
            "w",
            driver="GTiff",
            count=data.count,
            dtype=data.dtypes[0],
            width=window.width,
            height=window.height,
            crs=data.crs,
            transform=data.window_transform(window),
            nodata=data.nodata,
            compress="deflate",
        ) as out:
            out.write(data.read(window=window))
            out.descriptions = data.descriptions
    return target


def rescaled(source: Path, target: Path, gains: tuple[int, ...], offsets: tuple[int, ...]) -> Path:
    """The same pixels as uint16, each band with a gain and an offset of its own; nodata stays 0."""
    with rasterio.open(source) as data:
        pixels = data.read()
        numbers = pixels * np.reshape(gains, (-1, 1, 1)) + np.reshape(offsets, (-1, 1, 1))
        numbers[pixels == 0] = 0
        with rasterio.open(target, "w", **{**data.profile, "dtype": "uint16"}) as out:
            out.write(numbers.astype(np.uint16))
            out.descriptions = data.descriptions
    return target


def to_utm(source: Path, target: Path, crs: str = "EPSG:32643") -> Path:
    """The scene on a UTM grid of 10 m, cubically interpolated."""
    with rasterio.open(source) as data:
        transform, width, height = calculate_default_transform(
            data.crs, crs, data.width, data.height, *data.bounds, resolution=10
        )
        place = {"crs": crs, "transform": transform, "width": width, "height": height}
        with rasterio.open(target, "w", **{**data.profile, **place, "compress": "deflate"}) as out:
            for band in data.indexes:
                reproject(
                    rasterio.band(data, band),
                    rasterio.band(out, band),
                    resampling=Resampling.cubic,
                    src_nodata=0,
                    dst_nodata=0,
                )
            out.descriptions = data.descriptions
    return target
