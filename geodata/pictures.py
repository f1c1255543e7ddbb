"""geodata.pictures: small north-up pictures cut from scenes; knows nothing of kilns or pages.

A picture is a box in lon/lat, drawn with true proportions in metres at its centre. The PNG holds no place;
that is kept in its `Frame`, which carries points of the picture to lon/lat and back.
"""

import io
from dataclasses import dataclass

import numpy as np
from mercantile import Tile, bounds
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from geodata.grid import Floats, metres_per_degree
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
    low = np.array(stretch.low)[:, None, None]
    high = np.array(stretch.high)[:, None, None]
    grey = np.clip((values - low) / (high - low), 0.0, 1.0) * 255
    rgb = np.where(valid[..., None], np.moveaxis(grey, 0, -1).round(), _hatch(valid.shape)[..., None])
    image = Image.fromarray(np.broadcast_to(rgb, (*valid.shape, 3)).astype(np.uint8))
    if caption:
        _write_caption(image, caption)
    out = io.BytesIO()
    image.save(out, format="PNG")
    return Picture(out.getvalue(), frame, float(valid.mean()))


def _shown_bands(scene: Scene) -> tuple[int, ...]:
    """Indexes of red, green and blue, else of the first band alone, shown grey."""
    names = scene.info.bands
    wanted = ("red", "green", "blue")
    return tuple(names.index(name) for name in wanted) if set(wanted) <= set(names) else (0,)


def _resample(scene: Scene, frame: Frame) -> tuple[Floats, NDArray[np.bool_]]:
    """Values (bands, height, width) and mask of a frame's pixels."""
    across = (np.arange(frame.width_px) + 0.5) / frame.width_px
    down = (np.arange(frame.height_px) + 0.5) / frame.height_px
    lon, lat = np.meshgrid(
        frame.west + across * (frame.east - frame.west), frame.north - down * (frame.north - frame.south)
    )
    grid = scene.info.grid
    col, row = grid.pixel(lon, lat)
    # what lies outside is moved just outside, where nothing is valid, so that the window stays small
    col, row = np.clip(col - 0.5, -2, grid.width + 1), np.clip(row - 0.5, -2, grid.height + 1)
    left, top = int(np.floor(col.min())), int(np.floor(row.min()))
    window = Window(left, top, int(np.floor(col.max())) - left + 2, int(np.floor(row.max())) - top + 2)
    patch = scene.read(window)
    return _bilinear(patch.pixels[list(_shown_bands(scene))], patch.valid, col - left, row - top)


def _bilinear(
    pixels: NDArray[np.float32], mask: NDArray[np.bool_], col: Floats, row: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Values at pixel centres' coordinates; only valid neighbours count, the nearest one decides validity."""
    c, r = np.floor(col).astype(np.intp), np.floor(row).astype(np.intp)
    total = np.zeros((len(pixels), *col.shape))
    weight = np.zeros(col.shape)
    for down in (0, 1):
        for right in (0, 1):
            near = (1 - np.abs(col - c - right)) * (1 - np.abs(row - r - down)) * mask[r + down, c + right]
            total += pixels[:, r + down, c + right] * near
            weight += near
    valid = mask[np.floor(row + 0.5).astype(np.intp), np.floor(col + 0.5).astype(np.intp)]
    return total / np.where(weight > 0, weight, 1.0), valid


def _hatch(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    row, col = np.indices(shape)
    stripes: NDArray[np.uint8] = np.array(_HATCH_GREYS, np.uint8)[((row + col) // _HATCH_PX) % 2]
    return stripes


def _write_caption(image: Image.Image, caption: str) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    font = ImageFont.load_default(size=10)
    box = draw.textbbox((0, 0), caption, font=font)
    height = int(box[3]) + 4
    draw.rectangle((0, image.height - height, int(box[2]) + 6, image.height), fill=(0, 0, 0, 150))
    draw.text((3, image.height - height + 1), caption, font=font, fill=(255, 255, 255, 255))
