"""Print figures of painted scenes beside those of the real train scenes.

    python scripts/compare_painted_scene.py

The figures and the rule were fixed before the painter was set by them: a painted figure agrees if it lies
between the least and the greatest of the real scenes of kiln country, widened by half of that range on
both sides. The real figures lie in `geodata/painter/statistics.json`, written by
`scripts/measure_painter_statistics.py`. No model and no detection is looked at.
"""

import json
from importlib import resources
from typing import Any

import numpy as np
from rasterio.features import shapes
from shapely.geometry import shape

from geodata.grid import Floats, Grid
from geodata.obb import Boxes, offsets_m
from geodata.painter import paint_scene
from geodata.painter.canvas import distance_m, stamp

LAGS_PX = (1, 2, 4, 8, 16, 32)
THIN = 5
"""Every so many-th row, column or pixel is enough for a mean or a distribution."""
SEEDS = (101, 102)
"""Scenes of 10 x 10 km that are painted for the comparison; no other place uses these seeds."""
SIDE_PX = 1024


def semivariance(image: Floats, lag: int) -> Floats:
    """Half the mean squared difference of pixels a lag apart, east and south together."""
    rows, cols = image[::THIN], image[:, ::THIN]
    east, south = rows[:, lag:] - rows[:, :-lag], cols[lag:] - cols[:-lag]
    return np.asarray((np.square(east).mean() + np.square(south).mean()) / 4)


def mean_3x3(image: Floats) -> Floats:
    """Means of 3 x 3 pixels, (bands, rows, cols); edges repeated."""
    for axis in (1, 2):
        pad = [(1, 1) if a == axis else (0, 0) for a in range(3)]
        wide = np.moveaxis(np.pad(image, pad, mode="edge"), axis, 0)
        image = np.moveaxis((wide[:-2] + wide[1:-1] + wide[2:]) / 3, 0, axis)
    return image


def redness(logs: Floats) -> Floats:
    """Red less the mean of green and blue."""
    return np.asarray(logs[0] - (logs[1] + logs[2]) / 2)


def land_figures(logs: Floats) -> dict[str, float]:
    """Distribution and texture of all pixels of a scene, (3, rows, cols) log grey levels."""
    out: dict[str, float] = {}
    tied = np.corrcoef(logs.reshape(3, -1)[:, ::THIN])
    for b, band in enumerate("rgb"):
        out[f"{band} mean"], out[f"{band} sd"] = logs[b].mean(), logs[b].std()
        out[f"{band}{'rgb'[b - 2]} correlation"] = tied[b, b - 2]
    planes = {
        "brightness": logs.mean(axis=0),
        "red-green": logs[0] - logs[1],
        "green-blue": logs[1] - logs[2],
    }
    for name, plane in planes.items():
        for percent in (1, 5, 25, 50, 75, 95, 99):
            out[f"{name} {percent} %"] = np.percentile(plane.ravel()[::THIN], percent)
        for lag in LAGS_PX:
            out[f"{name} variation at {lag} px"] = np.sqrt(semivariance(plane, lag))
    bright, thin = planes["brightness"], slice(1, -1, THIN)
    slope = np.hypot(bright[thin, 2:] - bright[thin, :-2], bright[2::THIN, 1:-1] - bright[:-2:THIN, 1:-1]) / 2
    for percent in (50, 90, 99):
        out[f"gradient {percent} %"] = np.percentile(slope, percent)
    return out


def nearest_m(kilns: Boxes) -> Floats:
    """Metres from each kiln to the nearest other one."""
    far = np.hypot(*offsets_m(kilns.lon[:, None], kilns.lat[:, None], kilns.lon, kilns.lat))
    np.fill_diagonal(far, np.inf)
    return np.asarray(far.min(axis=1))


def kiln_figures(logs: Floats, grid: Grid, kilns: Boxes) -> dict[str, float]:
    """Kilns against the ground 130-220 m from their centres."""
    inner, rings, spread = [], [], []
    for k in range(len(kilns)):
        col, row = (float(v[0]) for v in grid.pixel(kilns.lon[[k]], kilns.lat[[k]]))
        place = stamp(grid, col, row, float(kilns.angle_deg[k]), 220.0)
        pixels = logs[:, place.rows, place.cols]
        inside = (np.abs(place.along_m) < 0.425 * kilns.length_m[k]) & (
            np.abs(place.across_m) < 0.425 * kilns.width_m[k]
        )
        inner.append(pixels[:, inside].mean(axis=1))
        spread.append(pixels[:, inside].std(axis=1))
        rings.append(np.median(pixels[:, (place.far_m > 130) & (place.far_m < 220)], axis=1))
    colour, contrast = np.array(inner), np.array(inner) - np.array(rings)
    out: dict[str, float] = {}
    for b, band in enumerate("rgb"):
        out[f"kiln {band} mean"], out[f"kiln {band} sd"] = colour[:, b].mean(), colour[:, b].std()
        out[f"kiln contrast {band} mean"] = contrast[:, b].mean()
        out[f"kiln contrast {band} sd"] = contrast[:, b].std()
        out[f"kiln inside {band} sd"] = float(np.median(spread, axis=0)[b])
    apart = nearest_m(kilns)
    for percent in (16, 50, 84):
        out[f"nearest kiln m {percent} %"] = np.percentile(apart, percent)
    for percent in (5, 50, 95):
        out[f"kiln redness {percent} %"] = np.percentile(redness(colour.T), percent)
    return out


def ground_figures(
    logs: Floats, from_kilns_m: Floats, kiln_redness: float, area_km2: float
) -> dict[str, float]:
    """The ground at distances from kilns, and how much of it is as red as a kiln."""
    bright, red = logs.mean(axis=0), redness(mean_3x3(logs))
    away = from_kilns_m > 1000
    low, high = np.percentile(bright[away], [5, 93])
    out: dict[str, float] = {}
    for near, far in ((90, 150), (150, 300), (300, 600)):
        here = (from_kilns_m > near) & (from_kilns_m <= far)
        out[f"brightness {near}-{far} m from kilns"] = bright[here].mean() - bright[away].mean()
        out[f"redness {near}-{far} m from kilns"] = red[here].mean() - red[away].mean()
        out[f"pale share {near}-{far} m from kilns"] = (bright[here] > high).mean()
        out[f"dark share {near}-{far} m from kilns"] = (bright[here] < low).mean()
    as_red = (red >= kiln_redness) & (from_kilns_m > 130)
    out["share as red as the median kiln"] = as_red.sum() / (from_kilns_m > 130).sum()
    sizes = [shape(s).area for s, _ in shapes(as_red.astype(np.uint8), as_red)]
    km2 = area_km2 * (from_kilns_m > 130).mean()
    out["red patches of 20-200 px per km2"] = sum(20 <= a <= 200 for a in sizes) / km2
    return out


def describe(logs: Floats, grid: Grid, kilns: Boxes, from_kilns_m: Floats) -> dict[str, float]:
    """All figures of a scene; `from_kilns_m` counts places that may be kilns as kilns."""
    of_kilns = kiln_figures(logs, grid, kilns)
    of_ground = ground_figures(logs, from_kilns_m, of_kilns["kiln redness 50 %"], grid.area_km2())
    return {name: float(value) for name, value in (land_figures(logs) | of_kilns | of_ground).items()}


def painted_figures(seeds: tuple[int, ...] = SEEDS, side_px: int = SIDE_PX) -> dict[str, float]:
    """Mean figures of painted scenes with as many kilns per km2 as the real ones."""
    kilns = round(real()["kilns_per_km2"] * side_px**2 / 1e4)
    all_figures = []
    for seed in seeds:
        scene = paint_scene(seed, side_px, side_px, kilns, crs="4326")
        from_kilns_m = distance_m(scene.grid, scene.kilns.lon, scene.kilns.lat)
        logs = np.log(scene.pixels.astype(np.float64))
        all_figures.append(describe(logs, scene.grid, scene.kilns, from_kilns_m))
    return {name: float(np.mean([f[name] for f in all_figures])) for name in all_figures[0]}


def real() -> dict[str, Any]:
    """What the file of statistics holds."""
    text = resources.files("geodata.painter").joinpath("statistics.json").read_text("utf-8")
    return dict(json.loads(text))


def agrees(value: float, least: float, greatest: float) -> bool:
    """The rule: within the real scenes' range, widened by half of it on both sides."""
    slack = (greatest - least) / 2
    return least - slack <= value <= greatest + slack


def main() -> None:
    """Print the table."""
    painted, figures = painted_figures(), real()["figures"]
    good = {name: agrees(painted[name], least, most) for name, (least, _, most) in figures.items()}
    print(f"{'':36}{'real: least':>12}{'mean':>9}{'greatest':>9}{'painted':>9}")
    for name, row in figures.items():
        least, mean, most = (f"{value:9.3f}" for value in row)
        print(f"{name:36}{least:>12}{mean}{most}{painted[name]:9.3f}{'' if good[name] else '  <--'}")
    print(f"{sum(good.values())} of {len(good)} figures agree.")


if __name__ == "__main__":
    main()
