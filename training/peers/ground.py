"""training.peers.ground: the own net's scenes, labels and folds, for whoever is compared with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from detection.coverage import Observed
from detection.evaluate.sample import Sample, join_samples, match_sample
from detection.scan import Scan
from geodata.errors import InputError
from geodata.scene import Scene
from geodata.tables.detections import boxes_of
from geodata.tables.held_out import read_held_out, write_held_out
from geodata.tiles import observed_shares
from training.config import RunConfig, read_config
from training.data import Labels
from training.folds import Fold
from training.held_out import held_out_table, part_sample
from training.scenes import Mask, TrainingScene, load
from training.split import Split, opened_data


@dataclass(frozen=True)
class Ground:
    """What a run file names, opened."""

    config: RunConfig
    labels: Labels
    scenes: dict[str, Scene]
    split: Split
    lands: dict[str, str | None]
    """Kind of land by scene."""
    _observed: dict[str, Observed] = field(default_factory=dict)

    @property
    def folds(self) -> list[Fold]:
        """In the order of the run file."""
        return self.split.folds

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of all folds, from 1."""
        return tuple(range(1, len(self.folds) + 1))

    def held_out(self, number: int) -> dict[str, Mask]:
        """The pixels that a fold owns, by scene; scenes without any are left out."""
        fold = self.folds[number - 1]
        return {name: ~self.split.not_scored(fold, name) for name in fold.owned}

    def lessons(self, number: int) -> Iterator[TrainingScene]:
        """All scenes without the fold's ground and the gap beside it; those without any are left out."""
        for name, scene in self.scenes.items():
            held = self.split.not_learnt(self.folds[number - 1], name)
            if not held.all():
                loaded = load(
                    scene,
                    self.labels.lesson(scene.info.acquired_at),
                    held,
                    ignore_radius_m=self.config.data.ignore_radius_m,
                    border_px=self.split.borders[name],
                )
                if loaded.weight.any():
                    yield loaded

    def observed(self, name: str) -> Observed:
        """How much of a scene's tiles can be seen; read once."""
        if name not in self._observed:
            self._observed[name] = Observed(observed_shares(self.scenes[name]))
        return self._observed[name]

    def sample(self, number: int, one: Scan) -> Sample:
        """A scan's detections on the fold's own ground, with what there was to find."""
        name = one.info.name
        fold = self.folds[number - 1]
        return part_sample(self.scenes[name], one, self.labels, fold, number, self.lands[name])

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
    config = read_config(run_file)
    with opened_data(config, run_file.parent) as data:
        if not data.split.folds:
            raise InputError(f"{run_file} has no folds to compare on; give it [folds].")
        yield Ground(config, data.labels, data.scenes, data.split, data.lands)
