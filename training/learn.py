"""training.learn: the nets of a run: what each learns from, for how long, from which weights."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import torch

from detection.bundle import WEIGHTS, load_bundle
from geodata.errors import InputError
from geodata.grid import Grid
from geodata.scene import Scene
from training.bands import for_bands
from training.checkpoint import noted
from training.config import RunConfig
from training.crops import CropOptions, CropSampler
from training.data import Labels
from training.export import Weights, load_weights
from training.fit import FitOptions, fit, start, step_once
from training.folds import Fold
from training.identity import Settings, identity
from training.learnt import Learnt, load_learnt, save_learnt, times_of
from training.notes import note_times
from training.parts import PartCounts, count_parts
from training.progress import NetPlan, Progress
from training.scenes import Mask, TrainingScene, load
from training.split import Split, opened_data
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
    command: str = "kilnlight train RUN.toml"
    """What the report names as the command."""


@dataclass(frozen=True)
class Run:
    """Everything that the parts of a run need."""

    config: RunConfig
    out: Path
    setting: Setting
    labels: Labels
    scenes: dict[str, Scene]
    split: Split
    lands: dict[str, str | None]
    """Kind of land by scene."""
    progress: Progress
    device: str
    precision: str


@contextmanager
def opened(config: RunConfig, base: Path, out: Path, setting: Setting, progress: Progress) -> Iterator[Run]:
    """Labels read, scenes open, folds checked. Raises `InputError` as `opened_data`."""
    with opened_data(config, base) as data:
        folds, only = len(data.split.folds), setting.only_fold
        if only is not None and only > folds:
            raise InputError(f"There is no fold {only}: the run file has {folds} of them.")
        yield Run(
            config, out, setting, data.labels, data.scenes, data.split, data.lands, progress, "cpu", "fp32"
        )


def parts_of(run: Run) -> list[PartCounts]:
    """Kilns and ground of each part that is to be trained."""
    parts, only = count_parts(run.split, run.labels), run.setting.only_fold
    return parts if only is None else [parts[only - 1]]


def plan(run: Run) -> list[NetPlan]:
    """All nets in the order in which they learn, with what is done. Raises `InputError` as `noted`."""
    only = run.setting.only_fold
    names = [f"fold{n}" for n in range(1, len(run.split.folds) + 1) if only in (None, n)]
    names += ["final"] if only is None else []
    out = []
    for name in names:
        for number in range(run.config.fit.nets):
            stages = _stages(run, name, number)
            behind = len(times_of(run.out / stages[0].name))
            for count, stage in enumerate(stages):
                steps = stage.fit.steps
                done = steps if count < behind else min(noted(run.out / stage.name).step, steps)
                out.append(NetPlan(stage.name, steps, done))
    return out


def learn(run: Run, fold: Fold | None, folder: Path) -> list[Weights]:
    """The nets of a part, one for each seed, each in a folder of its own."""
    scenes = _training_scenes(run, fold)
    init = _start_weights(run)
    watch = choose_tiles(_held_back(run, fold)) if fold else None
    nets = []
    for number in range(run.config.fit.nets):
        weights = init[number % len(init)] if init else None
        stages = _stages(run, folder.name, number)
        home = run.out / stages[0].name
        settings = [_settings(stage, scenes, None if k else weights) for k, stage in enumerate(stages)]
        known = load_learnt(home, settings)
        times = known.times if known else ()
        weights = known.weights if known else weights
        for stage in stages[len(times) :]:

            def report(step: int, heat: float, regression: float, name: str = stage.name) -> None:
                run.progress.step(name, step, heat + regression)

            new = fit(
                scenes,
                run.out / stage.name,
                stage.fit,
                stage.crops,
                init=weights,
                report=report,
                watch=watch,
                tensorboard=run.setting.tensorboard,
            )
            weights = new if weights is None else blended(weights, new, stage.new_share)
            times = (*times, noted(run.out / stage.name))
            save_learnt(home, Learnt(weights, times), settings[: len(times)])
        note_times(run.out)
        assert weights is not None  # there is a first stage
        nets.append(weights)
    return nets


def _settings(stage: "_Stage", scenes: list[TrainingScene], init: Weights | None) -> Settings:
    """All that a stage's weights depend on beside those of the stage before it."""
    return {**identity(stage.fit, stage.crops, scenes, init), "new_share": stage.new_share}


@dataclass(frozen=True)
class _Stage:
    """What one net learns in one go; its name (`fold1/seed0`) is its folder's."""

    name: str
    fit: FitOptions
    crops: CropOptions
    new_share: float = 1.0


def blended(before: Weights, after: Weights, share: float) -> Weights:
    """Weights on the straight line between two, `share` of the way; counters are those after.

    What was learnt on other pictures is kept beside what was known (Wortsman et al. 2022, "Robust fine-tuning
    of zero-shot models", CVPR).
    """
    if share == 1.0:
        return after
    return {
        name: torch.lerp(before[name], new, share) if new.is_floating_point() else new
        for name, new in after.items()
    }


def _stages(run: Run, part: str, number: int) -> list[_Stage]:
    """`[fit]` with `[crops]`, then each of `[[stages]]`, which begins with the weights of the one before."""
    config, final = run.config, part == "final"
    first = _fit_options(run, final, number)
    name = f"{part}/seed{first.seed}"
    out = [_Stage(name, first, CropOptions(**config.crops.model_dump()))]
    for count, stage in enumerate(config.stages, 2):
        steps = (stage.final_steps if final else None) or stage.steps
        options = replace(first, steps=steps, cycles=1, learning_rate=stage.learning_rate)
        out.append(
            _Stage(f"{name}/stage{count}", options, CropOptions(**stage.crops.model_dump()), stage.new_share)
        )
    return out


def _start_weights(run: Run) -> list[Weights] | None:
    if run.setting.init is None:
        return None
    have, want = load_bundle(run.setting.init).card.bands, run.config.data.bands
    return [for_bands(one, have, want) for one in load_weights(run.setting.init / WEIGHTS)]


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
    for name in run.scenes:
        held = run.split.not_learnt(fold, name)
        if held.all():
            continue
        loaded = _load(run, name, held)
        if loaded.weight.any():
            out.append(loaded)
    if not out:
        raise InputError(
            "There is no valid pixel to learn from beside what is held back; check the scenes for nodata, "
            "or the folds."
        )
    return out


def _held_back(run: Run, fold: Fold) -> Iterator[tuple[TrainingScene, Grid]]:
    """The fold's own parts, for `training.watch`."""
    for name in fold.owned:
        yield _load(run, name, run.split.not_scored(fold, name)), run.split.grids[name]


def _load(run: Run, name: str, held_back: Mask) -> TrainingScene:
    scene = run.scenes[name]
    return load(
        scene,
        run.labels.lesson(scene.info.acquired_at),
        held_back,
        ignore_radius_m=run.config.data.ignore_radius_m,
        border_px=run.split.borders[name],
    )


def time_steps(run: Run, steps: int) -> float:
    """Seconds a step of the first net, after one that is not timed."""
    folds = run.split.folds
    first = folds[(run.setting.only_fold or 1) - 1] if folds else None
    scenes = _training_scenes(run, first)
    options = _fit_options(run, final=first is None, number=0)
    crops = CropOptions(**run.config.crops.model_dump())
    torch.set_num_threads(options.threads)
    state = start(options, scenes, None)
    sampler = CropSampler(scenes, crops, state.memory)
    state.net.train()
    step_once(state, sampler, options)
    began = time.monotonic()
    for _ in range(steps):
        step_once(state, sampler, options)
    return (time.monotonic() - began) / steps
