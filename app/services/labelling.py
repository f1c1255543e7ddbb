"""app.services.labelling: hands pictures to volunteers and takes their answers; the page gets tokens only."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.services.importing import mint_id
from app.services.marking import follow_up
from app.services.project import Project, utc_now
from geodata.errors import InputError
from geodata.store.records import PictureMark


@dataclass(frozen=True)
class Done:
    """How many pictures a volunteer has answered."""

    today: int
    total: int


class GivenAnswer(Protocol):
    """An answer as the page sends it."""

    @property
    def key(self) -> str:
        """The same however often the answer is sent."""

    @property
    def token(self) -> str:
        """The picture."""

    @property
    def answer(self) -> str:
        """One of `geodata.tables.columns.ANSWERS`."""

    def picture_marks(self) -> tuple[PictureMark, ...]:
        """The marks as shares of the picture."""

    def seen(self, now: datetime) -> datetime:
        """When the picture was seen, in UTC, not after `now`."""


class GivenUndo(Protocol):
    """An undo as the page sends it."""

    @property
    def key(self) -> str:
        """The same however often the undo is sent."""

    @property
    def undoes(self) -> str:
        """Key of the answer that is taken back."""


class LabellingDesk:
    """The labelling page's side of a project. Thread-safe."""

    def __init__(
        self,
        project: Project,
        *,
        rng: random.Random | None = None,
        now: Callable[[], datetime] = utc_now,
        mint: Callable[[], str] = mint_id,
    ) -> None:
        self._project = project
        self._store = project.store
        self._rng = rng or random.SystemRandom()
        self._now = now
        self._mint = mint
        # waiting for one's turn here is fair and silent; waiting for SQLite's lock may end in an error
        self._turn = threading.Lock()

    def made_up(self) -> bool:
        """True where the project holds a painted scene."""
        return self._store.counts().made_up

    def years(self) -> tuple[int, ...]:
        """The years of the imagery in the queue."""
        return self._store.queue_years()

    def next_tokens(self, volunteer_id: str, count: int, have: frozenset[str]) -> list[str]:
        """Tokens of pictures to show next, none of `have`; that they were handed out is recorded."""
        with self._turn, self._store.writing():
            items = self._store.next_queue_items(volunteer_id, count, self._rng, have)
            for item in items:
                self._store.record_exposure(item, volunteer_id, self._now())
        return [item.token for item in items]

    def picture(self, token: str) -> bytes | None:
        """The picture of a token as PNG; None for a token that was never given out or a file that is gone."""
        relative = self._store.queue_picture(token)
        path = None if relative is None else self._project.picture_path(relative)
        return None if path is None else path.read_bytes()

    def answer(self, volunteer_id: str, item: GivenAnswer) -> bool:
        """Store an answer once, however often it is sent, and merge it; False where it cannot be taken."""
        at = self._now()
        try:
            with self._turn, self._store.writing():
                event = self._store.add_answer(
                    item.token,
                    volunteer_id,
                    item.answer,
                    item.picture_marks(),
                    seen_at=item.seen(at),
                    at=at,
                    key=item.key,
                )
                if event is not None:
                    follow_up(self._store, at, self._mint)
        except InputError:
            return False
        return True

    def undo(self, volunteer_id: str, item: GivenUndo) -> bool:
        """Take an answer back once, however often this is sent; False where there is none."""
        at = self._now()
        try:
            with self._turn, self._store.writing():
                if self._store.undo_answer(item.undoes, volunteer_id, at=at, key=item.key):
                    follow_up(self._store, at, self._mint)
        except InputError:
            return False
        return True

    def done(self, volunteer_id: str) -> Done:
        """How many pictures this volunteer has answered, undone ones not counted; a day is this machine's."""
        times = self._store.answered(volunteer_id)
        today = self._now().astimezone().date()
        return Done(sum(time.astimezone().date() == today for time in times), len(times))
