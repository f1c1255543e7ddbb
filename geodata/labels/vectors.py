"""geodata.labels.vectors: labels in vector files (GeoJSON, GeoPackage, ...) and in CSV tables of points."""

import csv
import io
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import InputError
from geodata.files import atomic_path, write_text_atomic
from geodata.labels.forms import Read, ReadOptions, refuse
from geodata.labels.kilns import KilnLabels
from geodata.labels.rows import labels_of_rows

DRIVERS = {".geojson": "GeoJSON", ".gpkg": "GPKG"}
TABLE = ".csv"
WRITTEN = (*DRIVERS, TABLE)


def read_vectors(path: Path, options: ReadOptions) -> Read:
    """Read polygons or points, one per kiln, in any vector format and CRS.

    An outline of other than four corners becomes the smallest box around it.

    Raises:
        ProblemsError: broken rows, unless the options skip them.
        InputError: no such file, no vector file, several layers, no CRS, or no row.
    """
    table = _table(path)
    if table.empty:
        raise InputError(f"{path} holds no kiln; give one polygon or point per kiln.")
    # some files of projected CRSs hold rows in degrees: those leave the earth here, and are named by row
    shapes = table.geometry.to_crs(4326).to_numpy()
    labels, problems = labels_of_rows(
        shapes,
        pd.DataFrame(table.drop(columns=table.geometry.name)),
        options.classes,
        lambda k: f"{path}, row {k + 1}",
        "it has no outline and no point",
    )
    refuse(problems, len(labels), options)
    return Read(labels, len(table), tuple(problems))


def read_table(path: Path, options: ReadOptions) -> Read:
    """Read points from a CSV file with `lon` and `lat` (degrees, WGS 84) and the properties of `rows`.

    Raises:
        ProblemsError: broken rows, unless the options skip them.
        InputError: no such file, no such columns, or no row.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); give a table with lon and lat.") from error
    missing = [name for name in ("lon", "lat") if name not in names]
    if missing:
        raise InputError(f"{path} has no column {' and no column '.join(missing)}; it needs lon and lat.")
    if not rows:
        raise InputError(f"{path} holds no kiln; give one line per kiln.")
    table = pd.DataFrame([{name: row[name] for name in names} for row in rows], dtype=object)
    lon, lat = (pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in ("lon", "lat"))
    whole = np.array([None not in row and None not in row.values() for row in rows])
    known = whole & np.isfinite(lon) & np.isfinite(lat)
    shapes = np.full(len(rows), None, np.object_)
    shapes[known] = shapely.points(lon[known], lat[known])
    labels, problems = labels_of_rows(
        shapes,
        table,
        options.classes,
        lambda k: f"{path}, line {k + 2}",
        "its lon or lat is no number, or it has more or fewer cells than the first line",
    )
    refuse(problems, len(labels), options)
    return Read(labels, len(rows), tuple(problems))


def write_labels(path: Path, labels: KilnLabels, points: bool = False) -> None:
    """Write labels by the name's end: .geojson or .gpkg (boxes as polygons, or points), or .csv (points).

    Raises:
        InputError: for a name with another end, or a disk that refuses.
    """
    end = path.suffix.lower()
    if end not in WRITTEN:
        raise InputError(f"{path} ends with {end or 'nothing'}; name a file .geojson, .gpkg or .csv.")
    table = _columns(labels, points or end == TABLE)
    boxes = labels.boxes
    if end == TABLE:
        # repr of the floats: a table keeps places exactly
        table = pd.concat([pd.DataFrame({"lon": boxes.lon, "lat": boxes.lat}), table], axis=1)
        out = io.StringIO()
        table.to_csv(out, index=False, lineterminator="\n")
        write_text_atomic(path, out.getvalue())
        return
    shapes = shapely.points(boxes.lon, boxes.lat) if points else shapely.polygons(boxes.corners())
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=4326)
    how = {"COORDINATE_PRECISION": 8} if end == ".geojson" else {"layer": "kilns"}
    with atomic_path(path) as temporary:
        frame.to_file(temporary, driver=DRIVERS[end], **how)


def _columns(labels: KilnLabels, points: bool) -> pd.DataFrame:
    boxes, known = labels.boxes, labels.size_known
    columns = {
        "id": labels.label_id,
        "kiln_class": labels.kiln_class,
        "probability": labels.probability,
        "length_m": np.where(known | (not points), boxes.length_m.round(1), np.nan),
        "width_m": np.where(known | (not points), boxes.width_m.round(1), np.nan),
        "angle_deg": np.where(known | (not points), boxes.angle_deg.round(1), np.nan),
        "cut_by_edge": labels.cut_by_edge,
    }
    if not points and not known.all():
        columns["size_known"] = known
    if not np.isnat(labels.valid_from).all():
        text = np.datetime_as_string(labels.valid_from, unit="us")
        columns["valid_from"] = np.array(
            [None if np.isnat(at) else f"{t}Z" for at, t in zip(labels.valid_from, text, strict=True)],
            np.object_,
        )
    return pd.DataFrame(columns)


def _table(path: Path) -> gpd.GeoDataFrame:
    if not Path(path).is_file():
        raise InputError(f"There is no file {path}; check the path of the labels.")
    try:
        known = gpd.list_layers(path)
        layers = known["name"][known["geometry_type"].notna()].astype(str).tolist()
        # outlines that cannot be built become empty, and are named by row
        table = gpd.read_file(path, on_invalid="ignore", layer=layers[0] if layers else None)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path} cannot be read as a vector file; mend it, or give kilns as GeoJSON."
        ) from error
    if len(layers) > 1:
        raise InputError(
            f"{path} has {len(layers)} layers ({', '.join(layers)}), which may have different CRSs; give a "
            "file with one."
        )
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        raise InputError(f"{path} has no geometry or no CRS; give kilns as GeoJSON, in lon and lat.")
    return table
