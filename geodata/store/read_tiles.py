"""geodata.store.read_tiles: coverage, looks and counts as records."""

from typing import Any

from sqlalchemy import Connection, func, select

from geodata.looks import Look
from geodata.store.places import tiles_meeting
from geodata.store.read_sites import listed
from geodata.store.records import Counts, Tile
from geodata.store.schema import answers, marks, queue, reviews, runs, scenes, sites, tiles, volunteers
from geodata.store.schema import pictures as picture_table
from geodata.tables.columns import OBSERVED_AT_LEAST
from geodata.tiles import tile_from_id, tile_ring


def list_tiles(connection: Connection, bbox: tuple[float, float, float, float] | None) -> list[Tile]:
    """Tiles that meet a box (w, s, e, n), each as the scene that speaks for it now shows it."""
    query = select(tiles, scenes.c.acquired_at).join(scenes, scenes.c.scene_id == tiles.c.scene_id)
    if bbox is not None:
        west, east, north, south = tiles_meeting(bbox)
        query = query.where(tiles.c.x.between(west, east), tiles.c.y.between(north, south))
    return [
        Tile(
            tile_id=row.tile_id,
            ring=tile_ring(tile_from_id(row.tile_id)),
            observed_share=row.observed_share,
            state=row.state,
            scene_id=row.scene_id,
            acquired_at=row.acquired_at,
        )
        for row in connection.execute(query.order_by(tiles.c.x, tiles.c.y))
    ]


def counted_looks(connection: Connection, tile_ids: set[str] | None = None) -> list[Look]:
    """Looks that count: of each volunteer at each tile the first by time that was not undone."""
    rank = (
        func.row_number()
        .over(
            partition_by=(answers.c.volunteer_id, answers.c.tile_id),
            order_by=(answers.c.seen_at, answers.c.event_id, answers.c.n),
        )
        .label("place")
    )
    ranked = select(answers, rank).where(answers.c.undone.is_(False)).subquery()
    first = select(ranked).where(ranked.c.place == 1).order_by(ranked.c.event_id, ranked.c.n)
    by_look: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for mark in connection.execute(select(marks).order_by(marks.c.event_id, marks.c.n, marks.c.m)):
        by_look.setdefault((mark.event_id, mark.n), []).append((mark.lon, mark.lat))
    return [
        Look(
            row.volunteer_id,
            row.tile_id,
            row.answer,
            row.seen_at,
            tuple(by_look.get((row.event_id, row.n), [])),
        )
        for row in connection.execute(first)
        if tile_ids is None or row.tile_id in tile_ids
    ]


def count_all(connection: Connection) -> Counts:
    """How much is in the store."""

    def number(table: Any, *conditions: Any) -> int:
        query = select(func.count()).select_from(table).where(*conditions)
        return int(connection.execute(query).scalar_one())

    look = select(answers.c.volunteer_id, answers.c.tile_id).where(answers.c.undone.is_(False)).distinct()
    return Counts(
        runs=number(runs),
        scenes=number(scenes),
        sites=number(sites, listed(), sites.c.is_candidate.is_(False)),
        candidates=number(sites, listed(), sites.c.is_candidate.is_(True)),
        tiles=number(tiles),
        tiles_observed=number(tiles, tiles.c.observed_share >= OBSERVED_AT_LEAST),
        queued=number(queue.join(picture_table, picture_table.c.what == queue.c.token)),
        volunteers=number(volunteers),
        answers=number(look.subquery()),
        reviews=number(reviews, reviews.c.undone.is_(False)),
        made_up=number(scenes, scenes.c.made_up.is_(True)) > 0,
    )
