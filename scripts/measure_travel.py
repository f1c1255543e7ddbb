"""Score a run's fold nets on their held-out land, changed as another country would be.

    KILNLIGHT_DATA=path/to/data python scripts/measure_travel.py RUN.toml OUT [COPY ...]

OUT is the folder of `kilnlight train RUN.toml --out OUT`; the threshold is that of the card in OUT/bundle. A
stand-in for another country, where kilns are smaller and published tiles are 128 x 128 pixels, each stretched
by its own least and greatest value: the land is shrunk (by averaging), or its colours are changed in ways
that no straight line undoes, and then cut into such tiles. Kilns and detections within 4 pixels of a tile's
edge are left out. It has this land's shapes, not another's. A first look at all tiles of a fold chooses how
much they are enlarged, as `kilnlight detect` does outside a model's area. Printed for each copy and all folds
together: figures at the card's threshold, and F1 at the best threshold of that copy. False alarms are counted
by km2 of the land as it was: a shrunk copy has more of everything in a tile.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning

from app.cli.options import cores
from app.services.jobs import LOOKS
from detection.bundle import Card, load_bundle
from detection.evaluate.matching import HIT_RADIUS_M, Found, Look, Truth, match_looks
from detection.evaluate.metrics import best_threshold, curve, scores_of
from detection.runtime import OnnxRuntime
from detection.scan import Detector, scan, zoomed_plan
from detection.zoom import zoom_for
from geodata.grid import Floats
from geodata.scene import Scene, Window
from geodata.sources.files import open_scene
from training.config import read_config
from training.data import Labels, open_scenes, read_labels
from training.folds import Fold, folds_of

SIDE_PX = 128
RIM_PX = 4
PIXEL = 8.983152841195214e-05
Pixels = NDArray[np.float32]
Change = Callable[[Pixels], Pixels]
APART = 0.05
"""Degrees between the tiles' corners, so that no detection of one meets a kiln of another."""


def shrunk(size: float) -> Change:
    """Averaged to a share of its sides."""

    def change(pixels: Pixels) -> Pixels:
        bands, height, width = pixels.shape
        profile = {"driver": "GTiff", "count": bands, "height": height, "width": width, "dtype": "float32"}
        with warnings.catch_warnings(), rasterio.MemoryFile() as file:
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with file.open(**profile, transform=Affine.scale(1, -1)) as out:
                out.write(pixels)
            with file.open() as again:
                shape = (bands, round(height * size), round(width * size))
                return np.asarray(again.read(out_shape=shape, resampling=Resampling.average))

    return change


def other_soil(pixels: Pixels) -> Pixels:
    """Red soil turned greyer, and dark and bright ground spread otherwise in each band (1-255)."""
    greyer = 0.75 * pixels + 0.25 * pixels.mean(0, keepdims=True)
    bend = np.array([1.3, 1.0, 0.8], np.float32)[: len(pixels), None, None]
    return np.asarray(255 * (greyer / 255) ** bend, np.float32)


def haze(pixels: Pixels) -> Pixels:
    """A white veil of 20 to 60 %, thicker and thinner over some 3 km."""
    rows, cols = np.mgrid[: pixels.shape[1], : pixels.shape[2]]
    veil = 0.4 + 0.2 * np.sin(rows / 50) * np.cos(cols / 50)
    return np.asarray(pixels * (1 - veil) + 200 * veil, np.float32)


COPIES: dict[str, Change] = {
    "size 100 %": lambda pixels: pixels,
    "size 80 %": shrunk(0.8),
    "size 65 %": shrunk(0.65),
    "size 55 %": shrunk(0.55),
    "other soil": other_soil,
    "haze": haze,
}


class Land:
    """One held-out part, changed, with its kilns and unverified places in its pixels."""

    def __init__(self, scene: Scene, span: tuple[int, int], labels: Labels, change: Change) -> None:
        grid = scene.info.grid
        first, last = span[0], min(span[1], grid.width)
        self.name, self.bands = scene.info.name, scene.info.bands
        self.pixels = change(scene.read(Window(first, 0, last - first, grid.height)).pixels)
        share = np.array([self.pixels.shape[2] / (last - first), self.pixels.shape[1] / grid.height])
        self.share = float(share.prod())

        def placed(lon: Floats, lat: Floats) -> Floats:
            return (np.stack(grid.pixel(lon, lat), -1) - (first, 0)) * share

        whole = labels.whole
        self.kilns = placed(whole.lon, whole.lat)
        self.places = placed(*labels.ignored())


def tiles(land: Land) -> Iterator[tuple[np.ndarray, Floats, Floats]]:
    """Each tile, stretched to 1-255, with the kilns and places in its pixels."""
    for row in range(0, land.pixels.shape[1] - SIDE_PX + 1, SIDE_PX):
        for col in range(0, land.pixels.shape[2] - SIDE_PX + 1, SIDE_PX):
            tile = land.pixels[:, row : row + SIDE_PX, col : col + SIDE_PX]
            low, high = tile.min((1, 2), keepdims=True), tile.max((1, 2), keepdims=True)
            grey = 1 + np.round((tile - low) / np.maximum(high - low, 1e-6) * 254)
            near = [p[np.all(abs(p - (col + 64, row + 64)) < 74, axis=1)] for p in (land.kilns, land.places)]
            yield grey.astype(np.uint8), near[0] - (col, row), near[1] - (col, row)


def zoomed(detector: Detector, lands: list[Land], folder: Path) -> tuple[Detector, list[Look]]:
    """The detector as it looks at such land, and what it sees there."""
    for number in range(LOOKS + 1):
        lengths: list[Floats] = []
        looks = [one for land in lands for one in look(detector, land, folder, lengths)]
        zoom = zoom_for(np.concatenate(lengths), detector.card.kiln_length_m)
        if zoom == detector.zoom or number == LOOKS:
            break
        detector = replace(detector, zoom=zoom)
    return detector, looks


def look(detector: Detector, land: Land, folder: Path, lengths: list[Floats]) -> Iterator[Look]:
    """Detections and truth of each tile, and lengths; the tiles lie far apart in a country of their own."""
    for number, (pixels, kilns, places) in enumerate(tiles(land)):
        corner = Affine.translation(60 + number % 500 * APART, 28.6 - number // 500 * APART)
        transform = corner * Affine.scale(PIXEL, -PIXEL)
        path = folder / f"{land.name}_{number}.tif"
        size = {"count": len(pixels), "width": SIDE_PX, "height": SIDE_PX, "dtype": "uint8"}
        with rasterio.open(path, "w", "GTiff", crs="EPSG:4326", transform=transform, **size) as out:
            out.write(pixels)
        with open_scene(path, bands=land.bands, band_names=land.bands) as scene:
            result, grid = scan(scene, detector, zoomed_plan(scene.info, detector)), scene.info.grid
        path.unlink()
        col, row = grid.pixel(result.boxes.lon, result.boxes.lat)
        lengths.append(result.boxes.length_m[result.scores >= detector.card.threshold])
        keep = inner(np.stack([col, row], -1))
        found = Found(result.boxes.lon[keep], result.boxes.lat[keep], result.scores[keep])
        truth = Truth(*grid.lonlat(*kilns.T), ~inner(kilns), *grid.lonlat(*places.T))
        yield Look(found, truth, (SIDE_PX - 2 * RIM_PX) ** 2 / SIDE_PX**2 * grid.area_km2() / land.share)


def inner(at: Floats) -> np.ndarray:
    """Which pixels lie far enough from a tile's edge."""
    return np.asarray(np.all((at >= RIM_PX) & (at < SIDE_PX - RIM_PX), axis=-1))


def report(looks: list[Look], name: str, threshold: float, zooms: list[float]) -> None:
    """One line."""
    found, truth, matching = match_looks(looks)
    area_km2 = sum(one.area_km2 for one in looks)
    at = scores_of(found, truth, matching, area_km2, threshold, HIT_RADIUS_M)
    best = best_threshold(curve(found, matching, truth.kilns))
    there = scores_of(found, truth, matching, area_km2, best, HIT_RADIUS_M)
    print(
        f"{name:10} {truth.kilns:4d} kilns {area_km2:6.0f} km2   F1 {at.f1:.3f}  P {at.precision:.3f}  "
        f"R {at.recall:.3f}  false/1,000 km2 {at.false_per_1000_km2:5.1f}  AP {at.average_precision:.3f}"
        f"   best F1 {there.f1:.3f} at {best:.3f}   enlarged {', '.join(map(str, zooms))}",
        flush=True,
    )


def detector_of(folder: Path, card: Card) -> Detector:
    """A fold's net."""
    return Detector(card, folder.name, OnnxRuntime(folder / "model.onnx", cores()))


def parts(folds: list[Fold], out: Path) -> Iterator[tuple[Path, dict[str, tuple[int, int]]]]:
    """The folds' folders with what each held back."""
    for number, fold in enumerate(folds, 1):
        folder = out / f"fold{number}"
        if (folder / "model.onnx").exists():
            spans = {name: shape.bounds for name, shape in fold.owned.items()}
            yield folder, {name: (int(bounds[0]), int(bounds[2])) for name, bounds in spans.items()}


def main(run_file: Path, out: Path, names: list[str]) -> None:
    """Score all copies over all folds that have been trained."""
    config, card = read_config(run_file), load_bundle(out / "bundle").card
    with ExitStack() as stack:
        labels = read_labels(config.data, run_file.parent)
        scenes = open_scenes(config.data, run_file.parent, labels, stack)
        grids = {name: scene.info.grid for name, scene in scenes.items()}
        folds = folds_of(config.folds, grids, run_file.parent)
        temporary = Path(stack.enter_context(TemporaryDirectory()))
        for name in names or COPIES:
            looks: list[Look] = []
            zooms = []
            for folder, spans in parts(folds, out):
                lands = [Land(scenes[s], span, labels, COPIES[name]) for s, span in spans.items()]
                nearer, seen = zoomed(detector_of(folder, card), lands, temporary)
                looks += seen
                zooms.append(nearer.zoom)
            report(looks, name, card.threshold, zooms)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
