"""geodata.sources.files: local rasters (GeoTIFF, COG, JPEG 2000) as scenes.

A scene reads windows only. Pixels of about the model's size come as they are stored; finer ones are
averaged over their valid part.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.sample import sample, statistics
from geodata.scene import BandStats, Patch, SceneInfo, Window
from geodata.sources.average import average, source_span
from geodata.sources.bands import BandPlan, FileBand, plan_bands
from geodata.sources.georeference import Fit, fit_pixels, grid_of
from geodata.sources.metadata import UNKNOWN_PRODUCT, Metadata, product_name, read_metadata
from geodata.sources.reader import RasterReader
from geodata.sources.whole import check_storage, open_raster, scene_sha256
from geodata.tile_names import TILE_SUFFIX, grid_of_name

RGB = ("red", "green", "blue")
_FINE_PIXELS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class OpenOptions:
    """How to open scenes: what the model wants and what the user told."""

    bands: tuple[str, ...] = RGB
    """Names of the wanted bands, in the order in which they are read."""
    band_names: tuple[str, ...] | None = None
    """Names of the file's bands in their order, where the file does not name them."""
    acquired_at: datetime | None = None
    """UTC; used where the metadata does not tell."""
    product: str | None = None
    """Used where the metadata does not tell."""
    pixel_size_m: float | None = 10.0
    """The model's pixel; None takes any pixel as it is."""
    allow_damaged: bool = False
    """Take pixels that do not decode as invalid."""


class FileScene:
    """An open raster file; implements `geodata.scene.Scene`. Use as a context manager."""

    def __init__(self, path: Path, dataset: Any, info: SceneInfo, reader: RasterReader, fit: Fit) -> None:
        self._path = path
        self._dataset = dataset
        self._parked = False
        self._info = info
        self._reader = reader
        self._fit = fit
        self._stats: tuple[BandStats, ...] | None = None
        self.warnings: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def info(self) -> SceneInfo:
        """What is known of the scene."""
        return self._info

    @property
    def damaged_share(self) -> float:
        """Share of the file's pixels in blocks that did not decode, of those read so far."""
        return self._reader.damaged_share

    def stats(self) -> tuple[BandStats, ...]:
        """Statistics per band from one fixed coarse read; empty if no pixel is valid."""
        if self._stats is None:
            grid = self._info.grid
            read = self.read
            if self._parked:
                # a small scene: rows are asked for one by one, and each would open the file
                read = partial(_part, self.read(Window(0, 0, grid.width, grid.height)))
            self._stats = statistics(sample(read, grid.width, grid.height))
        return self._stats

    def park(self) -> None:
        """Release the file; each later read opens it anew, so that thousands of scenes can be at hand."""
        self._parked = True
        self._dataset.close()

    @contextmanager
    def _opened(self) -> Iterator[RasterReader]:
        if not self._parked:
            yield self._reader
            return
        with open_raster(self._path) as dataset:
            yield self._reader.on(dataset)

    def read(self, window: Window) -> Patch:
        """Pixels of a window of `info.grid`. Raises `InputError` for pixels that do not decode."""
        with self._opened() as reader:
            return self._read(reader, window)

    def _read(self, reader: RasterReader, window: Window) -> Patch:
        if not self._fit.is_averaged:
            pixels, valid = reader.read(window)
            return Patch(pixels, valid, window)
        pixels = np.empty((len(self._info.bands), window.height, window.width), np.float32)
        valid = np.empty((window.height, window.width), np.bool_)
        # fine pixels are many: a few coarse rows at a time
        fine_row = window.width * self._fit.cols_per_pixel * self._fit.rows_per_pixel
        step = max(1, int(_FINE_PIXELS_AT_ONCE / max(1.0, fine_row)))
        for top in range(0, window.height, step):
            rows = min(step, window.height - top)
            part = Window(window.col, window.row + top, window.width, rows)
            pixels[:, top : top + rows], valid[top : top + rows] = self._averaged(reader, part)
        return Patch(pixels, valid, window)

    def _averaged(self, reader: RasterReader, part: Window) -> tuple[Any, Any]:
        down, across = self._fit.rows_per_pixel, self._fit.cols_per_pixel
        top, bottom = source_span(part.row, part.row + part.height, down)
        left, right = source_span(part.col, part.col + part.width, across)
        pixels, valid = reader.read(Window(left, top, right - left, bottom - top))
        return average(pixels, valid, (part.row, part.col), (part.height, part.width), (down, across))

    def close(self) -> None:
        """Release the file."""
        self._dataset.close()

    def __enter__(self) -> Self:
        """Give the scene itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Release the file."""
        self.close()


def _part(whole: Patch, window: Window) -> Patch:
    """A window of a patch that holds it."""
    rows = slice(window.row, window.row + window.height)
    cols = slice(window.col, window.col + window.width)
    return Patch(whole.pixels[:, rows, cols], whole.valid[rows, cols], window)


def open_scene(
    path: Path,
    *,
    bands: Sequence[str] = RGB,
    band_names: Sequence[str] | None = None,
    acquired_at: datetime | None = None,
    product: str | None = None,
    pixel_size_m: float | None = 10.0,
    allow_damaged: bool = False,
) -> FileScene:
    """Open one raster file as a scene; the arguments are those of `OpenOptions`.

    Raises:
        InputError: the file is missing, no raster, cut short, without a place, too small, too coarse, or
            does not have the bands.
    """
    names = tuple(band_names) if band_names is not None else None
    options = OpenOptions(tuple(bands), names, acquired_at, product, pixel_size_m, allow_damaged)
    return open_with(path, options)


def open_with(path: Path, options: OpenOptions) -> FileScene:
    """Open one raster file as a scene, as `open_scene`."""
    path = Path(path)
    dataset = open_raster(path)
    try:
        check_storage(dataset, path, allow_damaged=options.allow_damaged)
        grid = _grid(dataset, path)
        fit = fit_pixels(path.name, grid, options.pixel_size_m)
        plan = plan_bands(path.name, _file_bands(dataset), options.bands, options.band_names)
        info, warnings = _describe(path, dataset, plan, fit, options)
        reader = RasterReader(dataset, str(path), plan, allow_damaged=options.allow_damaged)
    except BaseException:
        dataset.close()
        raise
    scene = FileScene(path, dataset, info, reader, fit)
    scene.warnings = plan.warnings + warnings
    return scene


def _grid(dataset: Any, path: Path) -> Grid:
    if dataset.crs is None and path.suffix.lower() == TILE_SUFFIX:
        named = grid_of_name(path, dataset.width, dataset.height)
        if named is not None:
            return named
    crs_wkt = dataset.crs.to_wkt() if dataset.crs else None
    return grid_of(path.name, crs_wkt, dataset.transform, dataset.width, dataset.height)


def _file_bands(dataset: Any) -> list[FileBand]:
    out = []
    for index in dataset.indexes:
        tags = dataset.tags(index)
        name = dataset.descriptions[index - 1] or tags.get("DESCRIPTION") or tags.get("BANDNAME")
        out.append(FileBand(index, name, dataset.colorinterp[index - 1].name))
    return out


def _describe(
    path: Path, dataset: Any, plan: BandPlan, fit: Fit, options: OpenOptions
) -> tuple[SceneInfo, tuple[str, ...]]:
    known = read_metadata({**dataset.tags(ns="IMAGERY"), **dataset.tags()}, path.stem)
    try:
        sha256 = scene_sha256(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); get it again.") from error
    info = SceneInfo(
        scene_id=known.scene_id or f"{path.stem}_{sha256[:8]}",
        name=path.name,
        sha256=sha256,
        acquired_at=known.acquired_at or options.acquired_at,
        product=known.product or product_name(options.product or "") or UNKNOWN_PRODUCT,
        bands=plan.names,
        grid=fit.grid,
        made_up=known.made_up,
    )
    return info, _conflicts(path.name, known, options)


def _conflicts(file: str, known: Metadata, options: OpenOptions) -> tuple[str, ...]:
    """Warn where the user says other than the file; the file is believed."""
    out = []
    if options.acquired_at and known.acquired_at and options.acquired_at != known.acquired_at:
        out.append(f"{file} says that it was acquired at {known.acquired_at.isoformat()}; that is taken.")
    if options.product and known.product and product_name(options.product) != known.product:
        out.append(f"{file} says itself that it is of the product {known.product}; that is taken.")
    return tuple(out)
