"""app.services.cutting: cuts the pictures of sites and queued tiles while the imagery is at hand."""

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.services.credits import credit
from app.services.imagery import Warn, find_scene, opened
from app.services.project import PICTURES, Project
from app.services.queueing import doubt
from geodata.files import write_new_files
from geodata.pictures import Frame, cut_picture, frame_around, frame_of_tile, stretch_of
from geodata.sources.files import FileScene
from geodata.store.imports import add_pictures
from geodata.store.incoming import Picture
from geodata.store.missing import Missing, missing_pictures
from geodata.tables.run import RunInput
from geodata.tiles import tile_from_id, tile_of

_AT_ONCE = 100
"""Pictures per event: what was cut stays when the rest is interrupted."""


@dataclass(frozen=True)
class CutOptions:
    """Where to look for imagery, and what to tell meanwhile."""

    folders: tuple[Path, ...]
    band_names: tuple[str, ...] | None
    warn: Warn
    progress: Callable[[int, int], None]
    """Called with the pictures done and the pictures in all."""


def cut_missing(
    project: Project,
    run_id: str,
    scenes: Sequence[RunInput],
    run_folder: Path,
    options: CutOptions,
    at: datetime,
    always: Collection[str] = (),
) -> int:
    """Cut the pictures that sites and queued tiles lack, where a run's scenes show them; how many were cut.

    `always` are sites that get a picture of their own however faint they are.

    A site gets a picture of its own if it has a detection at or near the threshold. There may be thousands of
    fainter candidates; they are shown with the picture of their tile.
    """
    missing = missing_pictures(project.store, [scene.scene_id for scene in scenes], run_id)
    wanted = {
        scene: _in_order(item for item in items if item.what in always or _is_worth_one(item))
        for scene, items in missing.items()
    }
    total, done = sum(len(items) for items in wanted.values()), 0
    for scene in scenes:
        items = wanted.get(scene.scene_id, [])
        path = find_scene(scene, run_folder, options.folders, options.warn) if items else None
        if path is None:
            continue
        with opened(path, options.band_names, options.warn) as raster:
            if raster is None:
                continue
            cutter = _Cutter(scene, raster)
            for first in range(0, len(items), _AT_ONCE):
                cut = [cutter.cut(item) for item in items[first : first + _AT_ONCE]]
                write_new_files(project.pictures, {Path(one.picture.path).name: one.png for one in cut})
                add_pictures(project.store, {one.what: one.picture for one in cut}, at)
                done += len(cut)
                options.progress(done, total)
    return done


def _is_worth_one(item: Missing) -> bool:
    return item.score >= item.threshold or doubt(item.score, item.threshold) > 0


def _in_order(items: Iterable[Missing]) -> list[Missing]:
    """By rows of tiles from the north: what lies close together shares the blocks of its file."""

    def row_and_column(item: Missing) -> tuple[int, int]:
        tile = tile_of(item.lon, item.lat) if item.tile_id is None else tile_from_id(item.tile_id)
        return tile.y, tile.x

    return sorted(items, key=row_and_column)


@dataclass(frozen=True)
class _Cut:
    """A picture before it is written, and what it shows."""

    what: str
    png: bytes
    picture: Picture


class _Cutter:
    """Cuts from one open scene, all pictures with the same contrast."""

    def __init__(self, scene: RunInput, raster: FileScene) -> None:
        self._scene, self._raster = scene, raster
        self._stretch = stretch_of(raster)
        year = None if scene.acquired_at is None else scene.acquired_at.year
        self._credit = credit(year, scene.made_up)

    def cut(self, item: Missing) -> _Cut:
        """Cut and describe one picture; its file gets a random name, which tells no place."""
        frame = _frame(item)
        # a volunteer's picture bears no date: the labelling page gives the credit for all of them together
        caption = self._credit if item.tile_id is None else None
        picture = cut_picture(self._raster, frame, stretch=self._stretch, caption=caption)
        path = f"{PICTURES}/{secrets.token_hex(16)}.png"
        return _Cut(item.what, picture.png, Picture(path, _corners(frame), self._scene.scene_id))


def _frame(item: Missing) -> Frame:
    if item.tile_id is not None:
        return frame_of_tile(tile_from_id(item.tile_id))
    return frame_around(item.lon, item.lat)


def _corners(frame: Frame) -> tuple[tuple[float, float], ...]:
    west, south, east, north = frame.west, frame.south, frame.east, frame.north
    return (west, north), (east, north), (east, south), (west, south)
