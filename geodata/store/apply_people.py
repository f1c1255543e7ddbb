"""geodata.store.apply_people: what volunteers' and reviewers' acts do to the derived tables (see `apply`)."""

from datetime import datetime

from sqlalchemy import Connection, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from geodata.store import schema
from geodata.store.events import Event
from geodata.store.summary import refresh_verdict


def exposed(connection: Connection, event: Event) -> None:
    """A tile was shown to a volunteer."""
    shown = event.payload
    _meet(connection, event, shown["volunteer_id"])
    connection.execute(
        insert(schema.exposures),
        {
            "event_id": event.event_id,
            "token": shown["token"],
            "volunteer_id": shown["volunteer_id"],
            "shown_at": event.at,
            "selection_probability": shown["selection_probability"],
            "reason": shown["reason"],
        },
    )


def looked(connection: Connection, event: Event) -> None:
    """Volunteers looked at tiles: one look from the labelling page, many from a file."""
    for n, look in enumerate(event.payload["looks"]):
        _meet(connection, event, look["volunteer_id"])
        row = {
            "event_id": event.event_id,
            "n": n,
            "volunteer_id": look["volunteer_id"],
            "tile_id": look["tile_id"],
            "answer": look["answer"],
            "seen_at": datetime.fromisoformat(look["seen_at"]),
            "undone": False,
        }
        connection.execute(insert(schema.answers), row)
        for m, (lon, lat) in enumerate(look["points"]):
            mark = {"event_id": event.event_id, "n": n, "m": m, "lon": lon, "lat": lat}
            connection.execute(insert(schema.marks), mark)


def look_undone(connection: Connection, event: Event) -> None:
    """A volunteer took an answer back; it stays in the table, marked as undone."""
    answers = schema.answers
    connection.execute(
        update(answers).where(answers.c.event_id == event.payload["event_id"]).values(undone=True)
    )


def reviewed(connection: Connection, event: Event) -> None:
    """A reviewer said what is there."""
    review = event.payload
    row = {
        "event_id": event.event_id,
        "site_id": review["site_id"],
        "object_verdict": review["object_verdict"],
        "note": review["note"],
        "reviewer": event.who,
        "at": event.at,
        "undone": False,
    }
    connection.execute(insert(schema.reviews), row)
    detail = {"object_verdict": review["object_verdict"], "note": review["note"]}
    _remember(connection, event, review["site_id"], detail)
    refresh_verdict(connection, review["site_id"])


def review_undone(connection: Connection, event: Event) -> None:
    """A review was taken back; the one before it counts again."""
    reviews = schema.reviews
    connection.execute(
        update(reviews).where(reviews.c.event_id == event.payload["event_id"]).values(undone=True)
    )
    _remember(connection, event, event.payload["site_id"], {"undoes": event.payload["event_id"]})
    refresh_verdict(connection, event.payload["site_id"])


def model_chosen(connection: Connection, event: Event) -> None:
    """Which model is in use is read from the log itself (see `models`)."""


def review_sample_drawn(connection: Connection, event: Event) -> None:
    """A random sample was drawn for review; the sample itself is read from the log (`review_samples`)."""
    for site_id in sorted({row["site_id"] for row in event.payload["drawn"]}):
        _remember(connection, event, site_id, {})


def _meet(connection: Connection, event: Event, volunteer_id: str) -> None:
    row = {"volunteer_id": volunteer_id, "first_event_id": event.event_id}
    connection.execute(upsert(schema.volunteers).values(**row).on_conflict_do_nothing())


def _remember(connection: Connection, event: Event, site_id: str, detail: dict[str, object]) -> None:
    row = {"site_id": site_id, "event_id": event.event_id, "detail": detail}
    connection.execute(insert(schema.history), row)
