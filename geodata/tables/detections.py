"""geodata.tables.detections: the table of detections: its columns and checks, GeoParquet and GeoJSON."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandera.pandas as pa
import shapely

from geodata.files import write_text_atomic
from geodata.obb import Boxes
from geodata.tables.columns import SITE_TYPE
from geodata.tables.parquet import UTC, checked, polygons, read_table, write_table

_SHARE = pa.Check.in_range(0.0, 1.0)
_ABOVE_ZERO = pa.Check.gt(0.0)

SCHEMA = pa.DataFrameSchema(
    {
        "detection_id": pa.Column(str, unique=True),
        "scene_id": pa.Column(str),
        "acquired_at": pa.Column(UTC, nullable=True),
        "site_type": pa.Column(str, pa.Check.isin([SITE_TYPE])),
        "kiln_class": pa.Column(str),
        "score": pa.Column("float32", _SHARE),
        "probability": pa.Column("float32", _SHARE, nullable=True),
        "length_m": pa.Column("float32", _ABOVE_ZERO),
        "width_m": pa.Column("float32", _ABOVE_ZERO),
        "angle_deg": pa.Column("float32", pa.Check.in_range(0.0, 180.0, include_max=False)),
        "model_id": pa.Column(str),
        "geometry": pa.Column("geometry", polygons(corners=4)),
    },
    checks=pa.Check(lambda table: table["length_m"] >= table["width_m"], error="length_m is below width_m"),
    strict=True,
    ordered=True,
    name="detections",
)


def boxes_of(table: gpd.GeoDataFrame) -> Boxes:
    """The oriented boxes of a table; a centre is that of the outline's four corners."""
    corners = shapely.get_coordinates(table.geometry.to_numpy()).reshape(-1, 5, 2)[:, :4]
    centre = corners.mean(axis=1)
    length, width, angle = (table[name].to_numpy(np.float64) for name in ("length_m", "width_m", "angle_deg"))
    return Boxes(centre[:, 0], centre[:, 1], length, width, angle)


def write_detections(path: Path, table: gpd.GeoDataFrame) -> None:
    """Check and write detections or candidates as GeoParquet 1.1. Raises `InputError` as `write_table`."""
    write_table(path, table, SCHEMA)


def read_detections(path: Path) -> gpd.GeoDataFrame:
    """Read and check detections or candidates. Raises `InputError` as `read_table`."""
    return read_table(path, SCHEMA)


def write_geojson(path: Path, table: gpd.GeoDataFrame) -> None:
    """Write the table as GeoJSON (RFC 7946), times in ISO 8601, for programs that read no GeoParquet.

    Raises:
        InputError: the table does not fit its schema, or the folder cannot be written.
    """
    plain = checked(table, SCHEMA).copy()
    times = plain["acquired_at"]
    plain["acquired_at"] = (
        times.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").astype(object).where(times.notna(), None)
    )
    collection = json.loads(plain.to_json(drop_id=True, na="null"))
    write_text_atomic(path, json.dumps(collection, indent=1, ensure_ascii=False) + "\n")
