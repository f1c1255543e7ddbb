"""training.data: the scenes and labels that a run file names, opened and checked."""

import glob
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detection.evaluate.matching import Truth
from geodata.errors import InputError
from geodata.grid import Floats
from geodata.labels.kilns import NO_PLACES, KilnLabels, Places, check_meet, read_kilns, read_places
from geodata.obb import Boxes
from geodata.scene import Scene
from geodata.sources.files import OpenOptions, open_with
from geodata.sources.inputs import check_scenes
from training.config import Data
from training.scenes import Mask


@dataclass(frozen=True)
class Labels:
    """What is known of the ground."""

    kilns: KilnLabels
    places: Places

    @property
    def whole(self) -> Boxes:
        """Kilns to learn: those that no scene's edge cuts."""
        return self.kilns.boxes.take(~self.kilns.cut_by_edge)

    def ignored(self) -> tuple[Floats, Floats]:
        """Longitudes and latitudes of what is not to be learnt: unverified places and cut kilns."""
        cut = self.kilns.boxes.take(self.kilns.cut_by_edge)
        return np.concatenate([self.places.lon, cut.lon]), np.concatenate([self.places.lat, cut.lat])

    def truth(self, inside: Mask, visible: Mask) -> Truth:
        """The kilns of a part, and all unverified places; ignored are cut kilns and those that were not seen.

        A cut kiln's centre may lie outside the scene that shows the rest of it, so all of them are kept.
        """
        taken = inside | self.kilns.cut_by_edge
        some = self.kilns.take(taken)
        ignored = some.cut_by_edge | ~visible[taken]
        return Truth(some.boxes.lon, some.boxes.lat, ignored, self.places.lon, self.places.lat)


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
    """Read kilns and unverified places. Raises `InputError` as their readers."""
    places = read_places(resolve(data.ignore, base)) if data.ignore else NO_PLACES
    return Labels(read_kilns(resolve(data.labels, base)), places)


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
    checked = check_scenes(paths, options)
    checked.raise_problems()
    scenes: dict[str, Scene] = {}
    for one in checked.good:
        if one.info.name in scenes:
            raise InputError(
                f"Two scenes are called {one.info.name}; rename one, folds know scenes by their names."
            )
        scenes[one.info.name] = stack.enter_context(open_with(one.path, options))
    check_meet(labels.kilns, [s.info.grid for s in scenes.values()], resolve(data.labels, base))
    return scenes
