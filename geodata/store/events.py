"""geodata.store.events: the append-only log; knows how an event is written and found, not what it means."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from geodata.store.schema import events

Payload = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """Something that a person or an import did. `payload` is plain JSON."""

    event_id: int
    at: datetime
    kind: str
    who: str
    payload: Payload


@dataclass(frozen=True)
class NewEvent:
    """An event before it is in the log; the same `key` is taken only once."""

    at: datetime
    kind: str
    who: str
    payload: Payload
    key: str | None = None


def append(connection: Connection, new: NewEvent) -> Event:
    """Write an event at the end of the log."""
    row = {"at": new.at, "kind": new.kind, "who": new.who, "key": new.key, "payload": new.payload}
    event_id = connection.execute(insert(events).returning(events.c.event_id), row).scalar_one()
    return Event(event_id, new.at, new.kind, new.who, new.payload)


def find_key(connection: Connection, key: str) -> Event | None:
    """The event that was written under a key."""
    row = connection.execute(select(events).where(events.c.key == key)).one_or_none()
    return None if row is None else Event(row.event_id, row.at, row.kind, row.who, row.payload)


def all_events(connection: Connection) -> Iterator[Event]:
    """The whole log, oldest first, a piece at a time."""
    found = connection.execute(select(events).order_by(events.c.event_id).execution_options(yield_per=200))
    for row in found:
        yield Event(row.event_id, row.at, row.kind, row.who, row.payload)
