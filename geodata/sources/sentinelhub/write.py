"""geodata.sources.sentinelhub.write: one acquisition as one cloud-optimised GeoTIFF; knows no services."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError
from rasterio.shutil import copy as copy_raster
from rasterio.windows import Window as RasterWindow

from geodata.errors import InputError
from geodata.files import atomic_path
from geodata.grid import Grid
from geodata.scene import Window
from geodata.sources.sentinelhub.process import Pixels
from geodata.sources.sentinelhub.products import SCENE_CLASSES
from geodata.sources.whole import check_storage

REFLECTANCE_SCALE = 1e-4
NODATA = 0
_BLOCK = 512


@dataclass(frozen=True)
class Outline:
    """What a file will be: its grid, its bands in order and what its tags say."""

    scene_id: str
    acquired_at: datetime
    product: str
    bands: tuple[str, ...]
    grid: Grid
    source_products: tuple[str, ...]

    @property
    def has_scene_classes(self) -> bool:
        """Whether the file tells which of its pixels are cloud."""
        return SCENE_CLASSES in self.bands

    @property
    def tags(self) -> dict[str, str]:
        """The file's tags; times are ISO 8601 in UTC."""
        return {
            "KILNLIGHT_SCENE_ID": self.scene_id,
            "ACQUIRED_AT": self.acquired_at.isoformat().replace("+00:00", "Z"),
            "PRODUCT": self.product,
            "SOURCE_PRODUCTS": ",".join(self.source_products),
            "ATTRIBUTION": f"Contains modified Copernicus Sentinel data {self.acquired_at.year}",
        }


def write_scene(path: Path, outline: Outline, pieces: Iterable[tuple[Window, Pixels]]) -> None:
    """Write a COG with overviews, piece by piece, and put it in its place only when it is whole.

    Pixels that no piece fills are 0, no data. One piece at a time is in memory.

    Raises:
        InputError: the disk is full or cannot be written; whatever a piece raises. Nothing is left then.
    """
    with atomic_path(path) as temporary:
        # a COG cannot be written window by window; this side file goes with the temporary name it begins with
        plain = temporary.with_name(f"{temporary.name}.pieces.tif")
        try:
            sums = _write_pieces(plain, outline, pieces)
            _copy_as_cog(plain, temporary)
            whole = all(_sum_of(temporary, window) == crc for window, crc in sums)
        except (RasterioError, OSError) as error:
            raise InputError(
                f"{path} could not be written ({error}); check the disk's free space."
            ) from error
        finally:
            plain.unlink(missing_ok=True)
        if not whole:
            raise InputError(f"{path} does not read back as it was written; check the disk and run again.")


def _write_pieces(
    plain: Path, outline: Outline, pieces: Iterable[tuple[Window, Pixels]]
) -> list[tuple[Window, int]]:
    """Write the pieces and give the checksum of each."""
    sums = []
    with rasterio.open(plain, "w", **_profile(outline)) as dataset:
        _describe(dataset, outline)
        for window, pixels in pieces:
            dataset.write(pixels, window=_raster_window(window))
            sums.append((window, zlib.crc32(pixels.tobytes())))
    return sums


def _copy_as_cog(plain: Path, final: Path) -> None:
    try:
        # nearest, since the mean of two scene classes is a third one
        copy_raster(
            plain, final, driver="COG", blocksize=_BLOCK, compress="DEFLATE", predictor="YES",
            overview_resampling="NEAREST", bigtiff="IF_SAFER",
        )  # fmt: skip
    except Exception as error:  # GDAL's own errors come through, and rasterio has no public class for them
        raise OSError(str(error)) from error


def _sum_of(path: Path, window: Window) -> int:
    with rasterio.open(path) as dataset:
        return zlib.crc32(dataset.read(window=_raster_window(window)).tobytes())


def _raster_window(window: Window) -> RasterWindow:
    return RasterWindow(window.col, window.row, window.width, window.height)


def is_complete(path: Path, outline: Outline) -> bool:
    """Whether a file is there that holds just this scene, made from just these products."""
    if not path.is_file():
        return False
    try:
        with rasterio.open(path) as dataset:
            check_storage(dataset, path, allow_damaged=False)
            tags = dataset.tags()
            return all(tags.get(name) == value for name, value in outline.tags.items()) and (
                dataset.descriptions == outline.bands
                and (dataset.width, dataset.height) == (outline.grid.width, outline.grid.height)
                and dataset.transform == outline.grid.transform
            )
    except (RasterioError, InputError):
        return False


def _profile(outline: Outline) -> dict[str, object]:
    grid = outline.grid
    return {
        "driver": "GTiff", "dtype": "uint16", "count": len(outline.bands), "nodata": NODATA,
        "width": grid.width, "height": grid.height, "crs": grid.crs.to_wkt(), "transform": grid.transform,
        "tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK, "interleave": "pixel",
        "compress": "DEFLATE", "zlevel": 1, "predictor": 2, "bigtiff": "IF_SAFER", "sparse_ok": True,
    }  # fmt: skip


def _describe(dataset: rasterio.io.DatasetWriter, outline: Outline) -> None:
    dataset.descriptions = outline.bands
    dataset.scales = [1.0 if band == SCENE_CLASSES else REFLECTANCE_SCALE for band in outline.bands]
    dataset.offsets = [0.0] * len(outline.bands)
    dataset.update_tags(**outline.tags)
