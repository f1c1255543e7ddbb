"""geodata.store.store: the one door to a project's data; knows nothing of models, pages or pixels.

Every writing method appends one event and carries it into the derived tables in one transaction. What is
called inside `with store.writing():` shares that transaction: all of it happens, or nothing does. What
imports write lies in `geodata.store.imports`.
"""

import random
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from geodata.errors import InputError
from geodata.looks import Look
from geodata.store import people, read_queue, read_sites, read_tiles
from geodata.store.apply import ReadRun, apply
from geodata.store.engine import for_writing
from geodata.store.events import Event, NewEvent, append
from geodata.store.failures import in_words
from geodata.store.incoming import IncomingRun
from geodata.store.opening import opened
from geodata.store.records import (
    Counts,
    Evidence,
    HistoryEntry,
    PictureMark,
    QueueItem,
    Site,
    SiteFilter,
    Tile,
)

Box = tuple[float, float, float, float]


class Store:
    """An open store. May be used from several threads; other processes may use the file as well."""

    def __init__(self, path: Path, create: bool = False, mounts: str | None = None) -> None:
        self._engine = opened(path, create, mounts)
        self._local = threading.local()
        self.path = path

    @classmethod
    def open(cls, path: Path, create: bool = False, mounts: str | None = None) -> "Store":
        """Open the SQLite file at `path` and bring its schema up to date.

        Raises:
            InputError: no store there, not a store, a newer schema, a network mount, or a disk that refuses.
        """
        return cls(path, create, mounts)

    def close(self) -> None:
        """Release the file."""
        self._engine.dispose()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its beginning; nested blocks join the outer one."""
        current: Connection | None = getattr(self._local, "connection", None)
        if current is not None:
            yield current
            return
        with in_words(self.path), for_writing(self._engine) as connection, connection.begin():
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One view of the data that does not change while it is read."""
        current: Connection | None = getattr(self._local, "connection", None)
        if current is not None:
            yield current
            return
        with in_words(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    def record(self, new: NewEvent, read_run: ReadRun | None = None) -> Event:
        """Append an event and carry it into the tables. Only runs need `read_run` (see `apply`)."""
        with self.writing() as connection:
            event = append(connection, new)
            apply(connection, event, read_run or _no_run)
            return event

    # --- reading -----------------------------------------------------------------------------------------

    def sites(self, wanted: SiteFilter | None = None) -> list[Site]:
        """Sites that a filter lets through, the likeliest first."""
        with self.reading() as connection:
            return read_sites.list_sites(connection, wanted or SiteFilter())

    def site(self, site_id: str) -> Site | None:
        """One site, whether lists show it or not; None for an unknown id."""
        with self.reading() as connection:
            return read_sites.one_site(connection, site_id)

    def evidence(self, site_id: str) -> list[Evidence]:
        """All detections behind a site, superseded ones too; latest scene first."""
        with self.reading() as connection:
            return read_sites.evidence_of(connection, site_id)

    def history(self, site_id: str) -> list[HistoryEntry]:
        """What happened to a site, oldest first."""
        with self.reading() as connection:
            return read_sites.history_of(connection, site_id)

    def tiles(self, bbox: Box | None = None) -> list[Tile]:
        """Tiles that meet a box (west, south, east, north), or all of them."""
        with self.reading() as connection:
            return read_tiles.list_tiles(connection, bbox)

    def looks(self) -> list[Look]:
        """Volunteers' looks that count: the first by time per volunteer and tile, undone ones left out."""
        with self.reading() as connection:
            return read_tiles.counted_looks(connection)

    def counts(self) -> Counts:
        """How much is in the store."""
        with self.reading() as connection:
            return read_tiles.count_all(connection)

    # --- volunteers --------------------------------------------------------------------------------------

    def next_queue_items(
        self, volunteer_id: str, n: int, rng: random.Random, without: Collection[str] = ()
    ) -> list[QueueItem]:
        """Tiles that a volunteer has not answered, none of the tokens in `without`; see `selection`."""
        with self.reading() as connection:
            return read_queue.next_items(connection, volunteer_id, n, rng, without)

    def queue_picture(self, token: str) -> str | None:
        """The picture of a queued tile, relative to the project folder."""
        with self.reading() as connection:
            return read_queue.picture_of(connection, token)

    def queue_years(self) -> tuple[int, ...]:
        """The years of the imagery that the queue's pictures show; scenes without a date give none."""
        with self.reading() as connection:
            return read_queue.years(connection)

    def answered(self, volunteer_id: str) -> list[datetime]:
        """When a volunteer gave the answers that stand (not undone), oldest first."""
        with self.reading() as connection:
            return read_queue.answer_times(connection, volunteer_id)

    def record_exposure(self, item: QueueItem, volunteer_id: str, at: datetime) -> None:
        """A picture is handed out to a volunteer."""
        self.record(people.exposure(item, volunteer_id, at))

    def add_answer(
        self,
        token: str,
        volunteer_id: str,
        answer: str,
        marks: Sequence[PictureMark],
        *,
        seen_at: datetime,
        at: datetime,
        key: str,
    ) -> Event | None:
        """Store what a volunteer says of a picture; None where the same `key` was stored before.

        Raises:
            InputError: unknown token or answer, or marks with another answer than `kiln`.
        """
        with self.writing() as connection:
            given = people.Given(token, volunteer_id, answer, tuple(marks), seen_at, key)
            new = people.answer(connection, given, at)
            return None if new is None else self.record(new)

    def undo_answer(
        self, answer_key: str, volunteer_id: str, *, at: datetime, key: str | None = None
    ) -> bool:
        """Take an answer back by the key it was stored under; False where nothing changes.

        Raises:
            InputError: this volunteer stored no answer under that key.
        """
        with self.writing() as connection:
            new = people.undo_answer(connection, answer_key, volunteer_id, at, key)
            return new is not None and bool(self.record(new))

    # --- reviewers ---------------------------------------------------------------------------------------

    def add_review(self, site_id: str, object_verdict: str, note: str, reviewer: str, at: datetime) -> Event:
        """Record what a reviewer says is there; it stands beside the probability and does not change it.

        Raises:
            InputError: unknown site or verdict.
        """
        with self.writing() as connection:
            return self.record(people.review(connection, site_id, object_verdict, note, reviewer, at))

    def undo_review(self, site_id: str, reviewer: str, at: datetime) -> Event:
        """Take the latest standing review of a site back.

        Raises:
            InputError: unknown site, or no review stands.
        """
        with self.writing() as connection:
            return self.record(people.undo_review(connection, site_id, reviewer, at))


def _no_run(run_id: str) -> IncomingRun:
    raise InputError(f"The run {run_id} cannot be read here; import it with `kilnlight import`.")
