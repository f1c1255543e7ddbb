"""A scene in memory, a rectangle drawn on any grid, and a net that measures one bright blob."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from affine import Affine
from pyproj import CRS

from detection.bundle import Card, Domain
from detection.normalise import Normalisation
from detection.runtime import HeadOutput
from detection.scan import Detector
from geodata.grid import Grid
from geodata.obb import Boxes, offsets_m
from geodata.sample import sample, statistics
from geodata.scene import BandStats, Patch, SceneInfo, Window

STEP = 8.983152841195214e-05


@dataclass
class MemoryScene:
    """Implements `geodata.scene.Scene`."""

    info: SceneInfo
    pixels: np.ndarray
    valid: np.ndarray

    def stats(self) -> tuple[BandStats, ...]:
        return statistics(sample(self.read, self.info.grid.width, self.info.grid.height))

    def read(self, window: Window) -> Patch:
        pixels = np.zeros((len(self.pixels), window.height, window.width), np.float32)
        valid = np.zeros((window.height, window.width), bool)
        height, width = self.valid.shape
        top, left = max(window.row, 0), max(window.col, 0)
        bottom, right = min(window.row + window.height, height), min(window.col + window.width, width)
        if bottom > top and right > left:
            inner = slice(top - window.row, bottom - window.row), slice(left - window.col, right - window.col)
            valid[inner] = self.valid[top:bottom, left:right]
            pixels[:, *inner] = self.pixels[:, top:bottom, left:right] * valid[inner]
        return Patch(pixels, valid, window)

    def close(self) -> None:
        pass

    def on(self, grid: Grid) -> "MemoryScene":
        """The same pixels at another place."""
        return MemoryScene(replace(self.info, grid=grid), self.pixels, self.valid)


def memory_scene(
    pixels: np.ndarray,
    grid: Grid,
    valid: np.ndarray | None = None,
    at: datetime | None = None,
    name: str = "s",
) -> MemoryScene:
    info = SceneInfo(name, f"{name}.tif", "0" * 64, at, "unknown", ("red", "green", "blue"), grid)
    shown = np.ones(pixels.shape[1:], bool) if valid is None else valid
    return MemoryScene(info, pixels.astype(np.float32), shown)


def degrees(width: int, height: int, west: float = 77.2, north: float = 28.6) -> Grid:
    return Grid(CRS.from_epsg(4326), Affine(STEP, 0, west, 0, -STEP, north), width, height)


def utm(width: int, height: int, west: float = 720_000, north: float = 3_170_000) -> Grid:
    return Grid(CRS.from_epsg(32643), Affine(10, 0, west, 0, -10, north), width, height)


def draw(grid: Grid, kilns: Boxes, fine: int = 4) -> np.ndarray:
    """Share (0-1) of each pixel that lies in any of the boxes, from fine x fine points a pixel."""
    place = (np.arange(max(grid.width, grid.height) * fine) + 0.5) / fine
    col, row = np.meshgrid(place[: grid.width * fine], place[: grid.height * fine])
    lon, lat = (v.reshape(col.shape) for v in grid.lonlat(col.ravel(), row.ravel()))
    inside = np.zeros(col.shape, bool)
    for k in range(len(kilns)):
        east, north = offsets_m(lon, lat, kilns.lon[k], kilns.lat[k])
        t = np.radians(kilns.angle_deg[k])
        along, across = east * np.cos(t) + north * np.sin(t), north * np.cos(t) - east * np.sin(t)
        inside |= (np.abs(along) <= kilns.length_m[k] / 2) & (np.abs(across) <= kilns.width_m[k] / 2)
    return inside.reshape(grid.height, fine, grid.width, fine).mean(axis=(1, 3))


class MomentNet:
    """Answers the box of the one blob that is brighter than its surroundings, from its second moments.

    As a trained net would, it answers the true long axis as it lies in the pixel frame.
    """

    def __init__(self, grid: Grid) -> None:
        self._metres = grid.jacobian_m(grid.width / 2, grid.height / 2)[0]

    def run(self, pixels: np.ndarray) -> HeadOutput:
        height, width = pixels.shape[2:]
        heat = np.zeros((height // 2, width // 2), np.float32)
        maps = np.zeros((6, height // 2, width // 2), np.float32)
        weight = np.clip(pixels[0].mean(0) - 0.5, 0, None)
        if weight.sum() > 1:
            # normalisation turns the flat ground slightly negative and clips the blob: weight is its cover
            weight = weight / weight.sum()
            row, col = np.indices(weight.shape) + 0.5
            c, r = (weight * col).sum(), (weight * row).sum()
            i, j = int(r // 2), int(c // 2)
            heat[i, j] = 0.9
            maps[:, i, j] = (c / 2 - j - 0.5, r / 2 - i - 0.5, *self._box(weight, col - c, row - r))
        return HeadOutput(heat, maps)

    def _box(self, weight: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
        east = self._metres[0, 0] * x + self._metres[0, 1] * y
        north = self._metres[1, 0] * x + self._metres[1, 1] * y
        moments = [(weight * v).sum() for v in (east * east, east * north, north * north)]
        spread, axes = np.linalg.eigh([moments[:2], moments[1:]])
        # second moment of a bar of length L about its middle: L² / 12
        width_m, length_m = np.sqrt(12 * spread)
        along = np.linalg.inv(self._metres) @ axes[:, 1] * length_m
        length = np.hypot(*along)
        width = width_m * length_m / abs(np.linalg.det(self._metres)) / length
        angle = np.arctan2(-along[1], along[0])
        return float(np.log(length)), float(np.log(width)), float(np.cos(2 * angle)), float(np.sin(2 * angle))


def card(**changes: object) -> Card:
    values = {
        "name": "measuring net",
        "architecture": "moments",
        "bands": ("red", "green", "blue"),
        "normalisation": Normalisation(),
        "threshold": 0.5,
        "threshold_chosen": "by hand",
        "candidate_floor": 0.05,
        "domain": Domain(
            area=((76, 28), (78, 28), (78, 30), (76, 30)), months=(11, 12), products=("S2-L1C",)
        ),
        "training_data": (),
        "licence": "none",
        "commit": "none",
        "created_at": datetime.fromisoformat("2024-01-01T00:00:00+00:00"),
        "files": {},
    }
    return Card.model_validate({**values, **changes})


def measuring(grid: Grid) -> Detector:
    """A detector that measures the one bright blob of a scene on a grid."""
    return Detector(card(), "0" * 16, MomentNet(grid))
