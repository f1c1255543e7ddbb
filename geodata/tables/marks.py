"""geodata.tables.marks: volunteers' marks from and to CSV and GeoJSON; knows nothing of sites or votes.

Columns (in GeoJSON the same names as properties, the position as a Point or null):

* `volunteer_id` text; `tile_id` '15/x/y'; `answer` kiln, none, unsure or bad_image
* `lon`, `lat` degrees (WGS 84), only with `kiln`, inside the tile; one row per kiln
* `seen_at` ISO 8601 date and time of the look, UTC (a time without a zone is taken as UTC)

Rows of a CSV are counted as a spreadsheet shows them (row 1 holds the names), features of GeoJSON from 1.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from geodata.errors import InputError, ProblemsError
from geodata.files import write_text_atomic
from geodata.looks import Mark
from geodata.tables.mark_rows import check_rows

MARK_COLUMNS = ("volunteer_id", "tile_id", "answer", "lon", "lat", "seen_at")

_MOST_LISTED = 200
_LONLAT = ("CRS84", "4326")


@dataclass(frozen=True)
class MarksTable:
    """The good rows of a file, in its order, and one sentence per broken row that was left out."""

    marks: tuple[Mark, ...]
    problems: tuple[str, ...] = ()


def read_marks(path: Path, *, skip_bad: bool = False) -> MarksTable:
    """Read a `.csv`, `.geojson` or `.json` file of marks; `first_looks` then tells which of them count.

    With `skip_bad` the good rows are taken and the broken ones named in `MarksTable.problems`.

    Raises:
        InputError: not a table of marks at all (ending, text, columns).
        ProblemsError: broken rows, each with its number; only without `skip_bad`.
    """
    path = Path(path)
    reader = _csv_rows if _ending(path) == ".csv" else _feature_rows
    marks, problems = check_rows(reader(path, _text(path)))
    if problems and not skip_bad:
        listed = [f"{path}, {problem}" for problem in problems[:_MOST_LISTED]]
        if len(problems) > _MOST_LISTED:
            listed.append(f"{path}: {len(problems) - _MOST_LISTED} more broken rows.")
        raise ProblemsError([*listed, "Mend these rows, or take only the good ones with --skip-bad."])
    return MarksTable(tuple(marks), tuple(problems))


def write_marks(marks: Iterable[Mark], path: Path) -> None:
    """Write marks as `.csv`, `.geojson` or `.json`, whole or not at all.

    Raises:
        InputError: another ending, or the folder cannot be written.
        ProblemsError: marks that `read_marks` would refuse.
    """
    path = Path(path)
    writer = _csv_text if _ending(path) == ".csv" else _geojson_text
    rows = (
        (f"mark {k}", dict(zip(MARK_COLUMNS, astuple(m), strict=True))) for k, m in enumerate(marks, start=1)
    )
    good, problems = check_rows(rows)
    if problems:
        raise ProblemsError(problems)
    write_text_atomic(path, writer(good))


def _ending(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in (".csv", ".geojson", ".json"):
        raise InputError(f"{path} does not end in .csv, .geojson or .json; marks are kept in one of these.")
    return ending


def _text(path: Path) -> str:
    try:
        # Excel and others put a byte order mark in front; utf-8-sig takes it away where there is one
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}); check the name and the permissions."
        ) from error


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(f"{path} is no CSV ({error}); save it again as comma-separated UTF-8.") from error
    names = [name.strip() for name in lines[0]] if lines else []
    missing = [name for name in MARK_COLUMNS if name not in names]
    if missing:
        hint = " It seems to be separated by semicolons; use commas." if ";" in "".join(names) else ""
        raise InputError(
            f"{path} has no column {', '.join(missing)}; it needs {', '.join(MARK_COLUMNS)}.{hint}"
        )
    for number, cells in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in cells):
            row: dict[str, Any] = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
            yield f"row {number}", row | {name: row.get(name) or None for name in ("lon", "lat")}


def _feature_rows(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also numbers of thousands of digits
        raise InputError(f"{path} is no JSON ({error}); save it again as GeoJSON.") from error
    features = whole.get("features") if isinstance(whole, dict) else None
    if not isinstance(features, list):
        raise InputError(f"{path} is no GeoJSON FeatureCollection; save it again as one.")
    crs = json.dumps(whole.get("crs"))
    if whole.get("crs") is not None and not any(name in crs for name in _LONLAT):
        raise InputError(
            f"{path} names the CRS {crs}; marks are lon, lat in WGS 84, so save it in EPSG:4326."
        )
    for number, feature in enumerate(features, start=1):
        yield f"feature {number}", _properties(feature)


def _properties(feature: Any) -> dict[str, Any]:
    """The columns of one feature; what is no feature becomes a row without values, which is refused."""
    feature = feature if isinstance(feature, dict) else {}
    properties = feature.get("properties")
    row = dict(properties) if isinstance(properties, dict) else {}
    geometry = feature.get("geometry")
    if isinstance(geometry, dict):
        place = geometry.get("coordinates") if geometry.get("type") == "Point" else None
        # a geometry that is no point cannot be a mark: text makes the check say so
        lon, lat = place[:2] if isinstance(place, list) and len(place) >= 2 else [geometry.get("type")] * 2
        row |= {"lon": lon, "lat": lat}
    return row


def _csv_text(marks: list[Mark]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(MARK_COLUMNS)
    for m in marks:
        writer.writerow((m.volunteer_id, m.tile_id, m.answer, m.lon, m.lat, m.seen_at.isoformat()))
    return out.getvalue()


def _geojson_text(marks: list[Mark]) -> str:
    features = [
        {
            "type": "Feature",
            "geometry": None if m.lon is None else {"type": "Point", "coordinates": [m.lon, m.lat]},
            "properties": {
                "volunteer_id": m.volunteer_id,
                "tile_id": m.tile_id,
                "answer": m.answer,
                "lon": m.lon,
                "lat": m.lat,
                "seen_at": m.seen_at.isoformat(),
            },
        }
        for m in marks
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1)
