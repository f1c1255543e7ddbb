"""geodata.sources.reader: windows of a raster file with their masks, and what to do where it is damaged."""

import math
from collections.abc import Iterator
from copy import copy
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioIOError
from rasterio.windows import Window as RasterWindow

from geodata.errors import InputError
from geodata.scene import Window
from geodata.sources.bands import BandPlan
from geodata.sources.masks import not_all_zero, to_float, valid_classes, valid_values

CACHE_BYTES = 512 << 20
"""GDAL's block cache, set by us: its default is a share of the machine's memory. It holds 1,700 rows of three
16-bit bands 50,000 px wide, so that a row of windows decodes each strip once."""
_ROWS_AT_ONCE = 128

Pixels = NDArray[np.float32]
Mask = NDArray[np.bool_]
Block = tuple[int, int]


class RasterReader:
    """Reads the planned bands of an open dataset on its own grid."""

    def __init__(self, dataset: Any, file: str, plan: BandPlan, *, allow_damaged: bool) -> None:
        self._dataset = dataset
        self._file = file
        self._plan = plan
        self._allow_damaged = allow_damaged
        self._damaged: set[Block] = set()
        self._downwards = False
        flags = {flag for index in plan.indexes for flag in dataset.mask_flag_enums[index - 1]}
        if plan.alpha_is_data and MaskFlags.alpha in flags:
            flags -= {MaskFlags.alpha, MaskFlags.per_dataset}
        self._has_mask = bool(flags & {MaskFlags.per_dataset, MaskFlags.alpha})
        self._nodata = [dataset.nodatavals[index - 1] for index in plan.indexes]
        # nothing tells missing pixels: then 0 in every band does
        self._zero_is_missing = not self._has_mask and plan.scl_index is None and set(self._nodata) == {None}
        # the blocks of the first wanted band; all bands of one file are cut alike
        self._block_shape: tuple[int, int] = dataset.block_shapes[plan.indexes[0] - 1]

    def on(self, dataset: Any) -> Self:
        """The same reader on the same file, opened again."""
        other = copy(self)
        other._dataset = dataset
        return other

    @property
    def damaged_share(self) -> float:
        """Share of the file's pixels that lie in blocks found damaged so far."""
        windows = [self._block_window(block) for block in self._damaged]
        pixels = sum(window.width * window.height for window in windows)
        return float(pixels / (self._dataset.width * self._dataset.height))

    def read(self, window: Window) -> tuple[Pixels, Mask]:
        """Pixels (bands, height, width) and mask; what lies outside is 0 and invalid.

        Raises:
            InputError: a block does not decode and damage is not allowed.
        """
        pixels = np.zeros((len(self._plan.indexes), window.height, window.width), np.float32)
        valid = np.zeros((window.height, window.width), np.bool_)
        inner = _clip(window, self._dataset.width, self._dataset.height)
        for part in self._in_turn(inner) if inner is not None else ():
            place = _place(part, window)
            pixels[:, *place], valid[place] = self._read_inside(part)
        return pixels, valid

    def _in_turn(self, window: Window) -> Iterator[Window]:
        """Parts of a window, from the top and from the bottom in turn.

        Windows side by side need the same strips of a striped file. Where the cache cannot hold all of them,
        reading always downwards would push each strip out just before it is needed again.
        """
        self._downwards = not self._downwards
        tops = range(window.row, window.row + window.height, _ROWS_AT_ONCE)
        for top in tops if self._downwards else reversed(tops):
            height = min(_ROWS_AT_ONCE, window.row + window.height - top)
            yield Window(window.col, top, window.width, height)

    def _read_inside(self, window: Window) -> tuple[Pixels, Mask]:
        try:
            return self._decode(window)
        except RasterioIOError as error:
            if not self._allow_damaged:
                where = next((w for w, _ in self._by_block(window) if not self._decodes(w)), window)
                raise InputError(
                    f"{self._file} is damaged: the pixels at column {where.col}, row {where.row} do not"
                    " decode; get the file again, or let detect or evaluate leave such pixels out with"
                    " --allow-damaged."
                ) from error
        return self._read_what_decodes(window)

    def _read_what_decodes(self, window: Window) -> tuple[Pixels, Mask]:
        pixels = np.zeros((len(self._plan.indexes), window.height, window.width), np.float32)
        valid = np.zeros((window.height, window.width), np.bool_)
        for part, block in self._by_block(window):
            try:
                place = _place(part, window)
                pixels[:, *place], valid[place] = self._decode(part)
            except RasterioIOError:
                self._damaged.add(block)
        return pixels, valid

    def _decodes(self, window: Window) -> bool:
        try:
            self._decode(window)
        except RasterioIOError:
            return False
        return True

    def _decode(self, window: Window) -> tuple[Pixels, Mask]:
        area = RasterWindow(window.col, window.row, window.width, window.height)
        # GDAL's own threads would write its errors to the terminal past us
        with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES, GDAL_NUM_THREADS="1"):
            raw = self._raw(area)
            valid = np.all([valid_values(b, n) for b, n in zip(raw, self._nodata, strict=False)], axis=0)
            if self._has_mask:
                valid &= self._dataset.read_masks(list(self._plan.indexes), window=area).all(axis=0)
        bands = raw[: len(self._plan.indexes)]
        if self._plan.scl_index is not None:
            valid &= valid_classes(raw[-1])
        if self._zero_is_missing:
            valid &= not_all_zero(bands)
        pixels = np.stack([to_float(band) for band in bands])
        pixels[:, ~valid] = 0.0
        return pixels, valid

    def _raw(self, area: RasterWindow) -> list[NDArray[Any]]:
        """Bands as stored, the class layer last."""
        indexes = [*self._plan.indexes, *([self._plan.scl_index] if self._plan.scl_index else [])]
        if len({self._dataset.dtypes[index - 1] for index in indexes}) == 1:
            # one call decodes a block of interleaved bands once
            return list(self._dataset.read(indexes, window=area))
        return [self._dataset.read(index, window=area) for index in indexes]

    def _block_window(self, block: Block) -> Window:
        rows, cols = self._block_shape
        row, col = block[0] * rows, block[1] * cols
        height, width = min(rows, self._dataset.height - row), min(cols, self._dataset.width - col)
        return Window(col, row, width, height)

    def _by_block(self, window: Window) -> Iterator[tuple[Window, Block]]:
        """The parts of a window by the blocks of the file that they lie in."""
        rows, cols = self._block_shape
        for i in range(window.row // rows, math.ceil((window.row + window.height) / rows)):
            for j in range(window.col // cols, math.ceil((window.col + window.width) / cols)):
                part = _intersect(window, self._block_window((i, j)))
                if part is not None:
                    yield part, (i, j)


def _intersect(one: Window, two: Window) -> Window | None:
    left, top = max(one.col, two.col), max(one.row, two.row)
    right = min(one.col + one.width, two.col + two.width)
    bottom = min(one.row + one.height, two.row + two.height)
    return Window(left, top, right - left, bottom - top) if right > left and bottom > top else None


def _clip(window: Window, width: int, height: int) -> Window | None:
    return _intersect(window, Window(0, 0, width, height))


def _place(part: Window, whole: Window) -> tuple[slice, slice]:
    row, col = part.row - whole.row, part.col - whole.col
    return slice(row, row + part.height), slice(col, col + part.width)
