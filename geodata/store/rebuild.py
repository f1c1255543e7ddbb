"""geodata.store.rebuild: makes the derived tables anew from the log of events."""

from collections.abc import Callable

from sqlalchemy import delete

from geodata.store.apply import ReadRun, apply
from geodata.store.events import all_events
from geodata.store.schema import events, metadata
from geodata.store.store import Store


def rebuild(store: Store, read_run: ReadRun, conclude: Callable[[Store], None]) -> int:
    """Empty every derived table and carry all events into them again, in one transaction; how many.

    Args:
        store: it may be open elsewhere; readers see the old state until the new one is whole.
        read_run: gives the bulk of each imported run, which lies in the project's `runs/`.
        conclude: draws the conclusions (see `conclusions`) at the end.
    """
    with store.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not events:
                connection.execute(delete(table))
        connection.exec_driver_sql("DELETE FROM site_boxes")
        number = 0
        for event in list(all_events(connection)):
            apply(connection, event, read_run)
            number += 1
        conclude(store)
        return number
