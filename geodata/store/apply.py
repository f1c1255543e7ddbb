"""geodata.store.apply: what each kind of event does to the derived tables.

Used when an event happens and when the state is rebuilt from the log, so that both give the same tables. Only
what the event and the tables hold may be used here: no clock, no randomness, no files. The one exception is
the bulk of an import (its detections and tiles), which stays in the run's folder and is handed in.
"""

from collections.abc import Callable

from sqlalchemy import Connection

from geodata.store import apply_import, apply_people
from geodata.store.events import Event
from geodata.store.incoming import IncomingRun

ReadRun = Callable[[str], IncomingRun]
"""Gives the bulk of an imported run by its id."""

_PLAIN: dict[str, Callable[[Connection, Event], None]] = {
    "tiles_queued": apply_import.tiles_queued,
    "pictures_cut": apply_import.pictures_cut,
    "sites_marked": apply_import.sites_marked,
    "exposed": apply_people.exposed,
    "looked": apply_people.looked,
    "look_undone": apply_people.look_undone,
    "reviewed": apply_people.reviewed,
    "review_undone": apply_people.review_undone,
    "model_chosen": apply_people.model_chosen,
    "review_sample_drawn": apply_people.review_sample_drawn,
}


def apply(connection: Connection, event: Event, read_run: ReadRun) -> None:
    """Carry one event into the derived tables."""
    if event.kind == "run_imported":
        apply_import.run_imported(connection, event, read_run(event.payload["run_id"]))
    else:
        _PLAIN[event.kind](connection, event)
