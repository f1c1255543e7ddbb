"""geodata.store.supersede: which run speaks for which tile of a scene, where several runs looked at it.

A product's id stays the same in every clip of it, so two runs on one scene need not have seen the same
ground. The store knows what each saw by tiles only. A run gives way to a stronger one on the same scene (of a
newer model; of the same or an equally old one: imported later)

- everywhere, where the stronger run looked at all of its tiles: the same file, one delivered again, a larger;
- else in the tiles that the stronger run observed in full.

Where two clips meet inside a tile both speak (but for a clip so small that another one looked at all
of its tiles). Nothing here depends on the order of imports but the ties.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from geodata.store.incoming import IncomingRun
from geodata.store.schema import coverage, detections, runs
from geodata.store.summary import touch
from geodata.tables.columns import OBSERVED_AT_LEAST

_LIKE_ITS_TILE = """
UPDATE detections SET superseded = coalesce((
    SELECT c.superseded FROM coverage c WHERE c.tile_id = detections.tile_id
    AND c.scene_id = detections.scene_id AND c.run_id = detections.run_id
), 0) WHERE scene_id IN (SELECT id FROM touched)
"""


@dataclass(frozen=True)
class Claim:
    """What one run saw of one scene: the share (0-1) observed of each tile that it looked at."""

    run_id: str
    shares: Mapping[str, float]


def superseded_tiles(claims: Sequence[Claim]) -> dict[str, set[str]]:
    """Per run the tiles for which it speaks no more; `claims` are of one scene, the weakest first."""
    gone: dict[str, set[str]] = {}
    for k, claim in enumerate(claims):
        gone[claim.run_id] = set()
        for stronger in claims[k + 1 :]:
            gone[claim.run_id] |= _taken(claim.shares, stronger.shares)
    return gone


def _taken(weak: Mapping[str, float], strong: Mapping[str, float]) -> set[str]:
    if weak.keys() <= strong.keys():
        return set(weak)
    return {tile for tile in weak.keys() & strong.keys() if strong[tile] >= OBSERVED_AT_LEAST}


def settle(connection: Connection, scene_ids: Iterable[str]) -> None:
    """Write for some scenes which coverage and which detections are superseded."""
    several = {}
    for scene_id in sorted(set(scene_ids)):
        claims = _claims(connection, scene_id)
        if len(claims) > 1:
            several[scene_id] = superseded_tiles(claims)
    for scene_id, gone in several.items():
        here = update(coverage).where(coverage.c.scene_id == scene_id)
        connection.execute(here.values(superseded=False))
        rows = [{"_run": run, "_tile": tile} for run, tiles in gone.items() for tile in sorted(tiles)]
        if rows:
            one = here.where(coverage.c.run_id == bindparam("_run"), coverage.c.tile_id == bindparam("_tile"))
            connection.execute(one.values(superseded=True), rows)
    touch(connection, several)
    connection.exec_driver_sql(_LIKE_ITS_TILE)


def current_evidence(connection: Connection, scene_ids: Iterable[str]) -> dict[tuple[str, str], str]:
    """The sites of the detections that count in some scenes, by run and detection."""
    names = (detections.c.run_id, detections.c.detection_id, detections.c.site_id)
    query = select(*names).where(
        detections.c.scene_id.in_(bindparam("scenes", expanding=True)), detections.c.superseded.is_(False)
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query, {"scenes": list(scene_ids)})}


def newer_scenes(connection: Connection, run: IncomingRun) -> set[str]:
    """The scenes of a run on which a newer model ran already."""
    query = (
        select(coverage.c.scene_id)
        .join(runs, runs.c.run_id == coverage.c.run_id)
        .where(runs.c.model_created_at > run.model_created_at)
        .distinct()
    )
    return set(connection.execute(query).scalars()) & {scene.scene_id for scene in run.scenes}


def _claims(connection: Connection, scene_id: str) -> list[Claim]:
    query = (
        select(coverage.c.run_id, coverage.c.tile_id, coverage.c.observed_share)
        .join(runs, runs.c.run_id == coverage.c.run_id)
        .where(coverage.c.scene_id == scene_id)
        .order_by(runs.c.model_created_at, runs.c.event_id)
    )
    shares: dict[str, dict[str, float]] = {}
    for row in connection.execute(query):
        shares.setdefault(row.run_id, {})[row.tile_id] = row.observed_share
    return [Claim(run_id, of_run) for run_id, of_run in shares.items()]
