"""geodata.labels.pictures: the pictures of a labelled folder and where each of them lies; reads no pixels."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.obb import Boxes
from geodata.tile_names import grid_of_name

ENDS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".jp2"}


@dataclass(frozen=True)
class Picture:
    """A picture and its place."""

    path: Path
    grid: Grid


def pictures_of(folder: Path) -> list[Picture]:
    """All pictures of a folder, or of the folder `images` in it, in the order of their names.

    The place comes from the file, or else from a name such as `28.7354_77.3558.png` (see
    `geodata.tile_names`).

    Raises:
        InputError: no such folder, no picture in it, one that does not open or has no place.
    """
    pictures, broken = sort_out(folder)
    if broken:
        raise InputError(
            f"{broken[0]} cannot be opened as a picture; take it out or mend it (`kilnlight audit` lists all "
            "of this kind)."
        )
    return pictures


def sort_out(folder: Path) -> tuple[list[Picture], tuple[Path, ...]]:
    """As `pictures_of`, but files that cannot be opened as pictures are returned apart."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give one with pictures.")
    inner = folder / "images"
    where = inner if inner.is_dir() else folder
    paths = sorted(path for path in where.iterdir() if path.suffix.lower() in ENDS)
    if not paths:
        raise InputError(
            f"{where} holds no picture ({', '.join(sorted(ENDS))}); give the folder with pictures."
        )
    grids = {path: _grid(path) for path in paths}
    broken = tuple(path for path, grid in grids.items() if grid is None)
    if len(broken) == len(paths):
        raise InputError(f"{broken[0]} cannot be opened as a picture, nor any other beside it; mend them.")
    return [Picture(path, grid) for path, grid in grids.items() if grid is not None], broken


def _grid(path: Path) -> Grid | None:
    """Where a picture lies; None where it does not open. Raises `InputError` for one without a place."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as data:
                crs, transform, width, height = data.crs, data.transform, data.width, data.height
    except RasterioError:
        return None
    if crs is not None and not transform.is_identity:
        return Grid(CRS.from_wkt(crs.to_wkt()), transform, width, height)
    named = grid_of_name(path, width, height)
    if named is None:
        raise InputError(
            f"{path} has no place on the earth, neither in the file nor in its name; "
            "give GeoTIFFs, or tiles named lat_lon.png."
        )
    return named


def kilns_in(pictures: Sequence[Picture], boxes: Boxes) -> list[NDArray[np.intp]]:
    """For each picture the kilns whose centre it shows."""
    out = []
    for picture in pictures:
        col, row = picture.grid.pixel(boxes.lon, boxes.lat)
        grid = picture.grid
        out.append(np.flatnonzero((col >= 0) & (col < grid.width) & (row >= 0) & (row < grid.height)))
    return out
