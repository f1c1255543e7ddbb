"""geodata.store.read_queue: the volunteers' queue: what is left for whom."""

import random
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from geodata.store.records import QueueItem
from geodata.store.schema import answers, exposures, pictures, queue, scenes
from geodata.store.selection import RANDOM_SHARE, Candidate, Shown, draw


def next_items(
    connection: Connection, volunteer_id: str, n: int, rng: random.Random, without: Collection[str]
) -> list[QueueItem]:
    """Draw tiles with a picture that a volunteer has not answered, those of the latest round first."""
    stands = answers.c.undone.is_(False)
    done = select(answers.c.tile_id).where(answers.c.volunteer_id == volunteer_id, stands)
    number = select(func.count()).where(answers.c.tile_id == queue.c.tile_id, stands).scalar_subquery()
    query = (
        select(queue.c.token, queue.c.doubt, queue.c.sampled, queue.c["round"], number.label("number"))
        .join(pictures, pictures.c.what == queue.c.token)
        .where(queue.c.tile_id.not_in(done))
        .order_by(queue.c.token)
    )
    rounds: dict[int, list[Candidate]] = {}
    for row in connection.execute(query):
        if row.token not in without:
            candidate = Candidate(row.token, row.doubt, row.sampled, row.number)
            rounds.setdefault(row.round, []).append(candidate)
    shown = _shown(connection, volunteer_id)
    items: list[QueueItem] = []
    for number_of_round in sorted(rounds, reverse=True):
        left = rounds[number_of_round]
        # a round was chosen with a random share of its own
        share = sum(one.sampled for one in left) / len(left) if number_of_round else RANDOM_SHARE
        new = draw(left, shown, n - len(items), rng, share)
        items += new
        shown = Shown(shown.total + len(new), shown.at_random + sum(item.reason == "random" for item in new))
    return items


def picture_of(connection: Connection, token: str) -> str | None:
    """The path of a queued tile's picture; None for what is no token of the queue."""
    query = select(pictures.c.path).join(queue, queue.c.token == pictures.c.what)
    return connection.execute(query.where(queue.c.token == token)).scalar_one_or_none()


def years(connection: Connection) -> tuple[int, ...]:
    """The years of the real scenes in the queue's pictures; painted ones have no source to name."""
    query = (
        select(scenes.c.acquired_at)
        .join(pictures, pictures.c.scene_id == scenes.c.scene_id)
        .join(queue, queue.c.token == pictures.c.what)
        .where(scenes.c.acquired_at.is_not(None), scenes.c.made_up.is_(False))
        .distinct()
    )
    return tuple(sorted({at.year for at in connection.execute(query).scalars()}))


def answer_times(connection: Connection, volunteer_id: str) -> list[datetime]:
    """When a volunteer looked at the tiles whose answers stand; one time per tile, oldest first."""
    query = (
        select(func.min(answers.c.seen_at, type_=answers.c.seen_at.type).label("at"))
        .where(answers.c.volunteer_id == volunteer_id, answers.c.undone.is_(False))
        .group_by(answers.c.tile_id)
        .order_by("at")
    )
    return list(connection.execute(query).scalars())


def _shown(connection: Connection, volunteer_id: str) -> Shown:
    at_random = func.sum(case((exposures.c.reason == "random", 1), else_=0))
    query = select(func.count(), func.coalesce(at_random, 0)).where(exposures.c.volunteer_id == volunteer_id)
    total, random_ones = connection.execute(query).one()
    return Shown(total, random_ones)
