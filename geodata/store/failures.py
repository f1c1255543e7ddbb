"""geodata.store.failures: what SQLite reports of a disk or a file, as one sentence for a person."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from geodata.errors import KilnlightError

# the lowest byte of SQLite's codes
_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Raise `KilnlightError` for a disk that refuses and for a damaged file; let all other errors through."""
    try:
        yield
    except DatabaseError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in _DISK:
            raise KilnlightError(
                f"{path} cannot be written ({error.orig}); nothing of this was stored: "
                "make room on its disk or mend its permissions, then do it again."
            ) from error
        if code in _DAMAGED:
            raise KilnlightError(
                f"{path} is damaged ({error.orig}); put back a copy of the project folder, "
                "or import its runs into a new project."
            ) from error
        raise
