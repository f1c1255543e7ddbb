"""geodata.pictures: small north-up pictures cut from scenes; knows nothing of kilns or pages.

A picture is a box in lon/lat, drawn with true proportions in metres at its centre. The PNG holds no place;
that is kept in its `Frame`, which carries points of the picture to lon/lat and back.
"""

import functools
import io
import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from mercantile import Tile, bounds
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geodata.grid import Floats, Grid, metres_per_degree
from geodata.sample import sample
from geodata.scene import Scene, Window

WIDTH_M = 1280.0
SIZE_PX = 384
_LOW, _HIGH = 2.0, 98.0
_HATCH_PX = 8
_HATCH_GREYS = (112, 144)


@dataclass(frozen=True)
class Frame:
    """Where a picture lies: its sides in degrees and its size in pixels."""

    west: float
    south: float
    east: float
    north: float
    width_px: int
    height_px: int

    def lonlat(self, u: float, v: float) -> tuple[float, float]:
        """Place of a point given as shares (0-1) of the picture from its upper left corner."""
        return self.west + u * (self.east - self.west), self.north - v * (self.north - self.south)

    def share(self, lon: float, lat: float) -> tuple[float, float]:
        """Shares (u, v) of the picture at a place; outside 0-1 where the picture does not show it."""
        return (lon - self.west) / (self.east - self.west), (self.north - lat) / (self.north - self.south)


@dataclass(frozen=True)
class Stretch:
    """Per band the values shown as black and as white."""

    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Picture:
    """A PNG with the place it shows."""

    png: bytes
    frame: Frame
    valid_share: float
    """Share of the picture with valid pixels; the rest is hatched grey."""


def frame_around(lon: float, lat: float, width_m: float = WIDTH_M, size_px: int = SIZE_PX) -> Frame:
    """Frame of a square of true metres with a place in its middle."""
    east_m, north_m = metres_per_degree(lat)
    half_lon, half_lat = width_m / 2 / float(east_m), width_m / 2 / float(north_m)
    return Frame(lon - half_lon, lat - half_lat, lon + half_lon, lat + half_lat, size_px, size_px)


def frame_of_tile(tile: Tile, size_px: int = SIZE_PX) -> Frame:
    """Frame of a whole tile, `size_px` wide and as high as its true proportions ask."""
    west, south, east, north = bounds(tile)
    east_m, north_m = metres_per_degree((south + north) / 2)
    height = size_px * (north - south) * float(north_m) / ((east - west) * float(east_m))
    return Frame(west, south, east, north, size_px, max(1, round(height)))


def stretch_of(scene: Scene) -> Stretch:
    """Contrast of a scene: its 2 and 98 % values per shown band, from one fixed coarse read."""
    grid = scene.info.grid
    values = sample(scene.read, grid.width, grid.height)[list(_shown_bands(scene))]
    if values.shape[1] == 0:
        return Stretch((0.0,) * len(values), (1.0,) * len(values))
    low, high = np.percentile(values, [_LOW, _HIGH], axis=1)
    # a constant band is shown as middle grey
    flat = high <= low
    return Stretch(tuple((low - flat).tolist()), tuple((high + flat).tolist()))


def cut_picture(
    scene: Scene, frame: Frame, *, stretch: Stretch | None = None, caption: str | None = None
) -> Picture:
    """Draw what a scene shows of a frame, bilinear between pixels, hatched grey where none is valid.

    Args:
        scene: an open scene.
        frame: the place, from `frame_around` or `frame_of_tile`.
        stretch: contrast from `stretch_of`; None finds it anew.
        caption: a line written into the lower edge, such as the attribution of the imagery.

    Raises:
        InputError: pixels do not decode and damage is not allowed.
    """
    stretch = stretch or stretch_of(scene)
    values, valid = _resample(scene, frame)
    hatch = _hatch(frame.height_px, frame.width_px)
    bands = [
        np.where(valid, _grey(band, low, high), hatch)
        for band, low, high in zip(values, stretch.low, stretch.high, strict=True)
    ]
    image = Image.fromarray(np.stack([bands[0], bands[len(bands) // 2], bands[-1]], axis=-1))
    if caption:
        _write_caption(image, caption)
    out = io.BytesIO()
    # on these smooth pictures run lengths pack as tightly as zlib's default and take a sixth of its time
    image.save(out, format="PNG", compress_type=zlib.Z_RLE)
    return Picture(out.getvalue(), frame, float(valid.mean()))


def _shown_bands(scene: Scene) -> tuple[int, ...]:
    """Indexes of red, green and blue, else of the first band alone, shown grey."""
    names = scene.info.bands
    wanted = ("red", "green", "blue")
    return tuple(names.index(name) for name in wanted) if set(wanted) <= set(names) else (0,)


def _grey(band: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    return ((band - low) * (255 / (high - low))).clip(0, 255).round().astype(np.uint8)


def _resample(scene: Scene, frame: Frame) -> tuple[list[NDArray[np.float32]], NDArray[np.bool_]]:
    """Values of each shown band and mask of a frame's pixels, all (height, width).

    Only valid neighbours count; the nearest one decides validity. Between the frame's corners straight lines
    are good to a few hundredths of a pixel, since a frame is a kilometre wide.
    """
    size = (frame.width_px, frame.height_px)
    lon = (frame.west, frame.west, frame.east, frame.east)
    lat = (frame.north, frame.south, frame.south, frame.north)
    col, row = scene.info.grid.pixel(lon, lat)
    window = _window(col, row, scene.info.grid)
    if window is None:
        shape = (frame.height_px, frame.width_px)
        return [np.zeros(shape, np.float32) for _ in _shown_bands(scene)], np.zeros(shape, np.bool_)
    patch = scene.read(window)
    corners = np.stack([col - window.col, row - window.row], -1).ravel().tolist()

    def drawn(pixels: NDArray[Any], how: Image.Resampling) -> NDArray[Any]:
        turned = Image.fromarray(pixels).transform(size, Image.Transform.QUAD, corners, resample=how)
        return np.asarray(turned)

    bands = [drawn(patch.pixels[band], Image.Resampling.BILINEAR) for band in _shown_bands(scene)]
    valid = drawn(patch.valid.astype(np.uint8), Image.Resampling.NEAREST) > 0
    if not patch.valid.all():
        # invalid pixels are 0, so that they add nothing to the values and nothing to the weight
        weight = drawn(patch.valid.astype(np.float32), Image.Resampling.BILINEAR)
        bands = [band / np.where(weight > 0, weight, 1) for band in bands]
    return bands, valid


def _window(col: Floats, row: Floats, grid: Grid) -> Window | None:
    """The pixels between some corners, with the neighbours that bilinear needs; None outside the scene."""
    if not (np.isfinite(col).all() and np.isfinite(row).all()):
        return None  # so far away that the scene's CRS does not reach there
    left, top = max(0, math.floor(col.min()) - 1), max(0, math.floor(row.min()) - 1)
    right = min(grid.width, math.ceil(col.max()) + 1)
    bottom = min(grid.height, math.ceil(row.max()) + 1)
    return Window(left, top, right - left, bottom - top) if left < right and top < bottom else None


@functools.lru_cache(maxsize=8)
def _hatch(height: int, width: int) -> NDArray[np.uint8]:
    row, col = np.ogrid[:height, :width]
    stripes: NDArray[np.uint8] = np.array(_HATCH_GREYS, np.uint8)[((row + col) // _HATCH_PX) % 2]
    return stripes


@functools.cache
def _font() -> Any:
    return ImageFont.load_default(size=10)


def _write_caption(image: Image.Image, caption: str) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    font = _font()
    box = draw.textbbox((0, 0), caption, font=font)
    height = int(box[3]) + 4
    draw.rectangle((0, image.height - height, int(box[2]) + 6, image.height), fill=(0, 0, 0, 150))
    draw.text((3, image.height - height + 1), caption, font=font, fill=(255, 255, 255, 255))
