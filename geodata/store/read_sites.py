"""geodata.store.read_sites: sites, their evidence and their history as records."""

from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, text
from sqlalchemy.sql.elements import ColumnElement

from geodata.store.records import Evidence, HistoryEntry, Ring, Site, SiteFilter
from geodata.store.schema import (
    detections,
    events,
    history,
    pictures,
    runs,
    scenes,
    site_outlines,
    sites,
)

# "Meets the box": written out so that SQLite asks the R*Tree first.
_IN_BOX = text(
    "sites.n IN (SELECT n FROM site_boxes "
    "WHERE west <= :east AND east >= :west AND south <= :north AND north >= :south)"
)


def list_sites(connection: Connection, wanted: SiteFilter) -> list[Site]:
    """Sites that a filter lets through, the likeliest first."""
    query = _sites().where(*_conditions(wanted)).order_by(sites.c.log_odds.desc(), sites.c.n)
    values: dict[str, object] = {}
    if wanted.bbox is not None:
        query = query.where(_IN_BOX)
        values = dict(zip(("west", "south", "east", "north"), wanted.bbox, strict=True))
    return [_site(row) for row in connection.execute(query, values)]


def one_site(connection: Connection, site_id: str) -> Site | None:
    """A site by its id, listed or not."""
    row = connection.execute(_sites().where(sites.c.site_id == site_id)).one_or_none()
    return None if row is None else _site(row)


def evidence_of(connection: Connection, site_id: str) -> list[Evidence]:
    """All detections of a site, the superseded ones too: latest scene first."""
    query = (
        select(detections, scenes.c.acquired_at)
        .join(scenes, scenes.c.scene_id == detections.c.scene_id)
        .join(runs, runs.c.run_id == detections.c.run_id)
        .where(detections.c.site_id == site_id)
        .order_by(scenes.c.acquired_at.desc(), runs.c.event_id.desc(), detections.c.detection_id)
    )
    return [
        Evidence(
            detection_id=row.detection_id,
            run_id=row.run_id,
            scene_id=row.scene_id,
            acquired_at=row.acquired_at,
            model_id=row.model_id,
            score=row.score,
            probability=row.probability,
            is_candidate=row.is_candidate,
            superseded=row.superseded,
            outline=ring_of(row.outline),
        )
        for row in connection.execute(query)
    ]


def history_of(connection: Connection, site_id: str) -> list[HistoryEntry]:
    """What happened to a site, oldest first."""
    query = (
        select(events.c.event_id, events.c.at, events.c.kind, events.c.who, history.c.detail)
        .join(history, history.c.event_id == events.c.event_id)
        .where(history.c.site_id == site_id)
        .order_by(events.c.event_id)
    )
    return [HistoryEntry(*row) for row in connection.execute(query)]


def ring_of(pairs: list[list[float]]) -> Ring:
    """A ring from JSON."""
    return tuple((float(lon), float(lat)) for lon, lat in pairs)


def listed() -> ColumnElement[bool]:
    """Sites for which something speaks now: current evidence, a volunteer or a reviewer."""
    return or_(sites.c.score.is_not(None), sites.c.votes_kiln > 0, sites.c.object_verdict.is_not(None))


def _sites() -> Select[Any]:
    picture = pictures.alias()
    return (
        select(sites, site_outlines.c.outline, picture.c.path, picture.c.corners, scenes.c.acquired_at)
        .join(site_outlines, site_outlines.c.site_id == sites.c.site_id)
        .outerjoin(picture, picture.c.what == sites.c.site_id)
        .outerjoin(scenes, scenes.c.scene_id == picture.c.scene_id)
    )


def _conditions(wanted: SiteFilter) -> list[ColumnElement[bool]]:
    return [listed(), sites.c.is_candidate.is_(False)] if wanted.above_threshold_only else [listed()]


def _site(row: Row[Any]) -> Site:
    dated = row.last_seen or row.acquired_at
    return Site(
        site_id=row.site_id,
        lon=row.lon,
        lat=row.lat,
        length_m=row.length_m,
        width_m=row.width_m,
        angle_deg=row.angle_deg,
        outline=ring_of(row.outline),
        site_type=row.site_type,
        kiln_class=row.kiln_class,
        score=row.score,
        probability=row.probability,
        calibrated=row.calibrated,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        not_seen_on=row.not_seen_on,
        votes_kiln=row.votes_kiln,
        votes_none=row.votes_none,
        votes_unsure=row.votes_unsure,
        object_verdict=row.object_verdict,
        verdict_note=row.verdict_note,
        is_candidate=row.is_candidate,
        made_up=row.made_up,
        picture=row.path,
        attribution_year=None if dated is None else dated.year,
        picture_corners=None if row.corners is None else ring_of(row.corners),
        marked_only=row.marked_only,
        log_odds=row.log_odds,
        rank=row.rank,
    )
