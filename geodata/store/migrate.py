"""geodata.store.migrate: brings a store's schema to the version that this program knows."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from geodata.errors import InputError

_SCRIPTS = Path(__file__).parent / "migrations"


def config_for(connection: Connection) -> Config:
    """Alembic's settings with the scripts that lie in this package; nothing is read from a file."""
    config = Config()
    # the option goes through configparser, to which a bare % is syntax
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    return config


def known_revisions() -> list[str]:
    """All revisions, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def revision_of(connection: Connection) -> str | None:
    """The revision that a store is at; None for an empty file."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, path: Path, target: str = "head") -> None:
    """Run the missing migrations inside the connection's transaction; the caller commits.

    Raises:
        InputError: the store has a revision that this program does not know.
    """
    found = revision_of(connection)
    if found is not None and found not in known_revisions():
        raise InputError(
            f"{path} has the schema {found!r}, which is newer than this kilnlight knows; "
            "install the version that wrote it, or a later one."
        )
    command.upgrade(config_for(connection), target)
