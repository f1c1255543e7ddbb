"""training.data: the scenes and labels that a run file names, opened and checked."""

import glob
import os
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from detection.evaluate.matching import Truth
from geodata.errors import InputError
from geodata.grid import Floats
from geodata.labels.forms import ReadOptions
from geodata.labels.kilns import NO_PLACES, KilnLabels, Places, check_meet, join, read_places
from geodata.labels.read import read_labels as read_any
from geodata.obb import Boxes
from geodata.scene import Scene
from geodata.sources.files import OpenOptions
from geodata.sources.inputs import open_scenes_of
from geodata.tile_names import grid_of_name
from training.config import Data
from training.scenes import Lesson, Mask


@dataclass(frozen=True)
class Labels:
    """What is known of the ground."""

    kilns: KilnLabels
    places: Places
    negative_below: float = 0.05
    """Labels of a smaller probability are places without a kiln."""
    problems: tuple[str, ...] = ()
    """Broken rows that were left out."""

    @property
    def whole(self) -> Boxes:
        """Boxes of the kilns that somebody is sure of and that no scene's edge cuts."""
        return self.kilns.boxes.take(self.kilns.sure & ~self.kilns.cut_by_edge)

    @property
    def taught(self) -> Boxes:
        """Boxes that are learnt as kilns in scenes of their time: soft ones too, cut ones not."""
        likely = np.nan_to_num(self.kilns.probability) >= self.negative_below
        return self.kilns.boxes.take(likely & ~self.kilns.cut_by_edge)

    def ignored(self) -> tuple[Floats, Floats]:
        """Longitudes and latitudes of what is not scored: unverified places, soft labels, cut kilns."""
        cut = self.kilns.boxes.take(self.kilns.cut_by_edge & self.kilns.sure)
        places = self.places.and_these(self.kilns)
        return np.concatenate([places.lon, cut.lon]), np.concatenate([places.lat, cut.lat])

    def lesson(self, acquired_at: datetime | None) -> Lesson:
        """What the labels teach of a scene of that time (UTC); of an undated one those that hold always."""
        kilns = self.kilns
        at = np.datetime64("NaT") if acquired_at is None else np.datetime64(acquired_at.replace(tzinfo=None))
        holds = np.isnat(kilns.valid_from) | (kilns.valid_from <= at)
        known = holds & ~kilns.cut_by_edge & np.isfinite(kilns.probability)
        negative = known & (kilns.probability < self.negative_below)

        def places(mask: Mask) -> Places:
            return Places(kilns.boxes.lon[mask], kilns.boxes.lat[mask])

        unknown = places(~known)
        ignored = Places(
            np.concatenate([self.places.lon, unknown.lon]), np.concatenate([self.places.lat, unknown.lat])
        )
        return Lesson(kilns.take(known & ~negative), places(negative), ignored)

    def truth(self, there: Mask, visible: Mask) -> Truth:
        """The sure kilns of a part, and all places that nobody is sure of; a detection there does not count.

        Ignored are cut kilns and those that were not seen.
        """
        taken = there & self.kilns.sure
        some = self.kilns.take(taken)
        places = self.places.and_these(self.kilns)
        ignored = some.cut_by_edge | ~visible[taken]
        return Truth(some.boxes.lon, some.boxes.lat, ignored, places.lon, places.lat)


def resolve(pattern: str, base: Path) -> Path:
    """A path of the run file: `$NAME` from the environment, relative to the run file's folder.

    Raises:
        InputError: for a name that the environment does not have.
    """
    expanded = os.path.expandvars(os.path.expanduser(pattern))
    if "$" in expanded:
        raise InputError(
            f"The run file names {pattern}, but the environment does not set it; export it first."
        )
    return base / expanded


def read_labels(data: Data, base: Path) -> Labels:
    """Read kilns of all files, and unverified places. Raises `InputError` as their readers."""
    places = read_places(resolve(data.ignore, base)) if data.ignore else NO_PLACES
    options = ReadOptions(data.classes, data.skip_bad)
    read = [read_any(resolve(name, base), options) for name in data.labels]
    problems = tuple(problem for one in read for problem in one.problems)
    return Labels(join([one.labels for one in read]), places, data.negative_below, problems)


def border_px(name: str, data: Data) -> int:
    """How near to a scene's border nothing is learnt or scored: 0 but for published tiles."""
    return data.tile_border_px if grid_of_name(Path(name), 128, 128) is not None else 0


def open_scenes(data: Data, base: Path, labels: Labels, stack: ExitStack) -> dict[str, Scene]:
    """Open all scenes, by file name, in that order; they close with the stack.

    Raises:
        ProblemsError: with everything that is wrong with the files.
        InputError: for a pattern without a file, two files of one name, or labels that meet no scene.
    """
    paths: list[Path] = []
    for pattern in data.scenes:
        found = sorted(Path(p) for p in glob.glob(str(resolve(pattern, base))))
        if not found:
            raise InputError(f"No scene fits {pattern}; check [data] scenes in the run file.")
        paths += found
    options = OpenOptions(bands=data.bands, band_names=data.band_names)
    scenes: dict[str, Scene] = {}
    for scene in open_scenes_of(paths, options, stack):
        if scene.info.name in scenes:
            raise InputError(
                f"Two scenes are called {scene.info.name}; rename one, folds know scenes by their names."
            )
        scenes[scene.info.name] = scene
    check_meet(labels.kilns, [s.info.grid for s in scenes.values()], ", ".join(data.labels))
    return scenes
