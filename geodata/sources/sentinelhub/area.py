"""geodata.sources.sentinelhub.area: the area that a person asks for; knows nothing of services or grids."""

import re
from pathlib import Path
from typing import TypeAlias

import geopandas
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError

Area: TypeAlias = Polygon | MultiPolygon
"""Polygons in degrees, WGS 84, longitude first."""

MAX_DEGREES = 10.0
"""Widest area that is taken at once: one UTM grid fits no more, and no budget either."""

_NUMBERS = re.compile(r"^\s*[-+0-9.eE]+(\s*,\s*[-+0-9.eE]+)+\s*$")


def read_area(text: str) -> Area:
    """An area from `W,S,E,N` in degrees or from the name of a vector file with polygons in any CRS.

    Raises:
        InputError: numbers that are no box, a file that does not open or has no CRS or no polygon, an area
            over the antimeridian or near a pole.
    """
    area = _from_bbox(text) if _NUMBERS.match(text) else _from_file(Path(text))
    _check(area, text)
    return area


def _from_bbox(text: str) -> Polygon:
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(
            f"--aoi {text!r} is not a box; write W,S,E,N in degrees, such as 77.1,28.5,77.3,28.7."
        ) from error
    if west > east:
        raise _antimeridian(text, f"its west edge {west:g} lies east of its east edge {east:g}")
    if west == east or south >= north:
        raise InputError(f"--aoi {text!r} is empty; write W,S,E,N in degrees with W < E and S < N.")
    return shapely.box(west, south, east, north)


def _from_file(path: Path) -> Area:
    if not path.is_file():
        raise InputError(f"--aoi {path} is neither a box W,S,E,N nor a file; check the name.")
    try:
        frame = geopandas.read_file(path)
    except Exception as error:  # pyogrio, GDAL and GEOS each raise their own
        raise InputError(
            f"{path} does not open as a vector file ({_first_line(error)[:120]}); give GeoJSON or GPKG."
        ) from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.geometry.dropna().empty:
        raise InputError(f"{path} holds no polygon; give a file with the area as a polygon.")
    if frame.crs is None:
        raise InputError(f"{path} names no CRS; write one into it, or give the box as W,S,E,N in degrees.")
    shapes = shapely.make_valid(frame.geometry.dropna().to_crs(4326).to_numpy())
    return _polygons_of(shapely.union_all(shapes), path)


def _polygons_of(shape: BaseGeometry, path: Path) -> Area:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    area = shapely.union_all(parts)
    if not isinstance(area, Polygon | MultiPolygon) or area.is_empty or area.area == 0:
        raise InputError(f"{path} holds no polygon with an area; give a file with the area as a polygon.")
    return area


def _check(area: Area, text: str) -> None:
    west, south, east, north = area.bounds
    if not (-180 <= west and east <= 180 and -90 <= south and north <= 90):
        raise InputError(
            f"--aoi {text} reaches from {west:g},{south:g} to {east:g},{north:g}, which is not in degrees; "
            "give longitude and latitude, or a file whose CRS is right."
        )
    if east - west > 180:
        raise _antimeridian(text, f"it spans {east - west:.0f} degrees of longitude")
    if south < -80 or north > 84:
        raise InputError(
            f"--aoi {text} reaches latitude {south:g} to {north:g}; keep it between -80 and 84 degrees."
        )


def _antimeridian(text: str, why: str) -> InputError:
    return InputError(
        f"--aoi {text} crosses the antimeridian ({why}); cut it in two at 180 degrees, "
        "or exchange W and E if that was not meant."
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
