"""geodata.labels.kilns: verified kilns and unverified places from files; knows nothing of models."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.errors import InputError
from geodata.files import atomic_path
from geodata.grid import Floats, Grid, metres_per_degree
from geodata.obb import Boxes, from_corners
from geodata.tiles import footprint

CUT_BY_EDGE, KILN_CLASS = "cut_by_edge", "kiln_class"
UNKNOWN = "unknown"
NO_AREA_DEG2 = 1e-12
"""A hundredth of a square metre: corners on a line have that by rounding."""
VECTOR_DRIVERS = {".geojson": "GeoJSON", ".gpkg": "GPKG"}


@dataclass(frozen=True)
class KilnLabels:
    """Verified kilns."""

    boxes: Boxes
    cut_by_edge: NDArray[np.bool_]
    """True where a scene's edge cuts the kiln; False where the file does not tell."""
    kiln_class: NDArray[np.object_]
    """CFCBK, FCBK, Zigzag or unknown."""

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "KilnLabels":
        """The kilns at an index or under a mask."""
        return KilnLabels(self.boxes.take(index), self.cut_by_edge[index], self.kiln_class[index])


@dataclass(frozen=True)
class Places:
    """Unverified places (degrees, WGS 84): what is found there is neither right nor wrong."""

    lon: Floats
    lat: Floats


NO_PLACES = Places(np.empty(0), np.empty(0))


def read_kilns(path: Path) -> KilnLabels:
    """Read kilns: one polygon each, in any vector format and CRS; `cut_by_edge` is read where it is there.

    An outline of other than four corners becomes the smallest box around it.

    Raises:
        InputError: no such file, no vector file, no CRS, no kiln, or something in it that is not a polygon,
            crosses itself or has no area.
    """
    table = _read_vectors(path)
    if table.empty:
        raise InputError(f"{path} holds no kiln; give one polygon per kiln.")
    shapes = _without_wrapping(table.geometry.to_numpy())
    polygons = (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(shapes)
    if not polygons.all():
        row = int(np.flatnonzero(~polygons)[0]) + 1
        raise InputError(f"{path} has something else than a polygon in row {row}; give one polygon per kiln.")
    broken = ~shapely.is_valid(shapes) | (shapely.area(shapes) < NO_AREA_DEG2)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        why = shapely.is_valid_reason(shapes[row])
        why = "it has no area" if why == "Valid Geometry" else why[:1].lower() + why[1:]
        raise InputError(f"{path} has a broken outline in row {row + 1} ({why}); mend it or take it out.")
    corners = [_four_corners(shape) for shape in shapes]
    cut = table[CUT_BY_EDGE] if CUT_BY_EDGE in table else pd.Series(False, index=table.index)
    kiln_class = table[KILN_CLASS] if KILN_CLASS in table else pd.Series(UNKNOWN, index=table.index)
    return KilnLabels(
        from_corners(np.array(corners, dtype=np.float64).reshape(-1, 4, 2)),
        cut.eq(True).to_numpy(np.bool_),
        kiln_class.fillna(UNKNOWN).to_numpy(np.object_),
    )


def write_kilns(path: Path, labels: KilnLabels) -> None:
    """Write kilns as GeoJSON or GeoPackage (by the name's end): one polygon each, with size and angle.

    Raises:
        InputError: for a name with another end, or a disk that refuses.
    """
    driver = VECTOR_DRIVERS.get(path.suffix.lower())
    if driver is None:
        raise InputError(f"{path} ends with {path.suffix or 'nothing'}; name a file .geojson or .gpkg.")
    boxes = labels.boxes
    table = gpd.GeoDataFrame(
        {
            KILN_CLASS: labels.kiln_class,
            "length_m": boxes.length_m.round(1),
            "width_m": boxes.width_m.round(1),
            "angle_deg": boxes.angle_deg.round(1),
            CUT_BY_EDGE: labels.cut_by_edge,
        },
        geometry=shapely.polygons(boxes.corners()),
        crs=4326,
    )
    how = {"COORDINATE_PRECISION": 8} if driver == "GeoJSON" else {"layer": "kilns"}
    with atomic_path(path) as temporary:
        table.to_file(temporary, driver=driver, **how)


def read_places(path: Path) -> Places:
    """Read unverified places from a CSV file with the columns `lon` and `lat` (degrees, WGS 84).

    Raises:
        InputError: no such file, no such columns, or a row that is no place on earth.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); give a table with lon and lat.") from error
    missing = sorted({"lon", "lat"} - set(table.columns))
    if missing:
        raise InputError(f"{path} has no column {' and no column '.join(missing)}; it needs lon and lat.")
    lon, lat = (pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in ("lon", "lat"))
    bad = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if bad.any():
        row = int(np.flatnonzero(bad)[0]) + 2
        raise InputError(f"{path}, line {row}, is no place on earth; give lon and lat in degrees.")
    return Places(lon, lat)


def check_meet(labels: KilnLabels, grids: Iterable[Grid], path: Path) -> None:
    """Raise `InputError`, with both extents, where no kiln lies in any of the scenes."""
    shapes = [footprint(grid) for grid in grids]
    kilns = shapely.points(labels.boxes.lon, labels.boxes.lat)
    if not any(shapely.intersects(shape, kilns).any() for shape in shapes):
        raise InputError(
            f"No kiln of {path} lies in a scene: the kilns lie in {_extent(kilns)}, the scenes in "
            f"{_extent(shapes)} (west, south, east, north); give labels of these scenes."
        )


def _read_vectors(path: Path) -> gpd.GeoDataFrame:
    if not Path(path).is_file():
        raise InputError(f"There is no file {path}; check the path of the labels.")
    try:
        table = gpd.read_file(path)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as a vector file; give kilns as GeoJSON.") from error
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        raise InputError(f"{path} has no geometry or no CRS; give kilns as GeoJSON, in lon and lat.")
    return table.to_crs(4326)


def _without_wrapping(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Multi-polygons of one part as that part: GeoPackage and shapefiles often know no other kind."""
    single = shapely.get_num_geometries(shapes) == 1
    return np.where(single, shapely.get_geometry(shapes, 0), shapes)


def _four_corners(shape: shapely.Polygon) -> Floats:
    ring: Floats = shapely.get_coordinates(shape.exterior)
    if len(ring) == 5:
        return ring[:4]
    # the smallest box is that in metres, not in degrees
    scale = np.array([float(v) for v in metres_per_degree(ring[:, 1].mean())])
    box = shapely.minimum_rotated_rectangle(shapely.Polygon(ring * scale))
    corners: Floats = shapely.get_coordinates(box)[:4] / scale
    return corners


def _extent(shapes: shapely.Geometry | Sequence[shapely.Geometry] | NDArray[np.object_]) -> str:
    return ", ".join(f"{value:.3f}" for value in shapely.total_bounds(shapes))
