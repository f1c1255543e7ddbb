"""geodata.tables.coverage: the table of what was looked at, one row a scene and tile: columns, checks."""

from pathlib import Path

import geopandas as gpd
import pandera.pandas as pa

from geodata.tables.columns import TILE_STATES
from geodata.tables.parquet import UTC, polygons, read_table, write_table

SCHEMA = pa.DataFrameSchema(
    {
        "tile_id": pa.Column(str, pa.Check.str_matches(r"^\d+/\d+/\d+$")),
        "scene_id": pa.Column(str),
        "acquired_at": pa.Column(UTC, nullable=True),
        "model_id": pa.Column(str),
        "observed_share": pa.Column("float32", pa.Check.in_range(0.0, 1.0)),
        "state": pa.Column(str, pa.Check.isin(TILE_STATES)),
        "geometry": pa.Column("geometry", polygons(corners=4)),
    },
    strict=True,
    ordered=True,
    name="coverage",
)


def write_coverage(path: Path, table: gpd.GeoDataFrame) -> None:
    """Check and write coverage as GeoParquet 1.1. Raises `InputError` as `write_table`."""
    write_table(path, table, SCHEMA)


def read_coverage(path: Path) -> gpd.GeoDataFrame:
    """Read and check coverage. Raises `InputError` as `read_table`."""
    return read_table(path, SCHEMA)
