"""geodata.store.read_pool: the tiles that nobody has labelled yet, with what the detector said of them."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, text

from geodata.store.schema import queue, tiles
from geodata.tables.columns import OBSERVED_AT_LEAST


@dataclass(frozen=True)
class FoundThere:
    """The best current detection of one site in a tile."""

    score: float
    threshold: float
    """Of its run."""
    probability: float | None
    """The site's merged chance, where its detection has a calibrated one."""


@dataclass(frozen=True)
class PoolTile:
    """An observed tile without an answer or a verdict."""

    tile_id: str
    found: tuple[FoundThere, ...]
    picture: str | None
    """Path of its picture, relative to the project folder, where it was cut."""


_FOUND = """
SELECT s.tile_id, d.score, r.threshold, d.probability AS own, s.probability AS merged, max(d.score) AS best
FROM sites s JOIN detections d USING (site_id) JOIN runs r ON r.run_id = d.run_id
WHERE NOT d.superseded GROUP BY s.site_id ORDER BY s.site_id
"""
_TILES = """
SELECT t.tile_id, t.observed_share, p.path FROM tiles t
LEFT JOIN queue q USING (tile_id) LEFT JOIN pictures p ON p.what = q.token
WHERE t.observed_share > 0 AND coalesce(q.round, 0) = 0
AND t.tile_id NOT IN (SELECT tile_id FROM answers WHERE NOT undone)
AND t.tile_id NOT IN (SELECT tile_id FROM sites WHERE object_verdict IS NOT NULL)
ORDER BY t.tile_id
"""


def unlabelled_tiles(connection: Connection) -> list[PoolTile]:
    """Tiles without a standing answer, without a reviewed site and in no round so far; by name.

    Those that were observed in full; where scenes are too small for that, those observed in part.
    """
    found: dict[str, list[FoundThere]] = {}
    for row in connection.execute(text(_FOUND)):
        chance = row.merged if row.own is not None else None
        found.setdefault(row.tile_id, []).append(FoundThere(row.score, row.threshold, chance))
    rows = list(connection.execute(text(_TILES)))
    full = select(func.count()).select_from(tiles).where(tiles.c.observed_share >= OBSERVED_AT_LEAST)
    least = OBSERVED_AT_LEAST if connection.execute(full).scalar_one() else 0.0
    return [
        PoolTile(row.tile_id, tuple(found.get(row.tile_id, ())), row.path)
        for row in rows
        if row.observed_share >= least
    ]


def covered_tiles(connection: Connection) -> set[str]:
    """Tiles of which some imported scene observed anything."""
    return set(connection.execute(select(tiles.c.tile_id).where(tiles.c.observed_share > 0)).scalars())


def next_round(connection: Connection) -> int:
    """The number of the round to come, from 1."""
    return int(connection.execute(select(func.coalesce(func.max(queue.c["round"]), 0))).scalar_one()) + 1
