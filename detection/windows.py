"""detection.windows: the windows in which a scene is run; knows nothing of pixels' values or models.

A scene is cut into cores that do not overlap; around each core the net is shown as much as it can see, so
that its answer in the core does not depend on where the cores lie. A detection belongs to the window whose
core holds its centre.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from geodata.scene import Window

CORE_PX = 1024
"""Larger cores waste less on their surroundings but need more memory (about 1 GB for this one)."""
REACH_PX = 160
"""How far the net sees from a pixel: 152 px for strides 2 to 16 with two blocks each, rounded up."""


@dataclass(frozen=True)
class ScanWindow:
    """One window of a scan, in the scene's pixels."""

    core: Window
    """Lies inside the scene."""
    net: Window
    """What the net is shown: sides and origin are multiples of the net's step."""
    read: Window
    """What is read: `net` and the surroundings that normalisation looks at."""

    def net_in_read(self) -> tuple[slice, slice]:
        """Rows and columns of `net` within arrays of `read`."""
        top, left = self.net.row - self.read.row, self.net.col - self.read.col
        return slice(top, top + self.net.height), slice(left, left + self.net.width)

    def core_in_read(self) -> tuple[slice, slice]:
        """Rows and columns of `core` within arrays of `read`."""
        top, left = self.core.row - self.read.row, self.core.col - self.read.col
        return slice(top, top + self.core.height), slice(left, left + self.core.width)


def windows(
    width: int,
    height: int,
    multiple: int,
    halo_px: int,
    core_px: int = CORE_PX,
    offset: tuple[int, int] = (0, 0),
) -> list[ScanWindow]:
    """The windows that cover a scene, row by row.

    Args:
        width: of the scene, in pixels.
        height: of the scene, in pixels.
        multiple: the net's step: its answer is the same for windows that begin a multiple of it apart.
        halo_px: how far normalisation looks beyond what the net is shown.
        core_px: side of a core.
        offset: columns and rows by which the grid of cores is moved; the result must not depend on it.
    """
    out = []
    for top, bottom in _cores(height, core_px, offset[1]):
        for left, right in _cores(width, core_px, offset[0]):
            net_left, net_right = _net_span(left, right, width, multiple)
            net_top, net_bottom = _net_span(top, bottom, height, multiple)
            net = Window(net_left, net_top, net_right - net_left, net_bottom - net_top)
            read_left, read_right = _read_span(net_left, net_right, width, halo_px)
            read_top, read_bottom = _read_span(net_top, net_bottom, height, halo_px)
            read = Window(read_left, read_top, read_right - read_left, read_bottom - read_top)
            out.append(ScanWindow(Window(left, top, right - left, bottom - top), net, read))
    return out


def _cores(size: int, core_px: int, offset: int) -> Iterator[tuple[int, int]]:
    start = offset % core_px - core_px
    for low in range(start, size, core_px):
        begin, end = max(low, 0), min(low + core_px, size)
        if begin < end:
            yield begin, end


def _net_span(begin: int, end: int, size: int, multiple: int) -> tuple[int, int]:
    # No margin of invalid pixels beyond a scene's edge: nets have learnt from crops without one, and it took
    # .14 from the scores in tiles of 128 px (docs/results.md).
    low, high = max(begin - REACH_PX, 0), min(end + REACH_PX, size)
    return low // multiple * multiple, -(-high // multiple) * multiple


def _read_span(low: int, high: int, size: int, halo_px: int) -> tuple[int, int]:
    """Surroundings beyond the scene's edge hold no valid pixel: they need not be read."""
    return min(max(low - halo_px, 0), low), max(min(high + halo_px, size), high)
