"""Measure the colours and textures that the painter uses, from the real train scenes.

    KILNLIGHT_DATA=path/to/data python scripts/measure_painter_statistics.py

Writes `geodata/painter/statistics.json`: means, covariances and profiles only, no pixel. Colours are natural
logarithms of grey levels (1..255) in the order red, green, blue. No model and no detection is looked at.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from geodata.grid import Floats, Grid
from geodata.obb import Boxes, offsets_m

OUT = Path(__file__).parent.parent / "geodata" / "painter" / "statistics.json"
POINTS = [0.0005, 0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995, 0.9995]
"""Where the distributions of the land's colours are read."""
TEMPLATE = (7, 5)
"""Bins of |along| and |across| from the centre to 1.4 half-lengths and half-widths."""
REACH = 1.4


def block_reduce(image: Floats, size: int) -> Floats:
    """Means of size x size blocks, shape (bands, rows, cols)."""
    rows, cols = image.shape[1] // size, image.shape[2] // size
    cut = image[:, : rows * size, : cols * size]
    return np.asarray(cut.reshape(len(image), rows, size, cols, size).mean(axis=(2, 4)))


def box_mean(image: Floats, radius: int) -> Floats:
    """Running mean in a square of 2 radius + 1 pixels, edges repeated."""
    size = 2 * radius + 1
    padded = np.pad(image, ((0, 0), (radius + 1, radius), (radius + 1, radius)), mode="edge")
    total = padded.cumsum(axis=1).cumsum(axis=2)
    return np.asarray(
        (
            total[:, size:, size:]
            - total[:, :-size, size:]
            - total[:, size:, :-size]
            + total[:, :-size, :-size]
        )
        / size**2
    )


def gaussian(colours: Floats) -> dict[str, Any]:
    """Mean and covariance of colours, shape (n, 3)."""
    return {"mean": colours.mean(axis=0).tolist(), "cov": np.cov(colours.T).tolist(), "n": len(colours)}


def distance_to_places_m(grid: Grid, lon: Floats, lat: Floats) -> Floats:
    """Metres from each pixel to the nearest place, at most 2,000 (looked up in a window around each)."""
    out = np.full((grid.height, grid.width), 2000.0)
    cols, rows = grid.pixel(lon, lat)
    for col, row in zip(cols, rows, strict=True):
        jacobian = grid.jacobian_m(col, row)[0]
        c0, c1 = max(0, int(col) - 120), min(grid.width, int(col) + 120)
        r0, r1 = max(0, int(row) - 120), min(grid.height, int(row) + 120)
        if c0 >= c1 or r0 >= r1:
            continue
        dc, dr = np.meshgrid(np.arange(c0, c1) + 0.5 - col, np.arange(r0, r1) + 0.5 - row)
        east, north = np.einsum("ij,jrc->irc", jacobian, np.stack([dc, dr]))
        out[r0:r1, c0:c1] = np.minimum(out[r0:r1, c0:c1], np.hypot(east, north))
    return out


def autocorrelation(detail: Floats, lags: list[int]) -> list[float]:
    """Mean correlation of an image (bands, rows, cols) with itself, moved east and south by each lag."""
    centred = detail - detail.mean(axis=(1, 2), keepdims=True)
    variance = (centred**2).mean()
    out = []
    for lag in lags:
        east = (centred[:, :, lag:] * centred[:, :, :-lag]).mean()
        south = (centred[:, lag:] * centred[:, :-lag]).mean()
        out.append(float((east + south) / 2 / variance))
    return out


def land_statistics(logs: Floats) -> dict[str, Any]:
    """Regional, field-sized and pixel-sized variation of one scene."""
    regional = block_reduce(logs, 64)
    detail = logs - box_mean(logs, 32)
    fields = block_reduce(detail, 5)
    smooth = (logs[:, 1:-1, :-2] + logs[:, 1:-1, 2:] + logs[:, :-2, 1:-1] + logs[:, 2:, 1:-1]) / 4
    noise = (logs[:, 1:-1, 1:-1] - smooth) * np.sqrt(4 / 5)
    return {
        "mean": logs.mean(axis=(1, 2)),
        "regional_cov": np.cov(regional.reshape(3, -1)),
        "field_cov": np.cov(fields.reshape(3, -1)),
        "pixel_sd": np.median(np.abs(noise), axis=(1, 2)) * 1.4826,
        "autocorrelation": np.array(autocorrelation(detail, [1, 2, 3, 4, 6, 8, 12, 16, 24, 32])),
    }


def land_axes(logs: Floats, from_any_m: Floats) -> Floats:
    """Brightness, red less green and green less blue, (3, n), of ground farther than 300 m from any kiln."""
    red, green, blue = box_mean(logs, 1)[:, from_any_m > 300]
    return np.stack([(red + green + blue) / 3, red - green, green - blue])[:, ::25]


def kiln_frame(
    grid: Grid, boxes: Boxes, k: int, radius: int = 26
) -> tuple[slice, slice, Floats, Floats] | None:
    """Window around kiln k with each pixel's metres along and across it; None near a scene's edge."""
    col, row = (float(v[0]) for v in grid.pixel(boxes.lon[[k]], boxes.lat[[k]]))
    c0, r0 = int(col) - radius, int(row) - radius
    if c0 < 0 or r0 < 0 or c0 + 2 * radius > grid.width or r0 + 2 * radius > grid.height:
        return None
    dc, dr = np.meshgrid(np.arange(2 * radius) + c0 + 0.5 - col, np.arange(2 * radius) + r0 + 0.5 - row)
    east, north = np.einsum("ij,jrc->irc", grid.jacobian_m(col, row)[0], np.stack([dc, dr]))
    turn = np.radians(boxes.angle_deg[k])
    along = east * np.cos(turn) + north * np.sin(turn)
    across = -east * np.sin(turn) + north * np.cos(turn)
    return slice(r0, r0 + 2 * radius), slice(c0, c0 + 2 * radius), along, across


def kiln_colours(logs: Floats, grid: Grid, boxes: Boxes) -> list[dict[str, Floats]]:
    """For each kiln: its mean colour, its surroundings', its profile, and its midline and pixel spread."""
    out = []
    for k in range(len(boxes)):
        frame = kiln_frame(grid, boxes, k)
        if frame is None:
            continue
        rows, cols, along, across = frame
        u, v = np.abs(along) / (boxes.length_m[k] / 2), np.abs(across) / (boxes.width_m[k] / 2)
        pixels = logs[:, rows, cols]
        inside, far = (u < 0.85) & (v < 0.85), np.hypot(along, across)
        ring = (far > 130) & (far < 220)
        mean = pixels[:, inside].mean(axis=1)
        template = np.full((3, *TEMPLATE), np.nan)
        i = (u / REACH * TEMPLATE[0]).astype(int)
        j = (v / REACH * TEMPLATE[1]).astype(int)
        for a in range(TEMPLATE[0]):
            for b in range(TEMPLATE[1]):
                cell = (i == a) & (j == b)
                if cell.any():
                    template[:, a, b] = pixels[:, cell].mean(axis=1) - mean
        middle, sides = inside & (v < 0.25), inside & (v > 0.4)
        out.append(
            {
                "mean": mean,
                "ring": np.median(pixels[:, ring], axis=1),
                "template": template,
                "midline": pixels[:, middle].mean(axis=1) - pixels[:, sides].mean(axis=1),
                "spread": pixels[:, inside].std(axis=1),
            }
        )
    return out


def other_colours(logs: Floats, from_kilns_m: Floats, from_any_m: Floats) -> dict[str, Floats]:
    """Samples of colours, shape (n, 3), of yards, dug land, built-up land, sheds, red ground and roads."""
    brightness = logs.mean(axis=0)
    smooth = box_mean(logs, 1)
    rough = np.sqrt(np.maximum(box_mean(logs**2, 2) - box_mean(logs, 2) ** 2, 0)).mean(axis=0)
    redness = smooth[0] - (smooth[1] + smooth[2]) / 2
    near = (from_kilns_m > 90) & (from_kilns_m < 350)
    far = from_any_m > 500
    bright = np.quantile(brightness, [0.05, 0.93, 0.9985])
    masks = {
        "yard": near & (brightness > bright[1]) & (rough < np.quantile(rough, 0.85)),
        "dug": near & (brightness < bright[0] + 0.1),
        "built": far & (rough > np.quantile(rough, 0.965)) & (brightness > np.median(brightness)),
        "shed": far & (brightness > bright[2]),
        "red": far & (redness > np.quantile(redness, 0.99)) & (smooth.mean(axis=0) > np.median(brightness)),
    }
    rng = np.random.default_rng(0)
    out = {}
    for name, mask in masks.items():
        colours = logs[:, mask].T
        out[name] = colours[rng.permutation(len(colours))[:5000]]
    out["yard_share"] = np.array([masks["yard"].sum(), near.sum()], dtype=np.float64)
    return out


def read_scene(path: Path) -> tuple[Floats, Grid]:
    """Logarithms of a whole scene's grey levels and its grid."""
    with rasterio.open(path) as data:
        pixels = data.read().astype(np.float64)
        grid = Grid(
            CRS.from_user_input(data.crs.to_wkt()), Affine(*data.transform[:6]), data.width, data.height
        )
    return np.log(np.maximum(pixels, 1)), grid


def read_boxes(features: list[dict[str, Any]], scene: str) -> Boxes:
    """Whole kilns of one scene."""
    rows = []
    for feature in features:
        p = feature["properties"]
        if p["scene"] == scene and not p["cut_by_edge"]:
            ring = np.array(feature["geometry"]["coordinates"][0][:4])
            rows.append([*ring.mean(axis=0), p["length_m"], p["width_m"], p["angle_deg"]])
    return Boxes(*np.array(rows, dtype=np.float64).reshape(-1, 5).T)


def nearest_neighbour_m(boxes: Boxes) -> Floats:
    """Distance of each kiln to the nearest other one."""
    if len(boxes) < 2:
        return np.empty(0)
    east, north = offsets_m(boxes.lon[:, None], boxes.lat[:, None], boxes.lon[None], boxes.lat[None])
    far = np.hypot(east, north)
    np.fill_diagonal(far, np.inf)
    return np.asarray(far.min(axis=1))


def summary(values: Floats | NDArray[np.float64]) -> dict[str, Any]:
    """5, 16, 50, 84 and 95 % points."""
    return {"q05_16_50_84_95": np.quantile(values, [0.05, 0.16, 0.5, 0.84, 0.95]).tolist()}


def kiln_statistics(kilns: list[dict[str, Floats]]) -> dict[str, Any]:
    """Colour given the surroundings (a straight line), mean profile and spreads."""
    mean, ring = np.array([k["mean"] for k in kilns]), np.array([k["ring"] for k in kilns])
    design = np.column_stack([np.ones(len(ring)), ring])
    line, *_ = np.linalg.lstsq(design, mean, rcond=None)
    midline = np.array([k["midline"] for k in kilns])
    return {
        "n": len(kilns),
        "colour": gaussian(mean),
        "contrast": gaussian(mean - ring),
        "colour_from_surroundings": {
            "constant_then_red_green_blue": line.tolist(),
            "left_over_cov": np.cov((mean - design @ line).T).tolist(),
        },
        "profile": {"reach": REACH, "log_ratio": np.nanmean([k["template"] for k in kilns], axis=0).tolist()},
        "midline": gaussian(midline),
        "pixel_sd": np.median([k["spread"] for k in kilns], axis=0).tolist(),
    }


def measure(data: Path) -> dict[str, Any]:
    """All statistics of the train scenes under a data folder."""
    features = json.loads((data / "kilns.geojson").read_text())["features"]
    places = np.loadtxt(data / "unverified_candidates.csv", delimiter=",", skiprows=1, usecols=(0, 1))
    land, kilns, others, boxes, axes = [], [], [], [], []
    for path in sorted((data / "scenes").glob("train_*.tif")):
        logs, grid = read_scene(path)
        here = read_boxes(features, path.stem)
        boxes.append(here)
        land.append(land_statistics(logs))
        kilns += kiln_colours(logs, grid, here)
        from_kilns = distance_to_places_m(grid, here.lon, here.lat)
        from_any = np.minimum(from_kilns, distance_to_places_m(grid, places[:, 0], places[:, 1]))
        others.append(other_colours(logs, from_kilns, from_any))
        axes.append(land_axes(logs, from_any))
        print(path.stem, len(here), file=sys.stderr)
    shares = np.sum([o["yard_share"] for o in others], axis=0)
    # city and dry ridge are no kiln country: the painted land is that of the scenes with many kilns
    rural = [s for s, b in zip(land, boxes, strict=True) if len(b) >= 15]
    ground = np.concatenate([a for a, b in zip(axes, boxes, strict=True) if len(b) >= 15], axis=1)
    return {
        "source": "train scenes; log grey levels 1..255, order red, green, blue",
        "land": {key: np.mean([s[key] for s in rural], axis=0).tolist() for key in rural[0]},
        "land_axes": {
            "of": "brightness, red - green, green - blue",
            "points": POINTS,
            "quantiles": np.quantile(ground, POINTS, axis=1).T.tolist(),
        },
        "land_lags_px": [1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
        "kiln": kiln_statistics(kilns),
        "kiln_length_m": summary(np.concatenate([b.length_m for b in boxes])),
        "kiln_width_m": summary(np.concatenate([b.width_m for b in boxes])),
        "kiln_neighbour_m": summary(np.concatenate([nearest_neighbour_m(b) for b in boxes])),
        "yard_share": float(shares[0] / shares[1]),
        **{
            name: gaussian(np.concatenate([o[name] for o in others]))
            for name in ("yard", "dug", "built", "shed", "red")
        },
    }


def rounded(value: Any) -> Any:
    """Floats cut to five significant digits."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    """Measure and write the file."""
    folder = os.environ.get("KILNLIGHT_DATA")
    if not folder:
        sys.exit("KILNLIGHT_DATA is not set: set it to the folder that holds delhi/.")
    OUT.write_text(json.dumps(rounded(measure(Path(folder) / "delhi")), indent=1) + "\n")


if __name__ == "__main__":
    main()
