"""Score a run's fold nets on their held-out land, made smaller and cut into isolated tiles.

    KILNLIGHT_DATA=path/to/data python scripts/measure_small_tiles.py RUN.toml OUT THRESHOLD [SIZE ...]

OUT is the folder of `kilnlight train RUN.toml --out OUT`. A stand-in for another country, where kilns are
smaller and published tiles are 128 x 128 pixels, each stretched by its own least and greatest value: the
land is shrunk (by averaging) to 100, 80, 65 and 55 % and cut into such tiles. Kilns and detections within
4 pixels of a tile's edge are left out. It has this land's soils and shapes, not another's. Printed for each
size and all folds together: figures at THRESHOLD, and F1 at the best threshold of that size.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning

from app.cli.options import cores
from detection.bundle import Card, load_bundle, shipped_bundle_path
from detection.evaluate.matching import HIT_RADIUS_M, Found, Look, Truth, match_looks
from detection.evaluate.metrics import best_threshold, curve, scores_of
from detection.runtime import OnnxRuntime
from detection.scan import Detector, scan, window_plan
from geodata.grid import Floats
from geodata.scene import Scene, Window
from geodata.sources.files import open_scene
from training.config import read_config
from training.data import Labels, open_scenes, read_labels
from training.folds import Fold, folds_of

SIZES = (1.0, 0.8, 0.65, 0.55)
SIDE_PX = 128
RIM_PX = 4
PIXEL = 8.983152841195214e-05
APART = 0.05
"""Degrees between the tiles' corners, so that no detection of one meets a kiln of another."""


class Land:
    """One held-out part at one size, with its kilns and unverified places in its pixels."""

    def __init__(self, scene: Scene, span: tuple[int, int], labels: Labels, size: float) -> None:
        grid = scene.info.grid
        first, last = span[0], min(span[1], grid.width)
        self.name, self.bands = scene.info.name, scene.info.bands
        pixels = scene.read(Window(first, 0, last - first, grid.height)).pixels
        self.pixels = shrunk(pixels, size)
        share = np.array([self.pixels.shape[2] / (last - first), self.pixels.shape[1] / grid.height])

        def placed(lon: Floats, lat: Floats) -> Floats:
            return (np.stack(grid.pixel(lon, lat), -1) - (first, 0)) * share

        whole = labels.whole
        self.kilns = placed(whole.lon, whole.lat)
        self.places = placed(*labels.ignored())


def shrunk(pixels: np.ndarray, size: float) -> np.ndarray:
    """Averaged to a share of its sides; (bands, height, width)."""
    bands, height, width = pixels.shape
    profile = {"driver": "GTiff", "count": bands, "height": height, "width": width, "dtype": "float32"}
    with warnings.catch_warnings(), rasterio.MemoryFile() as file:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with file.open(**profile, transform=Affine.scale(1, -1)) as out:
            out.write(pixels)
        with file.open() as again:
            shape = (bands, round(height * size), round(width * size))
            return np.asarray(again.read(out_shape=shape, resampling=Resampling.average))


def tiles(land: Land) -> Iterator[tuple[np.ndarray, Floats, Floats]]:
    """Each tile, stretched to 1-255, with the kilns and places in its pixels."""
    for row in range(0, land.pixels.shape[1] - SIDE_PX + 1, SIDE_PX):
        for col in range(0, land.pixels.shape[2] - SIDE_PX + 1, SIDE_PX):
            tile = land.pixels[:, row : row + SIDE_PX, col : col + SIDE_PX]
            low, high = tile.min((1, 2), keepdims=True), tile.max((1, 2), keepdims=True)
            grey = 1 + np.round((tile - low) / np.maximum(high - low, 1e-6) * 254)
            near = [p[np.all(abs(p - (col + 64, row + 64)) < 74, axis=1)] for p in (land.kilns, land.places)]
            yield grey.astype(np.uint8), near[0] - (col, row), near[1] - (col, row)


def look(detector: Detector, land: Land, folder: Path) -> Iterator[Look]:
    """Detections and truth of each tile; the tiles lie far apart in open country of their own."""
    for number, (pixels, kilns, places) in enumerate(tiles(land)):
        corner = Affine.translation(60 + number % 500 * APART, 28.6 - number // 500 * APART)
        transform = corner * Affine.scale(PIXEL, -PIXEL)
        path = folder / f"{land.name}_{number}.tif"
        size = {"count": len(pixels), "width": SIDE_PX, "height": SIDE_PX, "dtype": "uint8"}
        with rasterio.open(path, "w", "GTiff", crs="EPSG:4326", transform=transform, **size) as out:
            out.write(pixels)
        with open_scene(path, bands=land.bands, band_names=land.bands) as scene:
            result, grid = scan(scene, detector, window_plan(scene.info, detector.card)), scene.info.grid
        path.unlink()
        col, row = grid.pixel(result.boxes.lon, result.boxes.lat)
        keep = inner(np.stack([col, row], -1))
        found = Found(result.boxes.lon[keep], result.boxes.lat[keep], result.scores[keep])
        truth = Truth(*grid.lonlat(*kilns.T), ~inner(kilns), *grid.lonlat(*places.T))
        yield Look(found, truth, (SIDE_PX - 2 * RIM_PX) ** 2 / SIDE_PX**2 * grid.area_km2())


def inner(at: Floats) -> np.ndarray:
    """Which pixels lie far enough from a tile's edge."""
    return np.asarray(np.all((at >= RIM_PX) & (at < SIDE_PX - RIM_PX), axis=-1))


def report(looks: list[Look], size: float, threshold: float) -> None:
    """One line."""
    found, truth, matching = match_looks(looks)
    area_km2 = sum(one.area_km2 for one in looks)
    at = scores_of(found, truth, matching, area_km2, threshold, HIT_RADIUS_M)
    best = best_threshold(curve(found, matching, truth.kilns))
    there = scores_of(found, truth, matching, area_km2, best, HIT_RADIUS_M)
    print(
        f"{size:4.0%} {truth.kilns:4d} kilns {area_km2:6.0f} km2   F1 {at.f1:.3f}  P {at.precision:.3f}  "
        f"R {at.recall:.3f}  false/1,000 km2 {at.false_per_1000_km2:5.1f}  AP {at.average_precision:.3f}"
        f"   best F1 {there.f1:.3f} at {best:.3f}",
        flush=True,
    )


def detector_of(folder: Path, card: Card) -> Detector:
    """A fold's net."""
    return Detector(card, folder.name, OnnxRuntime(folder / "model.onnx", cores()))


def parts(folds: list[Fold], out: Path) -> Iterator[tuple[Path, str, tuple[int, int]]]:
    """The folds' folders with what each held back."""
    for number, fold in enumerate(folds, 1):
        folder = out / f"fold{number}"
        if (folder / "model.onnx").exists():
            for name, shape in fold.owned.items():
                first, _, last, _ = shape.bounds
                yield folder, name, (int(first), int(last))


def main(run_file: Path, out: Path, threshold: float, sizes: list[float]) -> None:
    """Run the sizes over all folds that have been trained."""
    config, card = read_config(run_file), load_bundle(shipped_bundle_path()).card
    with ExitStack() as stack:
        labels = read_labels(config.data, run_file.parent)
        scenes = open_scenes(config.data, run_file.parent, labels, stack)
        folds = folds_of(config.folds, {name: s.info.grid for name, s in scenes.items()})
        temporary = Path(stack.enter_context(TemporaryDirectory()))
        for size in sizes or SIZES:
            looks: list[Look] = []
            for folder, name, span in parts(folds, out):
                land = Land(scenes[name], span, labels, size)
                looks += look(detector_of(folder, card), land, temporary)
            report(looks, size, threshold)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), [float(text) for text in sys.argv[4:]])
