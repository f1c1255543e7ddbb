"""training.learn: the nets of a run: what each learns from, for how long, from which weights."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import torch

from detection.bundle import WEIGHTS, load_bundle
from geodata.grid import Grid
from geodata.scene import Scene
from training.bands import for_bands
from training.checkpoint import noted
from training.config import RunConfig
from training.crops import CropOptions, CropSampler
from training.data import Labels, open_scenes, read_labels
from training.export import Weights, load_weights
from training.fit import FitOptions, fit, start, step_once
from training.folds import Fold, folds_of
from training.notes import note_times
from training.parts import PartCounts, count_parts
from training.progress import NetPlan, Progress
from training.scenes import Mask, TrainingScene, load
from training.watch import choose_tiles


@dataclass(frozen=True)
class Setting:
    """What a run is given from outside."""

    threads: int
    commit: str
    now: datetime
    init: Path | None = None
    """Bundle folder to start the weights from."""
    only_fold: int | None = None
    """Train and score just this fold (from 1), to compare settings."""
    device: str = "auto"
    tensorboard: bool = False


@dataclass(frozen=True)
class Run:
    """Everything that the parts of a run need."""

    config: RunConfig
    out: Path
    setting: Setting
    labels: Labels
    scenes: dict[str, Scene]
    folds: list[Fold]
    progress: Progress
    device: str
    precision: str


@contextmanager
def opened(config: RunConfig, base: Path, out: Path, setting: Setting, progress: Progress) -> Iterator[Run]:
    """Labels read, scenes open, folds checked. Raises `InputError` as the readers."""
    labels = read_labels(config.data, base)
    with ExitStack() as stack:
        scenes = open_scenes(config.data, base, labels, stack)
        folds = folds_of(config.folds, {name: s.info.grid for name, s in scenes.items()})
        yield Run(config, out, setting, labels, scenes, folds, progress, "cpu", "fp32")


def grids_of(run: Run) -> dict[str, Grid]:
    """The grid of each scene, by name."""
    return {name: scene.info.grid for name, scene in run.scenes.items()}


def parts_of(run: Run) -> list[PartCounts]:
    """Kilns and ground of each part that is to be trained."""
    parts = count_parts(run.folds, run.labels.whole, grids_of(run), run.config.folds.gap_px)
    only = run.setting.only_fold
    return parts if only is None else [parts[only - 1]]


def plan(run: Run) -> list[NetPlan]:
    """All nets in the order in which they learn, with what is done. Raises `InputError` as `noted`."""
    only = run.setting.only_fold
    names = [f"fold{n}" for n in range(1, len(run.folds) + 1) if only in (None, n)]
    names += ["final"] if only is None else []
    out = []
    for name in names:
        for number in range(run.config.fit.nets):
            options = _fit_options(run, final=name == "final", number=number)
            net = f"{name}/seed{options.seed}"
            out.append(NetPlan(net, options.steps, min(noted(run.out / net).step, options.steps)))
    return out


def learn(run: Run, fold: Fold | None, folder: Path) -> list[Weights]:
    """The nets of a part, one for each seed, each in a folder of its own."""
    scenes = _training_scenes(run, fold)
    init = _start_weights(run)
    watch = choose_tiles(_held_back(run, fold)) if fold else None
    nets = []
    for number in range(run.config.fit.nets):
        options = _fit_options(run, final=fold is None, number=number)
        place = folder / f"seed{options.seed}"
        name = f"{folder.name}/{place.name}"

        def report(step: int, heat: float, regression: float, name: str = name) -> None:
            run.progress.step(name, step, heat + regression)

        weights = fit(
            scenes,
            place,
            options,
            _crop_options(run),
            init=init[number % len(init)] if init else None,
            report=report,
            watch=watch,
            tensorboard=run.setting.tensorboard,
        )
        note_times(run.out)
        nets.append(weights)
    return nets


def _start_weights(run: Run) -> list[Weights] | None:
    if run.setting.init is None:
        return None
    have, want = load_bundle(run.setting.init).card.bands, run.config.data.bands
    return [for_bands(one, have, want) for one in load_weights(run.setting.init / WEIGHTS)]


def _crop_options(run: Run) -> CropOptions:
    return CropOptions(**run.config.crops.model_dump())


def _fit_options(run: Run, final: bool, number: int) -> FitOptions:
    section = run.config.fit
    values = section.model_dump(exclude={"steps", "final_steps", "nets", "seed", "precision"})
    return FitOptions(
        steps=(section.final_steps if final else None) or section.steps,
        seed=section.seed + number,
        precision=run.precision,
        threads=run.setting.threads,
        device=run.device,
        **values,
    )


def _training_scenes(run: Run, fold: Fold | None) -> list[TrainingScene]:
    out = []
    for name, scene in run.scenes.items():
        held = fold.held_back(name, scene.info.grid, run.config.folds.gap_px) if fold else None
        if held is not None and held.all():
            continue
        loaded = _load(run, scene, held)
        if loaded.weight.any():
            out.append(loaded)
    return out


def _held_back(run: Run, fold: Fold) -> Iterator[tuple[TrainingScene, Grid]]:
    """The fold's own parts, for `training.watch`."""
    for name in fold.spans:
        scene = run.scenes[name]
        grid = scene.info.grid
        yield _load(run, scene, ~fold.held_back(name, grid, gap_px=0)), grid


def _load(run: Run, scene: Scene, held_back: Mask | None) -> TrainingScene:
    ignored, radius_m = run.labels.ignored(), run.config.data.ignore_radius_m
    return load(scene, run.labels.whole, *ignored, held_back, ignore_radius_m=radius_m)


def time_steps(run: Run, steps: int) -> float:
    """Seconds a step of the first net, after one that is not timed."""
    first = run.folds[(run.setting.only_fold or 1) - 1] if run.folds else None
    scenes = _training_scenes(run, first)
    options, crops = _fit_options(run, final=first is None, number=0), _crop_options(run)
    torch.set_num_threads(options.threads)
    state = start(options, scenes, None)
    sampler = CropSampler(scenes, crops, state.memory)
    state.net.train()
    step_once(state, sampler, options)
    began = time.monotonic()
    for _ in range(steps):
        step_once(state, sampler, options)
    return (time.monotonic() - began) / steps
