"""app.services.project: a project is one folder: `kilnlight.sqlite`, `runs/<run_id>/` and `pictures/`."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.services.conclude import conclude
from app.services.run_folder import incoming_run
from geodata.errors import InputError
from geodata.files import ensure_output_folder
from geodata.store.incoming import IncomingRun
from geodata.store.opening import STORE
from geodata.store.rebuild import rebuild
from geodata.store.store import Store

DEFAULT_PROJECT = Path("kilnlight-project")
RUNS = "runs"
PICTURES = "pictures"


@dataclass(frozen=True)
class Project:
    """An open project. Use as a context manager, or call `close`."""

    folder: Path
    store: Store

    @property
    def runs(self) -> Path:
        """Where the imported runs lie, one folder each."""
        return self.folder / RUNS

    @property
    def pictures(self) -> Path:
        """Where the pictures of sites and queued tiles lie."""
        return self.folder / PICTURES

    def picture_path(self, relative: str) -> Path | None:
        """The file of a picture that the store names; None where it is missing or lies elsewhere."""
        path = (self.folder / relative).resolve()
        inside = path.is_relative_to(self.pictures.resolve())
        return path if inside and path.is_file() else None

    def read_run(self, run_id: str) -> IncomingRun:
        """The bulk of an imported run. Raises `InputError` where its folder is gone or was changed."""
        return incoming_run(self.runs / run_id)

    def rebuild(self) -> int:
        """Make the state anew from the log and the imported runs; the number of events."""
        return rebuild(self.store, self.read_run, conclude)

    def close(self) -> None:
        """Release the store."""
        self.store.close()

    def __enter__(self) -> "Project":
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


def open_project(folder: Path, *, create: bool = False) -> Project:
    """Open a project folder; with `create`, make it where it is missing.

    Raises:
        InputError: no project there, a file in its place, a folder that cannot be written, or a store that
            cannot be used.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a project folder; name another one with --project.")
    if not create and not (folder / STORE).is_file():
        raise InputError(
            f"{folder} is no kilnlight project; make one with `kilnlight import RUN_DIR --project {folder}`."
        )
    if create:
        for part in (folder, folder / RUNS, folder / PICTURES):
            ensure_output_folder(part)
    return Project(folder, Store.open(folder / STORE, create=create))


def utc_now() -> datetime:
    """The clock of the services; handed in, so that tests can hold it."""
    return datetime.now(UTC)
