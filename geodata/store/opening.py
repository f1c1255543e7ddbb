"""geodata.store.opening: finds, makes or brings up to date the file of a store."""

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError

from geodata.errors import InputError
from geodata.store import migrate
from geodata.store.engine import for_writing, make_engine

STORE = "kilnlight.sqlite"
"""The store's file in a project folder."""


def opened(path: Path, create: bool, mounts: str | None = None) -> Engine:
    """An engine on a store with the newest schema.

    Args:
        path: the SQLite file; its folder must exist.
        create: make the file where there is none.
        mounts: see `network_type`; for tests.

    Raises:
        InputError: no store there, not a store, a newer schema, a network mount, or a disk that refuses.
    """
    if not create and not path.is_file():
        raise InputError(f"There is no store at {path}; `kilnlight import` makes one.")
    engine = make_engine(path, mounts)
    try:
        with for_writing(engine) as connection, connection.begin():
            migrate.upgrade(connection, path)
    except DatabaseError as error:
        engine.dispose()
        raise InputError(
            f"{path} cannot be used as a store ({error.orig}); "
            "check that it is a kilnlight project on a disk that can be written."
        ) from error
    except InputError:
        engine.dispose()
        raise
    return engine
