"""geodata.store.conclusions: what is worked out from the state: merged chances, votes, "not seen on".

How it is worked out is not known here (detection's merge does that; the services bring the two together).
Conclusions are not events: they follow from the state, and a rebuild draws them again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from geodata.store.boxes import OrientedBox, box_of
from geodata.store.read_sites import ring_of
from geodata.store.records import Ring
from geodata.store.schema import answers, coverage, detections, scenes, sites, votes
from geodata.store.summary import touch, touched


@dataclass(frozen=True)
class Score:
    """One current detection of a site."""

    model_id: str
    scene_id: str
    score: float
    probability: float | None
    is_candidate: bool


@dataclass(frozen=True)
class SiteFacts:
    """What a conclusion on a site may rest on. `object_verdict` serves calibration only."""

    site_id: str
    box: OrientedBox
    """The outline that it was founded on."""
    tile_id: str
    last_seen: datetime | None
    object_verdict: str | None
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class Merged:
    """What detector and volunteers together say of one site."""

    site_id: str
    probability: float | None
    log_odds: float | None
    calibrated: bool
    votes: Mapping[str, str]
    """volunteer_id -> `kiln`, `none` or `unsure`"""


@dataclass(frozen=True)
class SceneFacts:
    """The shares of tiles observed in one scene."""

    scene_id: str
    acquired_at: datetime | None
    observed_share: Mapping[str, float]


def sites_in_tiles(connection: Connection, tile_ids: Iterable[str] | None) -> list[SiteFacts]:
    """Sites whose centres lie in some tiles and all that were reviewed, or simply all sites; by id."""
    query, evidence = select(sites), _current_scores()
    if tile_ids is not None:
        touch(connection, tile_ids)
        inside = sites.c.tile_id.in_(select(touched.c.id)) | sites.c.object_verdict.is_not(None)
        query = query.where(inside)
        evidence = evidence.where(detections.c.site_id.in_(select(sites.c.site_id).where(inside)))
    scores: dict[str, list[Score]] = {}
    for row in connection.execute(evidence):
        score = Score(row.model_id, row.scene_id, row.score, row.probability, row.is_candidate)
        scores.setdefault(row.site_id, []).append(score)
    return [
        SiteFacts(
            site_id=row.site_id,
            box=box_of(row),
            tile_id=row.tile_id,
            last_seen=row.last_seen,
            object_verdict=row.object_verdict,
            scores=tuple(scores.get(row.site_id, ())),
        )
        for row in connection.execute(query.order_by(sites.c.site_id))
    ]


def looked_tiles(connection: Connection) -> set[str]:
    """Tiles that volunteers ever answered, undone answers included."""
    return set(connection.execute(select(answers.c.tile_id).distinct()).scalars())


def scenes_of_tiles(connection: Connection, tile_ids: Iterable[str] | None) -> list[SceneFacts]:
    """The scenes that cover some tiles, or all scenes, each with what it observed of them."""
    query = select(coverage.c.tile_id, coverage.c.observed_share, scenes.c.scene_id, scenes.c.acquired_at)
    query = query.join(scenes, scenes.c.scene_id == coverage.c.scene_id)
    if tile_ids is not None:
        touch(connection, tile_ids)
        query = query.where(coverage.c.tile_id.in_(select(touched.c.id)))
    query = query.where(coverage.c.superseded.is_(False)).order_by(coverage.c.tile_id, coverage.c.run_id)
    shares: dict[tuple[str, datetime | None], dict[str, float]] = {}
    for row in connection.execute(query):
        of_scene = shares.setdefault((row.scene_id, row.acquired_at), {})
        # clips of a scene may meet inside a tile
        of_scene[row.tile_id] = min(1.0, of_scene.get(row.tile_id, 0.0) + row.observed_share)
    return [SceneFacts(scene_id, at, share) for (scene_id, at), share in sorted(shares.items(), key=str)]


def current_outlines(connection: Connection, tile_ids: Iterable[str] | None) -> dict[str, list[Ring]]:
    """Outlines of the current detections whose sites lie in some tiles, or of all, by scene."""
    evidence = _current_scores()
    if tile_ids is not None:
        touch(connection, tile_ids)
        inside = select(sites.c.site_id).where(sites.c.tile_id.in_(select(touched.c.id)))
        evidence = evidence.where(detections.c.site_id.in_(inside))
    outlines: dict[str, list[Ring]] = {}
    for row in connection.execute(evidence):
        outlines.setdefault(row.scene_id, []).append(ring_of(row.outline))
    return outlines


def known_detections(connection: Connection, detection_ids: Iterable[str]) -> dict[str, str]:
    """The sites of detections that an earlier run gave as well."""
    touch(connection, detection_ids)
    inside = detections.c.detection_id.in_(select(touched.c.id))
    query = select(detections.c.detection_id, detections.c.site_id).where(inside).distinct()
    return {row.detection_id: row.site_id for row in connection.execute(query)}


def write_merged(connection: Connection, merged: Sequence[Merged]) -> int:
    """Write what changed; how many sites that was."""
    columns = ("probability", "log_odds", "calibrated")
    touch(connection, (one.site_id for one in merged))
    query = select(sites.c.site_id, *(sites.c[name] for name in columns))
    query = query.where(sites.c.site_id.in_(select(touched.c.id)))
    stored = {row[0]: tuple(row[1:]) for row in connection.execute(query)}
    said: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(votes).where(votes.c.site_id.in_(select(touched.c.id)))):
        said.setdefault(row.site_id, {})[row.volunteer_id] = row.vote
    changed = [
        one
        for one in merged
        if stored[one.site_id] != (one.probability, one.log_odds, one.calibrated)
        or said.get(one.site_id, {}) != dict(one.votes)
    ]
    if not changed:
        return 0
    statement = update(sites).where(sites.c.site_id == bindparam("_site"))
    connection.execute(statement, [_merged_row(one) for one in changed])
    connection.execute(
        delete(votes).where(votes.c.site_id == bindparam("_site")), [{"_site": m.site_id} for m in changed]
    )
    rows = [
        {"site_id": one.site_id, "volunteer_id": who, "vote": vote}
        for one in changed
        for who, vote in sorted(one.votes.items())
    ]
    if rows:
        connection.execute(insert(votes), rows)
    return len(changed)


def write_not_seen(connection: Connection, dates: Mapping[str, datetime | None]) -> None:
    """Write for some sites the latest valid scene that does not show them."""
    statement = update(sites).where(sites.c.site_id == bindparam("_site"))
    rows = [{"_site": site_id, "not_seen_on": at} for site_id, at in dates.items()]
    if rows:
        connection.execute(statement, rows)


def _current_scores() -> Any:
    order = (detections.c.site_id, detections.c.scene_id, detections.c.detection_id)
    return select(detections).where(detections.c.superseded.is_(False)).order_by(*order, detections.c.run_id)


def _merged_row(one: Merged) -> dict[str, object]:
    said = list(one.votes.values())
    return {
        "_site": one.site_id,
        "probability": one.probability,
        "log_odds": one.log_odds,
        "calibrated": one.calibrated,
        "votes_kiln": said.count("kiln"),
        "votes_none": said.count("none"),
        "votes_unsure": said.count("unsure"),
    }
