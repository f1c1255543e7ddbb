"""geodata.looks: what a volunteer saw on a tile; knows nothing of files, sites or rates.

A **look** is one volunteer on one tile at one moment. In tables it is one row, or, where several kilns were
marked, one row per kiln with exactly the same `seen_at`: the time of the look, not of the click.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Answer = Literal["kiln", "none", "unsure", "bad_image"]


@dataclass(frozen=True)
class Mark:
    """One row: an answer, with a position only if the answer is `kiln`."""

    volunteer_id: str
    tile_id: str
    """'15/x/y' of the zoom-15 Web-Mercator grid."""
    answer: Answer
    lon: float | None
    """Degrees, WGS 84."""
    lat: float | None
    seen_at: datetime
    """UTC."""


@dataclass(frozen=True)
class Look:
    """All that one volunteer said of one tile at one moment."""

    volunteer_id: str
    tile_id: str
    answer: Answer
    seen_at: datetime
    points: tuple[tuple[float, float], ...] = ()
    """Marked kilns as (lon, lat), sorted, each place once."""


def first_looks(marks: Iterable[Mark]) -> tuple[Look, ...]:
    """Each volunteer's first look at each tile, sorted by time, volunteer and tile.

    Later looks of the same person at the same tile do not count: a second answer is not a second witness.
    Where the rows of one look contradict each other, it counts as `unsure`, which is no vote.
    """
    first: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        rows = first.setdefault((mark.volunteer_id, mark.tile_id), [])
        if rows and mark.seen_at < rows[0].seen_at:
            rows.clear()
        if not rows or mark.seen_at == rows[0].seen_at:
            rows.append(mark)
    looks = (_look(rows) for rows in first.values())
    return tuple(sorted(looks, key=lambda look: (look.seen_at, look.volunteer_id, look.tile_id)))


def _look(rows: list[Mark]) -> Look:
    one = rows[0]
    answer: Answer = one.answer if len({row.answer for row in rows}) == 1 else "unsure"
    points = {(row.lon, row.lat) for row in rows if row.lon is not None and row.lat is not None}
    return Look(
        one.volunteer_id, one.tile_id, answer, one.seen_at, tuple(sorted(points)) if answer == "kiln" else ()
    )
