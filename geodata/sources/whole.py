"""geodata.sources.whole: whether a raster file can be opened, is whole and can be read in windows."""

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geodata.errors import InputError
from geodata.files import sha256_of
from geodata.sources.complaints import complaints

_LOST_TAG = "IO error during reading of"
"""GDAL opens a TIFF whose last tags are cut away, band names and date among them, and only warns."""
MAX_BLOCK_BYTES = 400 << 20
_BLOCKS_TO_CHECK = 4096
PICTURES = ("PNG", "JPEG")


def open_raster(path: Path) -> Any:
    """Open a raster file for reading.

    Raises:
        InputError: there is none, it is no raster, its header is cut short, or it holds several.
    """
    if not path.exists():
        raise InputError(f"There is no file {path}; check the path.")
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a raster; name the files in it.")
    if not path.is_file():
        raise InputError(f"{path} is a pipe or a device; give a file.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read; change its permissions.")
    with warnings.catch_warnings(), complaints() as said:
        # a missing place becomes an error of ours, with a remedy
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            dataset = rasterio.open(path)
        except RasterioError as error:
            raise InputError(
                f"{path} is no raster that can be read, or is cut short; give a GeoTIFF, COG or JPEG 2000."
            ) from error
    if any(_LOST_TAG in line for line in said):
        dataset.close()
        raise InputError(f"{path} is cut short: parts of its header are missing; get the file again.")
    if dataset.count == 0:
        parts = len(dataset.subdatasets)
        dataset.close()
        raise InputError(
            f"{path} holds {parts} rasters instead of one; export the bands wanted as a GeoTIFF."
        )
    return dataset


def scene_sha256(path: Path) -> str:
    """SHA-256 of a scene's file, or of a VRT and the files that it names, since it holds no pixels itself.

    Raises:
        OSError: the file cannot be read.
        InputError: a VRT that cannot be opened.
    """
    if path.suffix.lower() != ".vrt":
        return sha256_of(path)
    with open_raster(path) as dataset:
        files = [Path(name) for name in dataset.files]
    # one that is lost is found out when its pixels are read
    hashes = [sha256_of(file) if file.is_file() else "lost" for file in files]
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def check_storage(dataset: Any, path: Path, *, allow_damaged: bool) -> None:
    """Check types, the size of blocks and, for TIFF, that the file is as long as its blocks say.

    Raises:
        InputError: complex pixels, blocks that need too much memory, or a file that is cut short (unless
            damage is allowed).
    """
    if any("complex" in dtype for dtype in dataset.dtypes):
        raise InputError(f"{path} has complex numbers as pixels; give an optical image.")
    rows, cols = dataset.block_shapes[0]
    bands = dataset.count if _is_interleaved(dataset) else 1
    block_bytes = rows * cols * bands * np.dtype(dataset.dtypes[0]).itemsize
    if block_bytes > MAX_BLOCK_BYTES:
        raise InputError(
            f"{path} is stored in blocks of {cols} × {rows} pixels ({block_bytes / 1e6:,.0f} MB), too large"
            f" to read in parts; store it in tiles (rio convert --co TILED=YES {path} tiled.tif)."
        )
    if dataset.driver in PICTURES:
        check_picture(path)
    if dataset.driver == "GTiff" and not allow_damaged:
        end = _end_of_blocks(dataset)
        size = path.stat().st_size
        if end > size:
            raise InputError(
                f"{path} is cut short: it has {size:,} bytes and needs at least {end:,}; get the file again,"
                " or let detect or evaluate leave the missing pixels out with --allow-damaged."
            )


def check_picture(path: Path) -> None:
    """Check that a PNG or JPEG file is whole: GDAL (3.10) reads cut ones without a word.

    Raises:
        InputError: for one that is not.
    """
    try:
        with Image.open(path) as picture:
            picture.load()
    except (OSError, SyntaxError) as error:
        raise InputError(f"{path} is damaged or cut short ({error}); get the file again.") from error


def _is_interleaved(dataset: Any) -> bool:
    return bool(dataset.interleaving and dataset.interleaving.name == "pixel")


def _end_of_blocks(dataset: Any) -> int:
    """Bytes that a TIFF needs for its blocks (for a sample of them where there are many)."""
    rows, cols = dataset.block_shapes[0]
    across, down = -(-dataset.width // cols), -(-dataset.height // rows)
    planes = 1 if _is_interleaved(dataset) else dataset.count
    number = across * down
    chosen = {*range(0, number, max(1, number // _BLOCKS_TO_CHECK)), number - 1}
    end = 0
    for band in range(1, planes + 1):
        for block in chosen:
            row, col = divmod(block, across)
            offset = dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band)
            length = dataset.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=band)
            if offset and length:
                end = max(end, int(offset) + int(length))
    return end
