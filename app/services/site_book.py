"""app.services.site_book: all sites of a project for the map, read again only when one may have changed."""

import threading
from dataclasses import dataclass

from app.services import columns
from geodata.store.records import Site, SiteFilter
from geodata.store.store import Store

_EVERYTHING = SiteFilter(above_threshold_only=False)
_NEWEST = """
SELECT event_id FROM events WHERE kind NOT IN ('exposed', 'tiles_queued') ORDER BY event_id DESC LIMIT 1
"""
"""Pictures are handed out all the time while volunteers label; that changes no site."""


@dataclass(frozen=True)
class Edition:
    """The sites as they were after one event."""

    version: int
    sites: tuple[Site, ...]
    packed: bytes
    """The block for the map (see `columns`)."""


class SiteBook:
    """The latest edition of a store's sites. Thread-safe; pages and routes share one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._edition: Edition | None = None

    def edition(self) -> Edition:
        """The sites as they are now."""
        with self._lock:
            with self._store.reading() as connection:
                # every change of the data is an event, so the newest one tells the version
                newest = connection.exec_driver_sql(_NEWEST).scalar() or 0
                if self._edition is None or self._edition.version != newest:
                    sites = tuple(self._store.sites(_EVERYTHING))
                    self._edition = Edition(int(newest), sites, columns.pack(sites))
            return self._edition
