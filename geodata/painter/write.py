"""geodata.painter.write: writes a painted scene, its truth and its volunteers' marks as files."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rasterio.crs import CRS as RasterCRS
from rasterio.io import MemoryFile

from geodata.files import write_bytes_atomic, write_text_atomic
from geodata.obb import Boxes
from geodata.painter.scene import PaintedScene
from geodata.painter.volunteers import simulate_marks
from geodata.tables.marks import write_marks

ACQUIRED_AT = datetime(2023, 11, 15, 5, 30, tzinfo=UTC)
"""The default date lies in the kilns' season."""


@dataclass(frozen=True)
class PaintedFiles:
    """Where the parts of a painted scene were written."""

    scene: Path
    kilns: Path
    marks: Path


def write_painted(
    painted: PaintedScene,
    folder: Path,
    name: str = "made_up",
    acquired_at: datetime = ACQUIRED_AT,
    seed: int = 0,
) -> PaintedFiles:
    """Write NAME.tif, NAME_kilns.geojson (the truth) and NAME_marks.csv (simulated volunteers).

    `seed` is that of the volunteers. The folder is made where it does not exist.
    """
    files = PaintedFiles(
        folder / f"{name}.tif", folder / f"{name}_kilns.geojson", folder / f"{name}_marks.csv"
    )
    write_scene(painted, files.scene, acquired_at)
    write_text_atomic(files.kilns, json.dumps(truth_geojson(painted.kilns, name), indent=1) + "\n")
    write_marks(simulate_marks(painted, seed), files.marks)
    return files


def write_scene(painted: PaintedScene, path: Path, acquired_at: datetime | None = ACQUIRED_AT) -> Path:
    """Write the pixels as a tiled GeoTIFF that says that it is made up."""
    grid = painted.grid
    tags = {"MADE_UP": "yes", "PRODUCT": "painted"}
    if acquired_at is not None:
        tags["ACQUIRED_AT"] = acquired_at.isoformat()
    profile = {
        "driver": "GTiff",
        "dtype": painted.pixels.dtype.name,
        "count": 3,
        "width": grid.width,
        "height": grid.height,
        "crs": RasterCRS.from_wkt(grid.crs.to_wkt()),
        "transform": grid.transform,
        "nodata": 0,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "deflate",
        "predictor": 2,
    }
    # on a full disk GDAL writes a part and tells only the terminal
    with MemoryFile() as memory:
        with memory.open(**profile) as data:
            data.write(painted.pixels)
            data.update_tags(**tags)
            for band, text in enumerate(("red", "green", "blue"), start=1):
                data.set_band_description(band, text)
        write_bytes_atomic(path, memory.read())
    return path


def truth_geojson(kilns: Boxes, scene: str) -> dict[str, object]:
    """The kilns as GeoJSON with the properties of the real label file."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "id": f"mu{k + 1:04d}",
                "kiln_class": "unknown",
                "length_m": round(float(kilns.length_m[k]), 1),
                "width_m": round(float(kilns.width_m[k]), 1),
                "angle_deg": round(float(kilns.angle_deg[k]), 1) % 180.0,
                "scene": scene,
                "split": "made_up",
                "cut_by_edge": False,
                "made_up": True,
            },
            "geometry": {"type": "Polygon", "coordinates": [[*corners.tolist(), corners[0].tolist()]]},
        }
        for k, corners in enumerate(kilns.corners().round(7))
    ]
    return {"type": "FeatureCollection", "features": features}
