"""geodata.sample: one fixed coarse read of a whole scene; knows scenes only by their `read`.

It takes single pixels on a lattice of at most `LATTICE` rows and columns of the scene's own grid, at full
resolution: overviews would smooth the pixels and so shrink the spread. Only whole rows are read, one after
the other, so that memory stays small however the file is laid out, and the same pixels are taken each time.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geodata.scene import BandStats, Patch, Window

LATTICE = 512
ENOUGH = 1000
"""Valid pixels that give a median and a spread to within some per cent."""
_ROWS_AT_ONCE = 16
_LOW, _MIDDLE, _HIGH = 16.0, 50.0, 84.0


def lattice(length: int) -> NDArray[np.intp]:
    """Positions along one side: all of them, or `LATTICE` evenly spread ones."""
    count = min(length, LATTICE)
    return ((np.arange(count) + 0.5) * length / count).astype(np.intp)


def sample(read: Callable[[Window], Patch], width: int, height: int) -> NDArray[np.float32]:
    """Valid pixels of the lattice, shape (bands, n); n is 0 where none is valid.

    Where the lattice meets fewer than `ENOUGH` valid pixels, as in a large scene of which little is valid,
    every row is read until `ENOUGH` are found.
    """
    cols = lattice(width)
    taken = [_valid(read(Window(0, int(row), width, 1)), cols) for row in lattice(height)]
    found = np.concatenate(taken, axis=1)
    if found.shape[1] >= ENOUGH or max(width, height) <= LATTICE:
        return found
    return _dense(read, width, height)


def _dense(read: Callable[[Window], Patch], width: int, height: int) -> NDArray[np.float32]:
    taken: list[NDArray[np.float32]] = []
    number = 0
    for top in range(0, height, _ROWS_AT_ONCE):
        taken.append(_valid(read(Window(0, top, width, min(_ROWS_AT_ONCE, height - top))), np.arange(width)))
        number += taken[-1].shape[1]
        if number >= ENOUGH:
            break
    return np.concatenate(taken, axis=1)


def _valid(patch: Patch, cols: NDArray[np.intp]) -> NDArray[np.float32]:
    return patch.pixels[:, :, cols][:, patch.valid[:, cols]]


def statistics(pixels: NDArray[np.float32]) -> tuple[BandStats, ...]:
    """Median and half the 16-84 % range per band of pixels (bands, n); empty where n is 0.

    Where more than two thirds of a band share one value the range would be 0 though the band is not
    constant; then the standard deviation stands in.
    """
    if pixels.shape[1] == 0:
        return ()
    return tuple(_band_statistics(band.astype(np.float64)) for band in pixels)


def _band_statistics(band: NDArray[np.float64]) -> BandStats:
    low, middle, high = np.percentile(band, [_LOW, _MIDDLE, _HIGH])
    spread = (high - low) / 2
    if spread == 0 and band.min() < band.max():
        spread = band.std()
    return BandStats(float(middle), float(spread))
