"""geodata.store.missing: which sites and queued tiles lack a picture, and which scene shows them best."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from geodata.store.incoming import Picture
from geodata.store.read_sites import ring_of
from geodata.store.store import Store


@dataclass(frozen=True)
class Missing:
    """A picture to cut: of a site about `lon`, `lat`, or of a whole tile."""

    what: str
    """Site id or queue token."""
    lon: float = 0.0
    lat: float = 0.0
    tile_id: str | None = None
    score: float = 1.0
    """Of the site's best current detection."""
    threshold: float = 0.0
    """Of the run that found it."""


# Of the scenes that show a site, the one with the best score; of those that cover a tile, the fullest, then
# the latest. A site that shows its tile's picture still lacks one of its own.
_SITES = """
SELECT site_id, lon, lat, scene_id, score, threshold FROM (
    SELECT s.site_id, s.lon, s.lat, d.scene_id, d.score, r.threshold, row_number() OVER (
        PARTITION BY s.site_id ORDER BY d.is_candidate, d.score DESC, d.scene_id) AS place
    FROM sites s JOIN detections d USING (site_id)
    JOIN runs r ON r.run_id = d.run_id
    WHERE NOT d.superseded AND (:run IS NULL OR EXISTS (
        SELECT 1 FROM coverage o
        WHERE o.tile_id = d.tile_id AND o.scene_id = d.scene_id AND o.run_id = :run))
    AND s.site_id NOT IN (
        SELECT own.what FROM pictures own WHERE own.path NOT IN (
            SELECT path FROM pictures JOIN queue ON token = what))
) WHERE place = 1 ORDER BY site_id
"""
_TILES = """
SELECT token, tile_id, scene_id FROM (
    SELECT q.token, q.tile_id, c.scene_id, row_number() OVER (
        PARTITION BY q.token ORDER BY c.observed_share DESC, s.acquired_at DESC, c.scene_id) AS place
    FROM queue q JOIN coverage c USING (tile_id) JOIN scenes s USING (scene_id)
    WHERE NOT c.superseded AND (:run IS NULL OR EXISTS (
        SELECT 1 FROM coverage o
        WHERE o.tile_id = c.tile_id AND o.scene_id = c.scene_id AND o.run_id = :run))
    AND q.token NOT IN (SELECT what FROM pictures)
) WHERE place = 1 ORDER BY token
"""


def missing_pictures(
    store: Store, scene_ids: Sequence[str], run_id: str | None = None
) -> dict[str, list[Missing]]:
    """Pictures to be cut from some scenes, by scene; with `run_id` only where the files of that run lie."""
    found: dict[str, list[Missing]] = {scene_id: [] for scene_id in scene_ids}
    with store.reading() as connection:
        for row in connection.execute(text(_SITES), {"run": run_id}):
            if row.scene_id in found:
                site = Missing(row.site_id, row.lon, row.lat, score=row.score, threshold=row.threshold)
                found[row.scene_id].append(site)
        for row in connection.execute(text(_TILES), {"run": run_id}):
            if row.scene_id in found:
                found[row.scene_id].append(Missing(row.token, tile_id=row.tile_id))
    return found


_IN_TILES = """
SELECT s.site_id, p.path, p.corners, p.scene_id
FROM sites s JOIN queue q USING (tile_id) JOIN pictures p ON p.what = q.token
WHERE s.is_candidate AND s.site_id NOT IN (SELECT what FROM pictures) ORDER BY s.site_id
"""


def pictures_of_tiles(store: Store) -> dict[str, Picture]:
    """Faint sites (marked only, or candidates) that lack a picture, each with that of its queued tile."""
    with store.reading() as connection:
        return {
            row.site_id: Picture(row.path, ring_of(json.loads(row.corners)), row.scene_id)
            for row in connection.execute(text(_IN_TILES))
        }
