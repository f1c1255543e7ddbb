"""geodata.tables.held_out: what nets found on parts that they had not learnt from."""

from pathlib import Path

import geopandas as gpd
import pandera.pandas as pa

from geodata.tables.parquet import polygons, read_table, write_table

HELD_OUT = "held_out.parquet"
OUTCOMES = ("hit", "false_alarm", "excused")

_SHARE = pa.Check.in_range(0.0, 1.0)
_ABOVE_ZERO = pa.Check.gt(0.0)

SCHEMA = pa.DataFrameSchema(
    {
        "fold": pa.Column("int64", pa.Check.ge(1)),
        "scene": pa.Column(str),  # name of the file
        "score": pa.Column("float32", _SHARE),  # from the candidate floor up
        # by a beta calibration of the other folds' scores; null where those are too few
        "probability": pa.Column("float32", _SHARE, nullable=True),
        "outcome": pa.Column(str, pa.Check.isin(OUTCOMES)),  # at 100 m, whatever the threshold
        "kiln": pa.Column(str, nullable=True),  # what the labels call the kiln of a hit
        "distance_m": pa.Column("float32", nullable=True),
        "length_m": pa.Column("float32", _ABOVE_ZERO),
        "width_m": pa.Column("float32", _ABOVE_ZERO),
        "angle_deg": pa.Column("float32", pa.Check.in_range(0.0, 180.0, include_max=False)),
        "geometry": pa.Column("geometry", polygons(corners=4)),
    },
    strict=True,
    ordered=True,
    name="held-out",
)


def write_held_out(path: Path, table: gpd.GeoDataFrame) -> None:
    """Check and write held-out detections as GeoParquet 1.1. Raises `InputError` as `write_table`."""
    write_table(path, table, SCHEMA)


def read_held_out(path: Path) -> gpd.GeoDataFrame:
    """Read and check held-out detections. Raises `InputError` as `read_table`."""
    return read_table(path, SCHEMA)
