"""geodata.store.engine: opens SQLite so that nothing a person did is lost; knows nothing of the tables."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from geodata.errors import BusyError, InputError
from geodata.store.mounts import network_type

BUSY_TIMEOUT_MS = 15_000
_WRITES = "kilnlight_writes"


def make_engine(path: Path, mounts: str | None = None) -> Engine:
    """An engine on a store's file: WAL, every commit flushed to disk, foreign keys on.

    Raises:
        InputError: the folder lies on a network mount.
    """
    kind = network_type(path.parent, mounts)
    if kind is not None:
        raise InputError(
            f"{path} lies on a network mount ({kind}), where SQLite can lose votes; "
            "put the project on a disk of this machine."
        )
    # autocommit=True means that we send every BEGIN ourselves (Python's sqlite3 would send it too late)
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"isolation_level": None})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _send_begin)
    return engine


def for_writing(engine: Engine) -> Connection:
    """A connection whose transactions take the write lock at once, so that what they read stays true.

    Their beginning raises `BusyError` where another program keeps the lock for `BUSY_TIMEOUT_MS`.
    """
    return engine.connect().execution_options(**{_WRITES: True})


def _set_pragmas(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # first of all, since changing the journal mode may have to wait for another process
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _send_begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES) else "BEGIN")
    except OperationalError as error:
        # the lowest byte is the code, the rest says more of the same
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise BusyError(
            "Another program has been writing to this project for a while (an import, perhaps);"
            " wait until it has ended and do this again."
        ) from error
