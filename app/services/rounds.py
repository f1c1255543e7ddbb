"""app.services.rounds: puts a round of tiles before volunteers: those that teach most, some at random."""

import io
import random
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import mercantile
import numpy as np
from PIL import Image

from app.services.cutting import CutOptions, cut_missing
from app.services.imagery import Warn
from app.services.project import Project, utc_now
from app.services.queueing import doubt
from detection.tile_sample import RANDOM_AT_LEAST, Drawn, Pool, draw_tiles
from geodata.errors import InputError
from geodata.grid import Floats, metres_per_degree
from geodata.store.imports import queue_tiles
from geodata.store.incoming import QueuedTile
from geodata.store.read_pool import FoundThere, PoolTile, covered_tiles, next_round, unlabelled_tiles
from geodata.tables.run import RUN, open_run
from geodata.tiles import tile_from_id


def _quiet(*_: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class RoundRequest:
    """What a person asked for, and the sources of time and chance."""

    tiles: int
    random_share: float = 0.1
    scene_folders: tuple[Path, ...] = ()
    """Where to look for the scenes of tiles that have no picture yet."""
    band_names: tuple[str, ...] | None = None
    now: Callable[[], datetime] = utc_now
    rng: random.Random = field(default_factory=random.SystemRandom)
    warn: Warn = _quiet
    progress: Callable[[int, int], None] = _quiet


@dataclass(frozen=True)
class Round:
    """What was put before volunteers."""

    number: int
    drawn: tuple[Drawn, ...]
    pool: int
    """How many tiles there were to choose from."""
    without_picture: int
    """Tiles of the round that cannot be shown until their scene is at hand."""


def queue_round(project: Project, request: RoundRequest) -> Round:
    """Choose unlabelled tiles (see `detection.tile_sample`), queue them first in line, cut their pictures.

    Raises:
        InputError: a wish that cannot be met, or a project in which no tile is left unlabelled.
    """
    if request.tiles < 1 or not RANDOM_AT_LEAST <= request.random_share <= 1:
        raise InputError(
            f"A round of {request.tiles} tiles with a random share of {request.random_share:g} cannot be "
            f"drawn; ask for one tile or more and a share of {RANDOM_AT_LEAST} to 1."
        )
    with project.store.writing() as connection:
        tiles = unlabelled_tiles(connection)
        if not tiles:
            raise InputError(
                f"No observed tile of {project.folder} is left without an answer, a verdict or a round; "
                "import a run on other scenes first."
            )
        pool = pool_of(tiles, project.picture_path)
        drawn = draw_tiles(pool, request.tiles, request.random_share, request.rng)
        number = next_round(connection)
        queued = [
            QueuedTile(_token(), one.tile_id, one.uncertainty, one.at_random, number, one.chance)
            for one in drawn
        ]
        queue_tiles(project.store, queued, request.now())
    cut_everywhere(project, request)
    missing = _without_picture(project, {one.tile_id for one in drawn})
    return Round(number, tuple(drawn), len(tiles), missing)


def queue_places(project: Project, tile_ids: Collection[str], request: RoundRequest) -> tuple[int, int]:
    """Put given tiles first in line, for certain; how many were queued, and how many no run covers."""
    with project.store.writing() as connection:
        inside = sorted(set(tile_ids) & covered_tiles(connection))
        number = next_round(connection)
        queued = [QueuedTile(_token(), tile, 1.0, False, number, 1.0) for tile in inside]
        queue_tiles(project.store, queued, request.now())
    if inside:
        cut_everywhere(project, request)
    return len(inside), len(set(tile_ids)) - len(inside)


def cut_everywhere(project: Project, request: RoundRequest) -> int:
    """Cut the pictures that any imported run still lacks; how many."""
    options = CutOptions(request.scene_folders, request.band_names, request.warn, request.progress)
    cut = 0
    for path in sorted(project.runs.glob(f"*/{RUN}")):
        inputs = open_run(path.parent).record.inputs
        cut += cut_missing(project, path.parent.name, inputs, path.parent, options, request.now())
    return cut


def uncertainty(found: Sequence[FoundThere]) -> float:
    """How doubtful a tile is, 0-1: as its most doubtful site; 0 where nothing was found.

    A calibrated chance p is in doubt by 4 p (1 - p), else a score by its distance from the threshold.
    """
    return max((_in_doubt(one) for one in found), default=0.0)


def _in_doubt(one: FoundThere) -> float:
    if one.probability is not None:
        return 4 * one.probability * (1 - one.probability)
    return doubt(one.score, one.threshold)


def pool_of(tiles: Sequence[PoolTile], picture_path: Callable[[str], Path | None]) -> Pool:
    """Tiles with what tells them apart: place, look and the best score, each group of equal weight."""
    paths = [None if tile.picture is None else picture_path(tile.picture) for tile in tiles]
    doubts = np.array([uncertainty(tile.found) for tile in tiles])
    # tiles without doubt are drawn regardless of their look
    looks = np.array([_look(p) if d > 0 else _NO_LOOK for p, d in zip(paths, doubts, strict=True)])
    scores = np.array([[max((one.score for one in tile.found), default=0.0)] for tile in tiles])
    groups = [_places_m(tiles), looks, scores]
    return Pool(tuple(tile.tile_id for tile in tiles), doubts, np.hstack([_even(group) for group in groups]))


_NO_LOOK = (np.nan,) * 6


def _look(path: Path | None) -> tuple[float, ...]:
    """Mean and spread of red, green and blue in a tile's picture; NaN where there is none."""
    try:
        with Image.open(io.BytesIO(path.read_bytes() if path else b"")) as image:
            pixels = np.asarray(image.convert("RGB").resize((48, 48)), dtype=np.float64).reshape(-1, 3)
    except OSError:
        return _NO_LOOK
    return (*pixels.mean(axis=0), *pixels.std(axis=0))


def _places_m(tiles: Sequence[PoolTile]) -> Floats:
    """Metres east and north of the tiles' middle, (n, 2)."""
    at = np.array([mercantile.ul(tile_from_id(tile.tile_id)) for tile in tiles])
    middle = at.mean(axis=0)
    east, north = metres_per_degree(middle[1])
    return np.asarray((at - middle) * [float(east), float(north)])


def _even(group: Floats) -> Floats:
    """Centred and with a total variance of 1; what is unknown (NaN) lies in the middle."""
    known = np.asarray(~np.isnan(group).any(axis=1), dtype=np.bool_)
    if not known.any():
        return np.zeros_like(group)
    centred = np.where(known[:, None], group - group[known].mean(axis=0), 0.0)
    spread = float(np.sqrt(centred[known].var(axis=0).sum()))
    return np.asarray(centred / spread) if spread > 0 else np.zeros_like(group)


def _token() -> str:
    return secrets.token_urlsafe(16)


def _without_picture(project: Project, tile_ids: set[str]) -> int:
    query = "SELECT tile_id FROM queue WHERE token IN (SELECT what FROM pictures)"
    with project.store.reading() as connection:
        return len(tile_ids - set(connection.exec_driver_sql(query).scalars()))
