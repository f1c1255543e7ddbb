"""app.services.marking: what follows when volunteers have looked: new sites, pictures, new chances."""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.services.conclude import conclude_people, stray_marks
from app.services.grouping import marked_sites
from geodata.looks import Look
from geodata.store.imports import add_marked_sites, add_pictures, import_looks
from geodata.store.missing import pictures_of_tiles
from geodata.store.store import Store


def follow_up(store: Store, at: datetime, mint: Callable[[], str]) -> None:
    """Found sites where marks lie on none, and work out the chances anew."""
    with store.writing():
        add_marked_sites(store, marked_sites(stray_marks(store), mint), at)
        picture_faint_sites(store, at)
        conclude_people(store)


def add_looks(store: Store, looks: Sequence[Look], source: str, at: datetime, mint: Callable[[], str]) -> int:
    """Take in looks from a file; how many of them are new."""
    with store.writing():
        new = import_looks(store, looks, source, at)
        if new:
            follow_up(store, at, mint)
        return new


def picture_faint_sites(store: Store, at: datetime) -> None:
    """Sites known from marks only, and faint candidates, are shown with the picture of their queued tile."""
    with store.writing():
        add_pictures(store, pictures_of_tiles(store), at)
