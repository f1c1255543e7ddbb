"""training.peers.ground: the own net's scenes, labels and folds, for whoever is compared with it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detection.coverage import Observed
from detection.evaluate.lands import lands_of
from detection.evaluate.sample import Sample, join_samples, match_sample
from detection.scan import Scan
from geodata.labels.names import kiln_names
from geodata.scene import Scene
from geodata.tables.detections import boxes_of
from geodata.tables.held_out import read_held_out, write_held_out
from geodata.tiles import observed_shares
from training.config import RunConfig, read_config
from training.data import Labels, open_scenes, read_labels, resolve
from training.folds import Fold, folds_of
from training.held_out import Names, held_out_table, part_sample
from training.scenes import Mask, TrainingScene, load


@dataclass(frozen=True)
class Ground:
    """What a run file names, opened."""

    config: RunConfig
    labels: Labels
    names: Names
    scenes: dict[str, Scene]
    folds: list[Fold]
    _observed: dict[str, Observed] = field(default_factory=dict)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of all folds, from 1."""
        return tuple(range(1, len(self.folds) + 1))

    def held_out(self, number: int) -> dict[str, Mask]:
        """The pixels that a fold owns, by scene; scenes without any are left out."""
        fold = self.folds[number - 1]
        masks = {name: fold.held_back(name, scene.info.grid, 0) for name, scene in self.scenes.items()}
        return {name: mask for name, mask in masks.items() if mask.any()}

    def lessons(self, number: int) -> Iterator[TrainingScene]:
        """All scenes without the fold's ground and the gap beside it; those without any are left out."""
        fold = self.folds[number - 1]
        for name, scene in self.scenes.items():
            held = fold.held_back(name, scene.info.grid, self.config.folds.gap_px)
            if not held.all():
                ignored, radius_m = self.labels.ignored(), self.config.data.ignore_radius_m
                loaded = load(scene, self.labels.whole, *ignored, held, ignore_radius_m=radius_m)
                if loaded.weight.any():
                    yield loaded

    def observed(self, name: str) -> Observed:
        """How much of a scene's tiles can be seen; read once."""
        if name not in self._observed:
            self._observed[name] = Observed(observed_shares(self.scenes[name]))
        return self._observed[name]

    def sample(self, number: int, one: Scan) -> Sample:
        """A scan's detections on the fold's own ground, with what there was to find."""
        scene = self.scenes[one.info.name]
        return part_sample(scene, one, self.labels, self.names, self.folds[number - 1], number)

    def keep(self, path: Path, samples: list[Sample]) -> None:
        """Write what was found on a fold's ground, in the form of `held_out.parquet`."""
        sample = join_samples(samples)
        chances = np.full(len(sample.detections), np.nan)
        write_held_out(path, held_out_table(sample, match_sample(sample), chances))

    def kept(self, path: Path, number: int) -> list[Sample]:
        """A fold's part of a `held_out.parquet`, with what there was to find."""
        rows = read_held_out(path)
        rows = rows[rows["fold"] == number]
        out = []
        for name in self.held_out(number):
            mine = rows[rows["scene"] == name]
            score = mine["score"].to_numpy(np.float64)
            info = self.scenes[name].info
            out.append(self.sample(number, Scan(info, boxes_of(mine), score, self.observed(name))))
        return out


@contextmanager
def opened(run_file: Path) -> Iterator[Ground]:
    """Labels read, scenes open, folds checked. Raises `InputError` as their readers."""
    config, base = read_config(run_file), run_file.parent
    labels = read_labels(config.data, base)
    with ExitStack() as stack:
        scenes = open_scenes(config.data, base, labels, stack)
        folds = folds_of(config.folds, {name: s.info.grid for name, s in scenes.items()})
        lands = lands_of(((land, pattern) for pattern, land in config.data.land.items()), list(scenes))
        kilns = kiln_names(resolve(config.data.labels, base), len(labels.kilns.boxes))
        yield Ground(config, labels, Names(kilns, dict(zip(scenes, lands, strict=True))), scenes, folds)
