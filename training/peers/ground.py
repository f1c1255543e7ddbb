"""training.peers.ground: the own net's scenes, labels and folds, for whoever is compared with it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from detection.evaluate.matching import Found, Look
from detection.evaluate.visible import seen_kilns
from detection.scan import Scan
from geodata.scene import Scene
from training.config import RunConfig, read_config
from training.data import Labels, open_scenes, read_labels
from training.folds import Fold, folds_of
from training.scenes import Mask, TrainingScene, load


@dataclass(frozen=True)
class Ground:
    """What a run file names, opened."""

    config: RunConfig
    labels: Labels
    scenes: dict[str, Scene]
    folds: list[Fold]

    def held_out(self, fold: Fold) -> dict[str, Mask]:
        """The fold's own pixels, by scene; scenes without any are left out."""
        masks = {name: fold.held_back(name, scene.info.grid, 0) for name, scene in self.scenes.items()}
        return {name: mask for name, mask in masks.items() if mask.any()}

    def lessons(self, fold: Fold) -> list[TrainingScene]:
        """All scenes without the fold's ground and the gap beside it."""
        out = []
        for name, scene in self.scenes.items():
            held = fold.held_back(name, scene.info.grid, self.config.folds.gap_px)
            if not held.all():
                out.append(
                    load(
                        scene,
                        self.labels.whole,
                        *self.labels.ignored(),
                        held,
                        ignore_radius_m=self.config.data.ignore_radius_m,
                    )
                )
        return [scene for scene in out if scene.weight.any()]

    def look(self, fold: Fold, one: Scan) -> Look:
        """A scan's detections on the fold's own ground, with what there was to find."""
        name, grid, kilns = one.info.name, one.info.grid, self.labels.kilns.boxes
        mine = fold.owns(name, grid, one.boxes.lon, one.boxes.lat)
        found = Found(one.boxes.lon[mine], one.boxes.lat[mine], one.scores[mine])
        visible = seen_kilns(self.scenes[name], kilns).visible
        truth = self.labels.truth(fold.owns(name, grid, kilns.lon, kilns.lat), visible)
        return Look(found, truth, one.observed.km2 * fold.share(name, grid))


@contextmanager
def opened(run_file: Path) -> Iterator[Ground]:
    """Labels read, scenes open, folds checked. Raises `InputError` as their readers."""
    config = read_config(run_file)
    labels = read_labels(config.data, run_file.parent)
    with ExitStack() as stack:
        scenes = open_scenes(config.data, run_file.parent, labels, stack)
        folds = folds_of(config.folds, {name: s.info.grid for name, s in scenes.items()})
        yield Ground(config, labels, scenes, folds)
