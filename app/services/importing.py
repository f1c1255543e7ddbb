"""app.services.importing: brings runs and volunteers' marks into a project.

Everything is read and checked before the first thing is written. A run goes in as one transaction; pictures
follow, since cutting them takes time and imagery may be missing: an import that was interrupted or found no
imagery is completed by doing it again.
"""

import random
import secrets
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.services.conclude import conclude_import
from app.services.cutting import CutOptions, cut_missing
from app.services.grouping import group_run
from app.services.imagery import Warn
from app.services.marking import add_looks, picture_faint_sites
from app.services.project import Project, utc_now
from app.services.queueing import plan_queue
from app.services.run_folder import incoming_run
from geodata.errors import InputError, ProblemsError
from geodata.files import atomic_path, ensure_output_folder, flush_folder
from geodata.looks import Look, Mark, first_looks
from geodata.store.imports import changed_scenes, has_run, import_run, outdated, queue_tiles
from geodata.store.incoming import IncomingRun
from geodata.store.summary import tiles_of_scenes
from geodata.tables.marks import read_marks
from geodata.tables.run import RUN, open_run


def mint_id() -> str:
    """A new random id; it tells nothing of a place."""
    return secrets.token_hex(8)


def _quiet(*_: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class ImportRequest:
    """What a person asked for, and the sources of time and chance."""

    runs: tuple[Path, ...] = ()
    marks: tuple[Path, ...] = ()
    scene_folders: tuple[Path, ...] = ()
    """Where to look for the scenes' files first."""
    band_names: tuple[str, ...] | None = None
    skip_bad: bool = False
    """Leave broken rows of marks out, with a warning each."""
    now: Callable[[], datetime] = utc_now
    mint: Callable[[], str] = mint_id
    rng: random.Random = field(default_factory=random.SystemRandom)
    warn: Warn = _quiet
    progress: Callable[[int, int], None] = _quiet


@dataclass(frozen=True)
class ImportResult:
    """What came in."""

    runs_new: int
    runs_known: int
    looks_new: int
    pictures: int


@dataclass(frozen=True)
class Inputs:
    """Runs with their folders and looks with their files' names, read and checked."""

    runs: tuple[tuple[Path, IncomingRun], ...]
    looks: tuple[tuple[str, list[Look]], ...]


def import_into(project: Project, request: ImportRequest, inputs: Inputs | None = None) -> ImportResult:
    """Bring runs and marks into a project; `inputs` are what `read_inputs` gave, if it was called before.

    Raises:
        ProblemsError: with everything that is wrong with the folders and files, before anything is written.
        InputError: the project cannot be written.
    """
    inputs = inputs or read_inputs(request)
    runs, looks = inputs.runs, inputs.looks
    new = [_take_run(project, folder, run, request) for folder, run in runs]
    pictures = sum(_cut(project, folder, run.run_id, request) for folder, run in runs)
    looks_new = sum(add_looks(project.store, some, name, request.now(), request.mint) for name, some in looks)
    _warn_of_strange_tiles(project, [look for _, some in looks for look in some], request.warn)
    picture_faint_sites(project.store, request.now())
    return ImportResult(sum(new), len(new) - sum(new), looks_new, pictures)


def looks_of(marks: Iterable[Mark]) -> list[Look]:
    """All looks of a table of marks, later ones of the same volunteer at the same tile too."""
    groups: dict[tuple[str, str, datetime], list[Mark]] = {}
    for mark in marks:
        groups.setdefault((mark.volunteer_id, mark.tile_id, mark.seen_at), []).append(mark)
    return [first_looks(rows)[0] for rows in groups.values()]


def read_inputs(request: ImportRequest) -> Inputs:
    """Read and check all runs and marks; writes nothing.

    Raises:
        ProblemsError: with everything that is wrong with the folders and files.
    """
    problems: list[str] = []
    runs: list[tuple[Path, IncomingRun]] = []
    looks: list[tuple[str, list[Look]]] = []
    for folder in request.runs:
        try:
            runs.append((folder, incoming_run(folder)))
        except InputError as error:
            problems.append(str(error))
    for path in request.marks:
        try:
            table = read_marks(path, skip_bad=request.skip_bad)
        except InputError as error:
            problems.append(str(error))
            continue
        for problem in table.problems:
            request.warn(f"{path}, {problem}")
        looks.append((path.name, looks_of(table.marks)))
    if problems:
        raise ProblemsError(problems)
    return Inputs(tuple(runs), tuple(looks))


def _take_run(project: Project, folder: Path, run: IncomingRun, request: ImportRequest) -> bool:
    """One transaction: the run, its sites, the queue and all that follows from them."""
    if has_run(project.store, run.run_id):
        return False
    _copy_run(project, folder, run.run_id)
    with project.store.writing() as connection:
        at = request.now()
        for problem in (*changed_scenes(connection, run), *outdated(connection, run)):
            request.warn(problem)
        # what a replaced run covered and this one does not has to be concluded anew as well
        tiles = set(tiles_of_scenes(connection, [scene.scene_id for scene in run.scenes]))
        tiles |= {tile.tile_id for tile in run.tiles}
        if not import_run(project.store, run, group_run(connection, run, request.mint), at):
            return False
        queue_tiles(project.store, plan_queue(run, request.rng, lambda: secrets.token_urlsafe(16)), at)
        conclude_import(project.store, tiles)
    return True


def _copy_run(project: Project, folder: Path, run_id: str) -> None:
    """Copy the files that `run.json` names, and it, under a temporary name first."""
    target = project.runs / run_id
    if target.exists():
        return
    ensure_output_folder(project.runs)
    temporary = project.runs / f".{run_id}.{secrets.token_hex(4)}.part"
    try:
        temporary.mkdir()
        for name in (*open_run(folder).record.files, RUN):
            with atomic_path(temporary / name) as part:
                shutil.copyfile(folder / name, part)
        temporary.rename(target)
        flush_folder(project.runs)
    except OSError as error:
        raise InputError(
            f"The run {folder} cannot be copied to {project.runs} ({error.strerror}); make room there."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _cut(project: Project, folder: Path, run_id: str, request: ImportRequest) -> int:
    options = CutOptions(request.scene_folders, request.band_names, request.warn, request.progress)
    inputs = open_run(folder).record.inputs
    return cut_missing(project, run_id, inputs, folder, options, request.now())


def _warn_of_strange_tiles(project: Project, looks: Sequence[Look], warn: Warn) -> None:
    covered = {tile.tile_id for tile in project.store.tiles()} if looks else set()
    strange = sum(look.tile_id not in covered for look in looks)
    if strange:
        warn(
            f"{strange} of {len(looks)} looks lie on tiles that no imported scene covers; "
            "they count as soon as a run there is imported."
        )
