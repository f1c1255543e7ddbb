"""geodata.scene: what a scene is; knows nothing of any file format or service."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geodata.grid import Grid


@dataclass(frozen=True)
class Window:
    """A rectangle in whole pixels of a scene's grid, (col, row) its upper left; may reach over the edges."""

    col: int
    row: int
    width: int
    height: int


@dataclass(frozen=True)
class Patch:
    """Pixels of one window: float32 (bands, height, width) and a bool mask (height, width).

    A pixel is valid where every band is finite, not nodata and not masked as cloud or defect; invalid pixels
    are 0 in `pixels`. What lies outside the scene is invalid.
    """

    pixels: NDArray[np.float32]
    valid: NDArray[np.bool_]
    window: Window


@dataclass(frozen=True)
class BandStats:
    """Median and spread (half the 16-84 % range, > 0 unless the band is constant) of one band.

    They come from one fixed coarse read of the whole scene, so that they do not depend on windows.
    """

    median: float
    spread: float


@dataclass(frozen=True)
class SceneInfo:
    """What is known of a scene without reading it whole."""

    scene_id: str
    """Product id from the metadata, else file stem + 8 hex digits of the file's SHA-256."""
    name: str
    """What a person calls it: the file's name."""
    sha256: str
    acquired_at: datetime | None
    """UTC; None where neither the metadata nor the user tells. Never the file's time."""
    product: str
    """'S2-L2A', 'S2-L1C', ... or 'unknown'."""
    bands: tuple[str, ...]
    """Names of the bands that `read` gives, in that order."""
    grid: Grid
    """The grid that `read` works on: the file's own, or coarser where fine pixels are averaged."""
    made_up: bool = False
    """True for painted scenes; everything that comes from them is marked so."""


class Scene(Protocol):
    """One open scene. Not thread-safe: open one per thread. Use as a context manager."""

    @property
    def info(self) -> SceneInfo:
        """What is known of the scene."""
        ...

    def stats(self) -> tuple[BandStats, ...]:
        """Statistics per band, from one fixed coarse read of the valid pixels; empty if none is valid."""
        ...

    def read(self, window: Window) -> Patch:
        """Pixels of a window. Raises `InputError` for one that does not decode, unless damage is allowed."""
        ...

    def close(self) -> None:
        """Release the file."""
        ...
