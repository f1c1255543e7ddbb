"""app.services.columns: all sites as one block of binary columns for the map; knows nothing of the browser.

A JSON line, padded to four bytes, then one little-endian array per column. Whole numbers keep both sides
exact: 1e-7 degrees, ten thousandths, days since 1970, decimetres, tenths of a degree.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.services.selection import NO_VERDICT, VERDICT_CODES, ten_thousandths
from geodata.store.records import Site

MISSING = 65535
"""A u2 value that stands for 'not known'."""
CANDIDATE, MADE_UP = 1, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def pack(sites: Sequence[Site]) -> bytes:
    """The block for the map; the header also holds the site ids in the order of the columns."""
    columns = _columns(sites)
    header = {
        "n": len(sites),
        "columns": [[name, column.dtype.str[1:]] for name, column in columns.items()],
        "ids": [site.site_id for site in sites],
    }
    head = json.dumps(header, separators=(",", ":")).encode()
    # typed arrays in the browser must begin at a multiple of their size
    head += b" " * (-(len(head) + 1) % 4) + b"\n"
    return head + b"".join(column.tobytes() for column in columns.values())


def _columns(sites: Sequence[Site]) -> dict[str, NDArray[Any]]:
    """The widest types first, so that each array stays aligned."""
    return {
        "lon": np.array([round(s.lon * 1e7) for s in sites], dtype="<i4"),
        "lat": np.array([round(s.lat * 1e7) for s in sites], dtype="<i4"),
        "score": _share([s.score for s in sites]),
        "probability": _share([s.probability for s in sites]),
        "rank": _share([s.rank for s in sites]),
        "first": _days([s.first_seen or s.last_seen for s in sites]),
        "last": _days([s.last_seen or s.first_seen for s in sites]),
        "length": np.array([_tenths(s.length_m) for s in sites], dtype="<u2"),
        "width": np.array([_tenths(s.width_m) for s in sites], dtype="<u2"),
        "angle": np.array([_tenths(s.angle_deg) for s in sites], dtype="<u2"),
        "verdict": np.array(
            [VERDICT_CODES.index(s.object_verdict or NO_VERDICT) for s in sites], dtype="<u1"
        ),
        "flags": np.array([CANDIDATE * s.is_candidate + MADE_UP * s.made_up for s in sites], dtype="<u1"),
    }


def _share(values: Sequence[float | None]) -> NDArray[np.uint16]:
    return np.array([MISSING if v is None else ten_thousandths(v) for v in values], dtype="<u2")


def _days(values: Sequence[datetime | None]) -> NDArray[np.uint16]:
    return np.array([MISSING if v is None else (v - _EPOCH).days for v in values], dtype="<u2")


def _tenths(value: float) -> int:
    return min(round(value * 10), MISSING - 1)
