"""geodata.labels.split_files: files that say which pictures, or which ground, teach and which score.

A CSV names pictures (`picture,split`); a vector file holds polygons with the column `split`. The names
`train`, `val` (kept for a test) and `unused` are fixed, any other, such as 1 to 5, is a fold.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.files import atomic_path, write_text_atomic
from geodata.grid import Grid
from geodata.labels.vectors import DRIVERS, TABLE
from geodata.tiles import footprint

TRAIN, HELD_OUT, UNUSED = "train", "val", "unused"
Splits = Mapping[str, str]
"""File name of a picture -> the name of its split."""
Ground = Mapping[str, BaseGeometry]
"""Name of a split -> its ground: polygons in degrees, WGS 84."""


def write_splits(path: Path, splits: Splits) -> None:
    """Write a CSV with the columns `picture` and `split`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("picture", "split"), *sorted(splits.items())])
    write_text_atomic(path, out.getvalue())


def read_splits(path: Path) -> dict[str, str]:
    """Read such a file.

    Raises:
        InputError: no such file or columns, a picture that is named twice, or one without a split.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error}); give a CSV with picture and split.") from error
    if not rows or not {"picture", "split"} <= set(rows[0]):
        raise InputError(f"{path} has no rows with picture and split; `kilnlight labels split` writes them.")
    out: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if row["picture"] in out:
            raise InputError(f"{path}, line {number}, names {row['picture']} again; leave one line for it.")
        split = (row["split"] or "").strip()
        if not split:
            raise InputError(
                f"{path}, line {number}, names no split for {row['picture']}; write one, or {UNUSED}."
            )
        out[row["picture"]] = split
    return out


def write_ground(path: Path, ground: Ground) -> None:
    """Write a vector file with one shape and the column `split` for each name."""
    names = sorted(ground)
    frame = gpd.GeoDataFrame({"split": names}, geometry=[ground[name] for name in names], crs=4326)
    how = {"COORDINATE_PRECISION": 8} if path.suffix.lower() == ".geojson" else {"layer": "splits"}
    with atomic_path(path) as temporary:
        frame.to_file(temporary, driver=DRIVERS[path.suffix.lower()], **how)


def read_ground(path: Path, grids: Mapping[str, Grid]) -> dict[str, BaseGeometry]:
    """The ground of each split from either kind of file.

    Args:
        path: the file; of a CSV the ground is that of the named pictures.
        grids: pictures or scenes by their names.

    Raises:
        InputError: a file that cannot be read, has no split for some row, or names a picture that is not
            there.
    """
    if path.suffix.lower() != TABLE:
        return ground_by_column(path, "split")
    splits = read_splits(path)
    missing = sorted(set(splits) - set(grids))
    if missing:
        raise InputError(
            f"{path} names {missing[0]} ({len(missing)} such names), which is not there; name the pictures "
            "as their files are called."
        )
    names = sorted({name for name in splits.values() if name})
    return {
        name: shapely.union_all([footprint(grids[p]) for p, split in splits.items() if split == name])
        for name in names
    }


def ground_by_column(path: Path, column: str | None) -> dict[str, BaseGeometry]:
    """The ground of each value of a column (None: all as one) of a file of polygons, in degrees, WGS 84.

    Raises:
        InputError: no such file or column, no CRS, a row without a value or that is no polygon.
    """
    try:
        table = gpd.read_file(path)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be read as a vector file; give polygons as GeoJSON.") from error
    if not isinstance(table, gpd.GeoDataFrame) or table.crs is None:
        raise InputError(f"{path} has no geometry or no CRS; give polygons as GeoJSON, in lon and lat.")
    if column is not None and column not in table:
        known = ", ".join(sorted(set(table.columns) - {table.geometry.name})) or "none"
        raise InputError(f"{path} has no column {column}; its columns are: {known}.")
    with_value = f" with a value in {column}" if column else ""
    out: dict[str, list[BaseGeometry]] = {}
    names = table[column] if column is not None else ["all"] * len(table)
    for row, (name, shape) in enumerate(zip(names, table.geometry.to_crs(4326), strict=True), 1):
        text = "" if name is None or name != name else str(name).strip()
        if not text or shape is None or shape.geom_type not in ("Polygon", "MultiPolygon"):
            raise InputError(f"{path}, row {row}, is no polygon{with_value}; mend it.")
        if not shape.is_valid:
            raise InputError(f"{path}, row {row}, is a polygon that crosses itself; mend it.")
        out.setdefault(text, []).append(shape)
    return {name: shapely.union_all(shapes) for name, shapes in out.items()}
