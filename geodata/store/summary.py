"""geodata.store.summary: sums up a site's evidence and a tile's coverage; derived, never the truth."""

from collections.abc import Iterable

from sqlalchemy import Connection, column, table, text
from sqlalchemy.sql.expression import TableClause

from geodata.tables.columns import OBSERVED_AT_LEAST

touched: TableClause = table("touched", column("id"))
"""The ids that `touch` was given last."""

_TOUCHED = "CREATE TEMP TABLE IF NOT EXISTS touched (id TEXT PRIMARY KEY)"

# Evidence counts until it is superseded (see `supersede`). Where a site has a detection at or above the
# threshold, candidates do not stretch the span in which it was seen.
_REFRESH_SITES = """
WITH active AS (
    SELECT d.site_id, d.score, d.is_candidate, s.acquired_at
    FROM detections d JOIN scenes s USING (scene_id)
    WHERE NOT d.superseded AND d.site_id IN (SELECT id FROM touched)
), strength AS (
    SELECT site_id, min(is_candidate) AS is_candidate FROM active GROUP BY site_id
), counted AS (
    SELECT active.site_id, strength.is_candidate, max(score) AS score,
           min(acquired_at) AS first_seen, max(acquired_at) AS last_seen
    FROM active JOIN strength USING (site_id)
    WHERE active.is_candidate = strength.is_candidate GROUP BY active.site_id
)
UPDATE sites SET (score, is_candidate, first_seen, last_seen) = (
    SELECT max(score), coalesce(max(is_candidate), 1), max(first_seen), max(last_seen)
    FROM counted WHERE counted.site_id = sites.site_id
) WHERE site_id IN (SELECT id FROM touched)
"""

_NOT_ONLY_MARKED = """
UPDATE sites SET marked_only = 0 WHERE marked_only AND site_id IN (SELECT id FROM touched)
AND site_id IN (SELECT site_id FROM detections)
"""

# A detection that counts makes its tile `kiln`, whatever a later scene saw: its site stays on the map too.
# Of the scenes that found one the latest speaks for the tile; else the latest that observed it; where none
# did, the one that saw most. What several clips of a scene saw of a tile is added up.
_BEST_COVERAGE = """
WITH seen AS (
    SELECT tile_id, scene_id, min(1.0, sum(observed_share)) AS observed_share FROM coverage
    WHERE NOT superseded AND tile_id IN (SELECT id FROM touched) GROUP BY tile_id, scene_id
), kilns AS (
    SELECT DISTINCT tile_id, scene_id FROM detections
    WHERE NOT superseded AND NOT is_candidate AND tile_id IN (SELECT id FROM touched)
), judged AS (
    SELECT seen.*, s.acquired_at, CASE WHEN kilns.tile_id IS NOT NULL THEN 'kiln'
        WHEN observed_share >= :enough THEN 'none' ELSE 'not_observed' END AS state
    FROM seen JOIN scenes s USING (scene_id) LEFT JOIN kilns USING (tile_id, scene_id)
)
INSERT INTO tiles (tile_id, x, y, observed_share, state, scene_id)
SELECT tile_id, x, y, observed_share, state, scene_id FROM (
    SELECT judged.*,
           CAST(substr(tile_id, 4, instr(substr(tile_id, 4), '/') - 1) AS INTEGER) AS x,
           CAST(substr(tile_id, 4 + instr(substr(tile_id, 4), '/')) AS INTEGER) AS y,
           row_number() OVER (PARTITION BY tile_id ORDER BY
               state = 'kiln' DESC, state = 'none' DESC,
               CASE WHEN state <> 'not_observed' THEN acquired_at END DESC,
               observed_share DESC, acquired_at DESC, scene_id) AS place
    FROM judged
) WHERE place = 1
"""

_VERDICT = """
UPDATE sites SET (object_verdict, verdict_note) = (
    SELECT max(object_verdict), max(note) FROM (
        SELECT object_verdict, note FROM reviews WHERE site_id = :site AND NOT undone
        ORDER BY event_id DESC LIMIT 1)
) WHERE site_id = :site
"""


def refresh_sites(connection: Connection, site_ids: Iterable[str]) -> None:
    """Work out score, strength and span of some sites from their current evidence."""
    touch(connection, site_ids)
    connection.exec_driver_sql(_REFRESH_SITES)
    connection.exec_driver_sql(_NOT_ONLY_MARKED)


def refresh_tiles(connection: Connection, tile_ids: Iterable[str]) -> None:
    """Work out which scene speaks for some tiles now."""
    touch(connection, tile_ids)
    connection.exec_driver_sql("DELETE FROM tiles WHERE tile_id IN (SELECT id FROM touched)")
    connection.execute(text(_BEST_COVERAGE), {"enough": OBSERVED_AT_LEAST})


def refresh_verdict(connection: Connection, site_id: str) -> None:
    """Show the latest review of a site that was not undone."""
    connection.execute(text(_VERDICT), {"site": site_id})


def sites_of_scenes(connection: Connection, scene_ids: Iterable[str]) -> list[str]:
    """Sites that have evidence, current or not, in some scenes."""
    touch(connection, scene_ids)
    query = "SELECT DISTINCT site_id FROM detections WHERE scene_id IN (SELECT id FROM touched)"
    return [row[0] for row in connection.exec_driver_sql(query)]


def tiles_of_scenes(connection: Connection, scene_ids: Iterable[str]) -> list[str]:
    """Tiles that some scenes cover."""
    touch(connection, scene_ids)
    query = "SELECT DISTINCT tile_id FROM coverage WHERE scene_id IN (SELECT id FROM touched)"
    return [row[0] for row in connection.exec_driver_sql(query)]


def touch(connection: Connection, ids: Iterable[str]) -> None:
    """Put ids into `touched`, a table of this connection's own, for statements on any number of ids."""
    connection.exec_driver_sql(_TOUCHED)
    connection.exec_driver_sql("DELETE FROM touched")
    rows = [(one,) for one in sorted(set(ids))]
    if rows:
        connection.exec_driver_sql("INSERT INTO touched (id) VALUES (?)", rows)
