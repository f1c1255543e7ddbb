"""geodata.store.people: checks what people do and words it as events."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from geodata.errors import InputError
from geodata.store.events import NewEvent, find_key
from geodata.store.places import place_in_picture
from geodata.store.read_sites import ring_of
from geodata.store.records import PictureMark, QueueItem
from geodata.store.schema import answers, pictures, queue, reviews, sites
from geodata.tables.columns import ANSWERS, VERDICTS

MAX_NOTE = 2000
"""The longest note, in characters; the app's field takes no more."""


@dataclass(frozen=True)
class Given:
    """An answer as it comes from the labelling page."""

    token: str
    volunteer_id: str
    answer: str
    marks: tuple[PictureMark, ...]
    seen_at: datetime
    key: str


def exposure(item: QueueItem, volunteer_id: str, at: datetime) -> NewEvent:
    """A picture was handed out; whether it was seen, only an answer tells."""
    payload = {
        "token": item.token,
        "volunteer_id": volunteer_id,
        "selection_probability": item.selection_probability,
        "reason": item.reason,
    }
    return NewEvent(at, "exposed", volunteer_id, payload)


def answer(connection: Connection, given: Given, at: datetime) -> NewEvent | None:
    """An answer with its marks carried onto the map; None where its key is in the log already."""
    if find_key(connection, _answer_key(given.key, given.volunteer_id)) is not None:
        return None
    if given.answer not in ANSWERS:
        raise InputError(f"Unknown answer {given.answer!r}; choose one of {', '.join(ANSWERS)}.")
    if given.marks and given.answer != "kiln":
        raise InputError(f"Marks go with the answer 'kiln', not with {given.answer!r}.")
    query = select(queue.c.tile_id, pictures.c.corners).join(pictures, pictures.c.what == queue.c.token)
    row = connection.execute(query.where(queue.c.token == given.token)).one_or_none()
    if row is None:
        raise InputError(f"There is no picture {given.token!r} in the queue.")
    look = {
        "volunteer_id": given.volunteer_id,
        "tile_id": row.tile_id,
        "answer": given.answer,
        "seen_at": given.seen_at.isoformat(),
        "points": [place_in_picture(ring_of(row.corners), mark) for mark in given.marks],
    }
    payload = {"token": given.token, "looks": [look]}
    return NewEvent(at, "looked", given.volunteer_id, payload, _answer_key(given.key, given.volunteer_id))


def undo_answer(
    connection: Connection, answer_key: str, volunteer_id: str, at: datetime, key: str | None
) -> NewEvent | None:
    """An answer taken back; None where that has happened before."""
    found = find_key(connection, _answer_key(answer_key, volunteer_id))
    if found is None or found.who != volunteer_id:
        raise InputError(f"There is no answer {answer_key!r} to take back.")
    stands = select(answers.c.n).where(answers.c.event_id == found.event_id, answers.c.undone.is_(False))
    if connection.execute(stands).first() is None:
        return None
    log_key = None if key is None else _answer_key(key, volunteer_id)
    return NewEvent(at, "look_undone", volunteer_id, {"event_id": found.event_id}, log_key)


def review(
    connection: Connection, site_id: str, object_verdict: str, note: str, reviewer: str, at: datetime
) -> NewEvent:
    """A verdict on what is there, with a note."""
    if object_verdict not in VERDICTS:
        raise InputError(f"Unknown verdict {object_verdict!r}; choose one of {', '.join(VERDICTS)}.")
    if len(note) > MAX_NOTE:
        raise InputError(f"The note has {len(note)} characters; shorten it to {MAX_NOTE}.")
    _check_site(connection, site_id)
    payload = {"site_id": site_id, "object_verdict": object_verdict, "note": note}
    return NewEvent(at, "reviewed", reviewer, payload)


def undo_review(connection: Connection, site_id: str, reviewer: str, at: datetime) -> NewEvent:
    """The latest standing review taken back."""
    _check_site(connection, site_id)
    standing = select(reviews.c.event_id).where(reviews.c.site_id == site_id, reviews.c.undone.is_(False))
    latest = connection.execute(standing.order_by(reviews.c.event_id.desc())).first()
    if latest is None:
        raise InputError(f"The site {site_id} has no verdict to take back.")
    return NewEvent(at, "review_undone", reviewer, {"site_id": site_id, "event_id": latest.event_id})


def _check_site(connection: Connection, site_id: str) -> None:
    if connection.execute(select(sites.c.n).where(sites.c.site_id == site_id)).first() is None:
        raise InputError(f"There is no site {site_id!r} in this project.")


def _answer_key(key: str, volunteer_id: str) -> str:
    """Keys come from browsers: one volunteer's key must not meet another's."""
    return f"look:{volunteer_id}:{key}"
