"""geodata.tables.parquet: checked, whole and repeatable GeoParquet files; knows no table by name."""

from pathlib import Path

import geopandas as gpd
import pandera.pandas as pa
import pyarrow as arrow
import shapely
from pandera.errors import SchemaErrors

from geodata.errors import InputError
from geodata.files import atomic_path

UTC = "datetime64[us, UTC]"
CRS = "EPSG:4326"


def polygons(corners: int) -> pa.Check:
    """A check that each geometry is a polygon with so many corners and finite lon/lat in degrees."""

    def fits(geometry: gpd.GeoSeries) -> bool:
        shapes = geometry.to_numpy()
        if not (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all():
            return False
        return bool(
            (shapely.get_num_coordinates(shapes) == corners + 1).all() and shapely.is_valid(shapes).all()
        )

    return pa.Check(fits, error=f"not polygons with {corners} corners")


def checked(table: gpd.GeoDataFrame, schema: pa.DataFrameSchema) -> gpd.GeoDataFrame:
    """The table itself where it fits the schema and lies in EPSG:4326. Raises `InputError` where not."""
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None or table.crs.to_string() != CRS:
        raise InputError(
            f"The {schema.name} table has no geometry in {CRS}; write it again with `kilnlight detect`."
        )
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as error:
        first = error.failure_cases.iloc[0]
        raise InputError(
            f"The {schema.name} table breaks its contract in column {first['column']!r} ({first['check']}, "
            f"found {first['failure_case']!r}); write it again with `kilnlight detect`."
        ) from error
    return table


def write_table(path: Path, table: gpd.GeoDataFrame, schema: pa.DataFrameSchema) -> None:
    """Check a table and write it as GeoParquet 1.1, whole or not at all; the same rows give the same bytes.

    Raises:
        InputError: the table does not fit its schema, or the folder cannot be written.
    """
    checked(table, schema)
    with atomic_path(path) as temporary:
        # The covering box lets readers of big tables take only the rows of an area.
        table.to_parquet(
            temporary, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True
        )


def read_table(path: Path, schema: pa.DataFrameSchema) -> gpd.GeoDataFrame:
    """Read and check a table. Raises `InputError` for a file that is not there, broken or of another kind."""
    try:
        table = gpd.read_parquet(path)
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise InputError(
            f"{path} cannot be read as GeoParquet ({error}); write it again with `kilnlight detect`."
        ) from error
    try:
        return checked(table, schema)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
