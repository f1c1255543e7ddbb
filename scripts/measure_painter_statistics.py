"""Measure the colours and textures that the painter uses, from the real train scenes.

    KILNLIGHT_DATA=path/to/data python scripts/measure_painter_statistics.py

Writes `geodata/painter/statistics.json`: under `painter` what the painter draws from, under `figures` the
least, mean and greatest of each figure that painted scenes are compared with. Means, spreads and spectra
only, no pixel. Colours are natural logarithms of grey levels (1..255) in the order red, green, blue. No model
and no detection is looked at.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from compare_painted_scene import describe, mean_3x3, nearest_m, redness
from numpy.typing import NDArray
from pyproj import CRS

from geodata.grid import Floats, Grid
from geodata.obb import Boxes
from geodata.painter.canvas import distance_m, stamp
from geodata.painter.kilns import at_nodes
from geodata.painter.statistics import NORMAL_POINTS, SIZE_POINTS

OUT = Path(__file__).parent.parent / "geodata" / "painter" / "statistics.json"
LEAST_KILNS = 15
"""City and dry ridge are no kiln country: scenes with fewer kilns are left out."""
ROUGH_SHARE = 0.05
"""The roughest ground is taken for towns and villages; it is painted by itself and is no land."""
COLOURS = 6
"""The land's palette is halved so often: 64 colours."""
THIN = 7
"""Every so many-th pixel is enough for a distribution."""
ZONES_M = ((90, 150), (150, 300), (300, 600), (600, 1000), (1000, 1e9))
ZONE_CENTRES_M = (120.0, 225.0, 450.0, 800.0, 1200.0)
FREQUENCY = np.geomspace(1 / 320, 0.7, 20)
WINDOW_PX = 640
RIM_M = 15.0
NODES = (13, 9)
"""A node each 12 m, along and across, over a mean kiln and its rim."""
PARTS = 10


@dataclass(frozen=True)
class Scene:
    """A real scene: log grey levels (3, rows, cols), its place, kilns, metres from any possible kiln."""

    logs: Floats
    grid: Grid
    kilns: Boxes
    from_any_m: Floats


def read_scenes(data: Path) -> list[Scene]:
    """The train scenes of kiln country under the folder `delhi`."""
    features = json.loads((data / "kilns.geojson").read_text())["features"]
    doubtful = np.loadtxt(data / "unverified_candidates.csv", delimiter=",", skiprows=1, usecols=(0, 1))
    scenes = []
    for path in sorted((data / "scenes").glob("train_*.tif")):
        rows = [
            [*np.mean(f["geometry"]["coordinates"][0][:4], axis=0)]
            + [f["properties"][key] for key in ("length_m", "width_m", "angle_deg")]
            for f in features
            if f["properties"]["scene"] == path.stem and not f["properties"]["cut_by_edge"]
        ]
        if len(rows) < LEAST_KILNS:
            continue
        kilns = Boxes(*np.array(rows, dtype=np.float64).T)
        places = np.vstack([np.column_stack([kilns.lon, kilns.lat]), doubtful])
        with rasterio.open(path) as raster:
            logs = np.log(np.maximum(raster.read().astype(np.float32), 1))
            crs, affine = CRS.from_user_input(raster.crs.to_wkt()), Affine(*raster.transform[:6])
            grid = Grid(crs, affine, raster.width, raster.height)
        scenes.append(Scene(logs, grid, kilns, distance_m(grid, places[:, 0], places[:, 1])))
        print(path.stem, len(kilns), file=sys.stderr)
    return scenes


def axes_of(logs: Floats) -> Floats:
    """Brightness, red less green and green less blue."""
    return np.stack([logs.mean(axis=0), logs[0] - logs[1], logs[1] - logs[2]])


def block_means(planes: Floats, size: int) -> Floats:
    """Means of size x size blocks."""
    rows, cols = planes.shape[1] // size, planes.shape[2] // size
    cut = planes[:, : rows * size, : cols * size].reshape(len(planes), rows, size, cols, size)
    return np.asarray(cut.mean(axis=(2, 4)))


def pixel_noise(planes: Floats) -> Floats:
    """Deviation of pixels from the mean of their four neighbours, as that of single pixels."""
    thin = slice(1, -1, THIN)
    beside = planes[:, thin, :-2] + planes[:, thin, 2:] + planes[:, :-2:THIN, 1:-1] + planes[:, 2::THIN, 1:-1]
    off = np.abs(planes[:, thin, 1:-1] - beside / 4)
    return np.asarray(np.median(off, axis=(1, 2)) * 1.4826 * np.sqrt(4 / 5))


def built_up(logs: Floats) -> NDArray[np.bool_]:
    """Towns and villages: where pixels of 3 x 3 differ most, over some 10 pixels."""
    bright = logs.mean(axis=0, keepdims=True)
    rough = mean_3x3(np.square(bright - mean_3x3(bright)))
    for _ in range(8):
        rough = mean_3x3(rough)
    return np.asarray(rough[0] > quantile(rough, 1 - ROUGH_SHARE))


def palette(points: Floats, halvings: int) -> list[Floats]:
    """Means of equally large groups of points (n, 3): halved again and again where they are widest."""
    if halvings == 0:
        return [points.mean(axis=0)]
    order = np.argsort(points[:, np.argmax(points.var(axis=0))])
    low, high = np.array_split(points[order], 2)
    return palette(low, halvings - 1) + palette(high, halvings - 1)


def power(planes: Floats) -> Floats:
    """Mean power at each `FREQUENCY`, (planes, frequencies), in windows with soft edges."""
    soft = np.outer(np.hanning(WINDOW_PX), np.hanning(WINDOW_PX))
    at = np.hypot(np.fft.fftfreq(WINDOW_PX)[:, None], np.fft.rfftfreq(WINDOW_PX))
    place = np.interp(np.log(np.maximum(at, 1e-9)), np.log(FREQUENCY), np.arange(len(FREQUENCY)))
    ring = np.rint(place).astype(int)
    ring[at < FREQUENCY[0] * 0.8] = len(FREQUENCY)
    total = np.zeros((len(planes), *at.shape))
    for row in range(0, planes.shape[1] - WINDOW_PX + 1, WINDOW_PX):
        for col in range(0, planes.shape[2] - WINDOW_PX + 1, WINDOW_PX):
            cut = planes[:, row : row + WINDOW_PX, col : col + WINDOW_PX]
            total += np.square(np.abs(np.fft.rfft2((cut - cut.mean(axis=(1, 2), keepdims=True)) * soft)))
    sums = [np.bincount(ring.ravel(), t.ravel(), len(FREQUENCY) + 1)[:-1] for t in total]
    mean = np.array(sums) / np.bincount(ring.ravel(), minlength=len(FREQUENCY) + 1)[:-1]
    return np.asarray(mean / mean[:, :1])


def land(scenes: list[Scene]) -> dict[str, Any]:
    """Distribution and texture of the land of kiln country."""
    normal = np.array([NormalDist().inv_cdf(p) for p in NORMAL_POINTS])
    zones, counts = np.zeros((len(scenes), len(ZONES_M), 3, len(NORMAL_POINTS))), []
    blocks, powers, pixels = [], [], []
    for s, scene in enumerate(scenes):
        axes = axes_of(scene.logs)
        built = built_up(scene.logs)
        masks = [(scene.from_any_m > near) & (scene.from_any_m <= far) & ~built for near, far in ZONES_M]
        counts.append([mask.sum() for mask in masks])
        for z, mask in enumerate(masks):
            zones[s, z] = np.quantile(axes[:, mask][:, ::THIN], NORMAL_POINTS, axis=1).T
        open_land = axes[:, ~built][:, ::THIN]
        have = np.quantile(open_land, NORMAL_POINTS, axis=1).T
        scores = np.stack([np.interp(a, h, normal) for a, h in zip(axes, have, strict=True)])
        scores[:, built] = 0
        blocks.append(block_means(scores, 5)[:, block_means(built[None].astype(float), 5)[0] == 0][:, ::THIN])
        powers.append(power(scores))
        pixels.append(pixel_noise(scene.logs))
    # mean quantiles: those of all scenes together would hold the scenes' differences as well
    share = np.array(counts) / np.sum(counts, axis=0)
    return {
        "zone_m": np.array(ZONE_CENTRES_M),
        "land_quantiles": (zones * share[:, :, None, None]).sum(axis=0),
        "land_palette": np.array(palette(np.concatenate(blocks, axis=1).T, COLOURS)),
        "land_frequency": FREQUENCY,
        "land_power": np.mean(powers, axis=0),
        "pixel_sd": np.mean(pixels, axis=0),
    }


def _mean_and_parts(got: Floats, windows: list[tuple[Floats, Floats, Floats]]) -> dict[str, Any]:
    """From kilns at nodes (n, 3, u, v), and their pixels: colours (3, m) at shares of the box's sides."""
    # a kiln has no front: each counts in its four mirror images
    every = np.concatenate([got, got[:, :, ::-1], got[:, :, :, ::-1], got[:, :, ::-1, ::-1]])
    mean = every.mean(axis=0)
    flat = (every - mean).reshape(len(every), -1)
    _, spread, parts = np.linalg.svd(flat, full_matrices=False)
    print("variance in the parts:", np.cumsum(spread**2 / np.sum(spread**2))[:30:3].round(3), file=sys.stderr)
    parts = parts[:PARTS]
    left = []
    for sample, (colours, x, y) in zip(got, windows, strict=True):
        kept = ((sample - mean).ravel() @ parts.T) @ parts
        left.append(colours - at_nodes(mean + kept.reshape(mean.shape), x, y))
    return {
        "kiln_mean": mean,
        "kiln_parts": (parts * spread[:PARTS, None] / np.sqrt(len(every))).reshape(PARTS, *mean.shape),
        "kiln_rim_m": RIM_M,
        "kiln_grain_cov": np.median([np.cov(one) for one in left], axis=0),
    }


def kilns(scenes: list[Scene]) -> dict[str, Any]:
    """The mean kiln, its main variations, and what they leave."""
    u, v = np.meshgrid(*(np.linspace(-0.5, 0.5, n) for n in NODES), indexing="ij")
    samples, windows = [], []
    for scene in scenes:
        for k in range(len(scene.kilns)):
            length, width = scene.kilns.length_m[k] + 2 * RIM_M, scene.kilns.width_m[k] + 2 * RIM_M
            col, row = (float(x[0]) for x in scene.grid.pixel(scene.kilns.lon[[k]], scene.kilns.lat[[k]]))
            turn = np.radians(scene.kilns.angle_deg[k])
            east = u * length * np.cos(turn) - v * width * np.sin(turn)
            north = u * length * np.sin(turn) + v * width * np.cos(turn)
            inverse = np.linalg.inv(scene.grid.jacobian_m(col, row)[0])
            at = (
                np.einsum("ij,jab->iab", inverse, np.stack([east, north]))
                + np.array([col, row])[:, None, None]
                - 0.5
            )
            limits = np.array([scene.grid.width, scene.grid.height])[:, None, None] - 1
            if (at < 0).any() or (at > limits).any():
                continue
            samples.append(at_nodes(scene.logs, at[1] / limits[1] - 0.5, at[0] / limits[0] - 0.5))
            place = stamp(scene.grid, col, row, float(scene.kilns.angle_deg[k]), length)
            inside = (np.abs(place.along_m) < length / 2 - RIM_M) & (
                np.abs(place.across_m) < width / 2 - RIM_M
            )
            windows.append(
                (
                    scene.logs[:, place.rows, place.cols][:, inside],
                    place.along_m[inside] / length,
                    place.across_m[inside] / width,
                )
            )
    return _mean_and_parts(np.array(samples), windows)


def quantile(image: Floats, point: float) -> float:
    """A point of the distribution of a thinned image."""
    return float(np.quantile(image.ravel()[::THIN], point))


def other_colours(scenes: list[Scene]) -> dict[str, Any]:
    """Colours of yards, built-up land, sheds and red ground."""
    rng = np.random.default_rng(0)
    drawn: dict[str, list[Floats]] = {name: [] for name in ("yard", "built", "shed", "red")}
    for scene in scenes:
        bright, smooth = scene.logs.mean(axis=0), mean_3x3(scene.logs)
        rough = np.sqrt(np.maximum(mean_3x3(scene.logs**2) - smooth**2, 0)).mean(axis=0)
        near = (scene.from_any_m > 90) & (scene.from_any_m < 350)
        far, red = scene.from_any_m > 500, redness(smooth)
        masks = {
            "yard": near & (bright > quantile(bright, 0.93)) & (rough < quantile(rough, 0.85)),
            "built": far & built_up(scene.logs) & (bright > quantile(bright, 0.5)),
            "shed": far & (bright > quantile(bright, 0.9985)),
            "red": far & (red > quantile(red, 0.99)) & (bright > quantile(bright, 0.5)),
        }
        for name, mask in masks.items():
            drawn[name].append(rng.permutation(scene.logs[:, mask].T)[:5000])
    colours = {name: np.concatenate(parts) for name, parts in drawn.items()}
    return {name: {"mean": c.mean(axis=0), "cov": np.cov(c.T)} for name, c in colours.items()}


def measure(data: Path) -> dict[str, Any]:
    """All statistics of the train scenes under a data folder."""
    scenes = read_scenes(data)
    apart = np.concatenate([nearest_m(s.kilns) for s in scenes])
    figures = [describe(s.logs, s.grid, s.kilns, s.from_any_m) for s in scenes]
    return {
        "source": "train scenes with at least 15 kilns; log grey levels 1..255, order red, green, blue",
        "kilns_per_km2": sum(len(s.kilns) for s in scenes) / sum(s.grid.area_km2() for s in scenes),
        "painter": {
            **land(scenes),
            **kilns(scenes),
            **other_colours(scenes),
            "length_m": np.quantile(np.concatenate([s.kilns.length_m for s in scenes]), SIZE_POINTS),
            "width_m": np.quantile(np.concatenate([s.kilns.width_m for s in scenes]), SIZE_POINTS),
            "neighbour_m": np.quantile(apart, SIZE_POINTS),
        },
        "figures": {
            name: [float(f([s[name] for s in figures])) for f in (np.min, np.mean, np.max)]
            for name in figures[0]
        },
    }


def rounded(value: Any) -> Any:
    """Arrays as lists, floats cut to four significant digits."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | list):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float | np.floating) else value


def as_text(statistics: dict[str, Any]) -> str:
    """JSON with one entry a line."""
    lines = []
    for name, value in statistics.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f" {json.dumps(name)}: {{\n{inner}\n }}")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    """Measure and write the file."""
    folder = os.environ.get("KILNLIGHT_DATA")
    if not folder:
        sys.exit("KILNLIGHT_DATA is not set: set it to the folder that holds delhi/.")
    OUT.write_text(as_text(rounded(measure(Path(folder) / "delhi"))))


if __name__ == "__main__":
    main()
