"""geodata.labels.rows: rows with a shape and properties -> labels; every broken row is named.

Properties, all optional: `id` (or `label_id`, `site_id`), `kiln_class`, `probability`, `cut_by_edge`,
`size_known`, `valid_from`, and for points `length_m`, `width_m`, `angle_deg`. `object_verdict`, as in our own
exports, speaks before `probability`.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.grid import Floats, metres_per_degree
from geodata.labels.kilns import POINT_LENGTH_M, POINT_WIDTH_M, UNKNOWN, KilnLabels
from geodata.obb import Boxes, canonical, from_corners

NO_AREA_DEG2 = 1e-12
"""A hundredth of a square metre: corners on a line have that by rounding."""
SIZE = ("length_m", "width_m", "angle_deg")
IDS = ("id", "label_id", "site_id")
VERDICTS = {"kiln": 1.0, "not_kiln": 0.0, "gone": 0.0, "unsure": np.nan}
"""What a reviewer's verdict makes of the probability."""
_TRUE, _FALSE = {"true", "1", "1.0", "yes"}, {"false", "0", "0.0", "no", ""}
Shapes = NDArray[np.object_]
Told = dict[int, str]
"""Row index -> what is wrong with it; the first thing stays."""


def labels_of_rows(
    shapes: Shapes, table: pd.DataFrame, classes: Sequence[str], row_name: Callable[[int], str], no_shape: str
) -> tuple[KilnLabels, list[str]]:
    """The good rows as labels, and one sentence for each broken one.

    Args:
        shapes: polygons or points (lon, lat in degrees), multi-shapes of one part, or None.
        table: the properties, row for row.
        classes: the names that `kiln_class` may have beside `unknown`.
        row_name: file and number of a row.
        no_shape: what is wrong with a row whose shape is None or empty.
    """
    table = table.reset_index(drop=True)
    wrong: Told = {}
    shapes = _without_wrapping(shapes)
    _check_shapes(shapes, wrong, no_shape)
    kiln_class = _classes(table, classes, wrong)
    size = {name: _numbers(table, name, wrong) for name in SIZE}
    probability = _probability(table, wrong)
    cut = _flags(table, "cut_by_edge", False, wrong)
    told = _flags(table, "size_known", True, wrong)
    valid_from = _times(table, "valid_from", wrong)
    _check_sizes(size, wrong)
    good = np.array([k for k in range(len(table)) if k not in wrong], dtype=np.intp)
    boxes, sized = _boxes(shapes[good], {name: values[good] for name, values in size.items()})
    labels = KilnLabels(
        boxes,
        cut[good],
        kiln_class[good],
        probability[good],
        sized & told[good],
        _ids(table)[good],
        valid_from[good],
    )
    return labels, [f"{row_name(k)}: {wrong[k]}." for k in sorted(wrong)]


def _without_wrapping(shapes: Shapes) -> Shapes:
    """Multi-shapes of one part as that part: GeoPackage and shapefiles often know no other kind."""
    single = shapely.get_num_geometries(shapes) == 1
    return np.asarray(np.where(single, shapely.get_geometry(shapes, 0), shapes), dtype=np.object_)


def _check_shapes(shapes: Shapes, wrong: Told, no_shape: str) -> None:
    kind = shapely.get_type_id(shapes)
    for k, shape in enumerate(shapes):
        if shape is None or shape.is_empty:
            wrong[k] = no_shape
        elif kind[k] not in (shapely.GeometryType.POLYGON, shapely.GeometryType.POINT):
            wrong[k] = f"it is a {shape.geom_type}, not one polygon or one point"
        elif not _on_earth(shape):
            wrong[k] = "it is no place on earth; is its CRS stated, and are all rows in that one"
        elif kind[k] == shapely.GeometryType.POLYGON and not shape.is_valid:
            why = shapely.is_valid_reason(shape)
            wrong[k] = f"broken outline ({why[:1].lower()}{why[1:]})"
        elif kind[k] == shapely.GeometryType.POLYGON and shape.area < NO_AREA_DEG2:
            wrong[k] = "broken outline (it has no area)"


def _on_earth(shape: shapely.Geometry) -> bool:
    west, south, east, north = shapely.bounds(shape)
    return bool(west >= -180 and east <= 180 and south >= -90 and north <= 90)


def _boxes(shapes: Shapes, size: dict[str, Floats]) -> tuple[Boxes, NDArray[np.bool_]]:
    """A box for each shape, and whether its size is known: always for outlines, for points if all is told."""
    point = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    told = np.all([np.isfinite(values) for values in size.values()], axis=0) if len(shapes) else point
    length, width, angle = (size[name] for name in SIZE)
    length, width, angle = canonical(
        np.where(told, length, POINT_LENGTH_M), np.where(told, width, POINT_WIDTH_M), np.where(told, angle, 0)
    )
    columns = np.stack([shapely.get_x(shapes), shapely.get_y(shapes), length, width, angle])
    if not point.all():
        corners = np.array([_four_corners(shape) for shape in shapes[~point]])
        outlined = from_corners(corners)
        columns[:, ~point] = (
            outlined.lon,
            outlined.lat,
            outlined.length_m,
            outlined.width_m,
            outlined.angle_deg,
        )
    return Boxes(*columns), np.asarray(told | ~point)


def _four_corners(shape: shapely.Polygon) -> Floats:
    """Corners, shape (4, 2); an outline of other than four becomes the smallest box around it."""
    ring: Floats = shapely.get_coordinates(shape.exterior)
    if len(ring) == 5:
        return ring[:4]
    # the smallest box is that in metres, not in degrees
    scale = np.array([float(v) for v in metres_per_degree(ring[:, 1].mean())])
    box = shapely.minimum_rotated_rectangle(shapely.Polygon(ring * scale))
    corners: Floats = shapely.get_coordinates(box)[:4] / scale
    return corners


def _classes(table: pd.DataFrame, classes: Sequence[str], wrong: Told) -> NDArray[np.object_]:
    if "kiln_class" not in table:
        return np.full(len(table), UNKNOWN, np.object_)
    values = table["kiln_class"].astype(object).where(table["kiln_class"].notna(), UNKNOWN)
    names = np.array([str(v).strip() or UNKNOWN for v in values], np.object_)
    for k in np.flatnonzero(~np.isin(names, [*classes, UNKNOWN])):
        known = ", ".join([*classes, UNKNOWN])
        wrong.setdefault(int(k), f"the class {names[k]!r} is unknown, the classes are {known}")
    return names


def _numbers(table: pd.DataFrame, name: str, wrong: Told) -> Floats:
    """A column of numbers, NaN where it is empty."""
    if name not in table:
        return np.full(len(table), np.nan)
    values = pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64)
    for k in np.flatnonzero(~np.isfinite(values)):
        given = table[name].iloc[k]
        if not pd.isna(given) and str(given).strip():
            wrong.setdefault(int(k), f"{name} is {given!r}, not a number")
    return np.asarray(values)


def _check_sizes(size: dict[str, Floats], wrong: Told) -> None:
    for name in ("length_m", "width_m"):
        for k in np.flatnonzero(size[name] <= 0):
            wrong.setdefault(int(k), f"{name} is {size[name][k]:g}, it has to be more than 0")


def _probability(table: pd.DataFrame, wrong: Told) -> Floats:
    """A row without any is a kiln only where the file has no such column at all."""
    empty = 1.0 if "probability" not in table else np.nan
    values = _numbers(table, "probability", wrong)
    for k in np.flatnonzero((values < 0) | (values > 1)):
        wrong.setdefault(int(k), f"probability is {values[k]:g}, it has to be 0 to 1")
    values = np.where(np.isnan(values), empty, values)
    if "object_verdict" in table:
        for row, verdict in enumerate(table["object_verdict"]):
            if not pd.isna(verdict) and str(verdict) in VERDICTS:
                values[row] = VERDICTS[str(verdict)]
    return np.asarray(values)


def _flags(table: pd.DataFrame, name: str, default: bool, wrong: Told) -> NDArray[np.bool_]:
    out = np.full(len(table), default)
    if name not in table:
        return out
    for k, given in enumerate(table[name]):
        text = "" if pd.isna(given) else str(given).strip().lower()
        if text and text not in _TRUE | _FALSE:
            wrong.setdefault(k, f"{name} is {given!r}, neither true nor false")
        out[k] = text in _TRUE if text else default
    return out


def _times(table: pd.DataFrame, name: str, wrong: Told) -> NDArray[np.datetime64]:
    out = np.full(len(table), np.datetime64("NaT"), "datetime64[us]")
    if name not in table:
        return out
    for k, given in enumerate(table[name]):
        if pd.isna(given) or not str(given).strip():
            continue
        at = pd.to_datetime(given, utc=True, errors="coerce")
        if pd.isna(at):
            wrong.setdefault(k, f"{name} is {given!r}, no date like 2024-01-31")
        else:
            out[k] = at.tz_convert(None).to_datetime64()
    return out


def _ids(table: pd.DataFrame) -> NDArray[np.object_]:
    """The first column of ids that is there; a row without one goes by its number."""
    name = next((name for name in IDS if name in table), None)
    values = table[name] if name else [None] * len(table)
    return np.array(
        [str(k) if pd.isna(v) or not str(v).strip() else str(v) for k, v in enumerate(values, 1)], np.object_
    )
