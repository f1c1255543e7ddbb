"""training.run: a whole run: the folds, the threshold from them, the net on everything, the bundle.

What takes long lies in the run's folder (`fold1/seed0/`, ..., `final/seed0/`) with checkpoints: the same
command goes on where it was stopped.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from detection.bundle import GRAPH, WEIGHTS, Card, Domain, Figure, TrainingData, write_card
from detection.evaluate.lands import lands_of
from detection.evaluate.matching import Look
from detection.evaluate.sample import Sample
from detection.runtime import OnnxRuntime
from detection.scan import Detector, scan, window_plan
from detection.training_ground import block_of
from geodata.files import write_bytes_atomic
from geodata.labels.names import kiln_names
from geodata.scene import Scene
from training.choose import Chosen, choose
from training.config import RunConfig
from training.crops import CropOptions
from training.data import Labels, open_scenes, read_labels, resolve
from training.export import Weights, export, load_weights
from training.fit import FitOptions, fit
from training.folds import Fold, folds_of
from training.held_out import About, Names, keep_held_out, part_sample
from training.scenes import NORMALISATION, TrainingScene, load

Progress = Callable[[str, int, int, float], None]
"""Called after each step with (what is trained, step, steps, loss)."""

_NOT_CHOSEN = Chosen(0.5, "not chosen yet")


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
    command: str = "kilnlight train RUN.toml"
    """What the report names as the command."""


@dataclass(frozen=True)
class _Run:
    config: RunConfig
    out: Path
    setting: Setting
    labels: Labels
    names: Names
    scenes: dict[str, Scene]
    progress: Progress


def train(config: RunConfig, base: Path, out: Path, setting: Setting, progress: Progress) -> Path | None:
    """Run a whole training and write the bundle to `out/bundle`.

    Args:
        config: the checked run file.
        base: the folder that the run file's paths start from.
        out: where checkpoints, logs and the bundle go.
        setting: threads, commit, time, weights to start from.
        progress: called after each step.

    Returns:
        The bundle's folder; None where only one fold was asked for.

    Raises:
        InputError: for labels or scenes that cannot be used.
    """
    labels = read_labels(config.data, base)
    with ExitStack() as stack:
        scenes = open_scenes(config.data, base, labels, stack)
        run = _Run(config, out, setting, labels, _names(config, base, labels, scenes), scenes, progress)
        folds = folds_of(config.folds, {name: s.info.grid for name, s in scenes.items()})
        parts: list[Sample] = []
        for number, fold in enumerate(folds, 1):
            if setting.only_fold in (None, number):
                folder = out / f"fold{number}"
                parts += _score(run, _learn(run, fold, folder), fold, number, folder)
        if setting.only_fold is not None:
            _write_figures(
                out / f"fold{setting.only_fold}" / "figures.json", choose(_looks(parts), 1).figures
            )
            return None
        weights = _learn(run, None, out / "final")
        if not parts:
            parts = _score(run, weights, _everything(scenes), 0, out / "final")
        chosen = choose(_looks(parts), len(folds))
        if folds:
            keep_held_out(out, parts, _about(run, chosen), scenes)
        export(weights, out / "bundle", config.model.views)
        write_card(out / "bundle", _card(run, chosen))
    return out / "bundle"


def _learn(run: _Run, fold: Fold | None, folder: Path) -> list[Weights]:
    """The nets of a part, one for each seed, each in a folder of its own."""
    scenes = _training_scenes(run, fold)
    crops = CropOptions(**run.config.crops.model_dump())
    init = load_weights(run.setting.init / WEIGHTS) if run.setting.init else None
    nets = []
    for number in range(run.config.fit.nets):
        options = _fit_options(run, final=fold is None, number=number)
        name = f"{folder.name}/seed{options.seed}"

        def report(
            step: int, heat: float, regression: float, name: str = name, steps: int = options.steps
        ) -> None:
            run.progress(name, step, steps, heat + regression)

        nets.append(
            fit(
                scenes,
                folder / f"seed{options.seed}",
                options,
                crops,
                init=init[number % len(init)] if init else None,
                report=report,
            )
        )
    return nets


def _fit_options(run: _Run, final: bool, number: int) -> FitOptions:
    section = run.config.fit
    values = section.model_dump(exclude={"steps", "final_steps", "nets", "seed"})
    steps = (section.final_steps if final else None) or section.steps
    return FitOptions(steps=steps, threads=run.setting.threads, seed=section.seed + number, **values)


def _training_scenes(run: _Run, fold: Fold | None) -> list[TrainingScene]:
    out = []
    for name, scene in run.scenes.items():
        held = fold.held_back(name, scene.info.grid, run.config.folds.gap_px) if fold else None
        if held is not None and held.all():
            continue
        loaded = load(
            scene,
            run.labels.whole,
            *run.labels.ignored(),
            held,
            ignore_radius_m=run.config.data.ignore_radius_m,
        )
        if loaded.weight.any():
            out.append(loaded)
    return out


def _names(config: RunConfig, base: Path, labels: Labels, scenes: dict[str, Scene]) -> Names:
    lands = lands_of(((land, pattern) for pattern, land in config.data.land.items()), list(scenes))
    kilns = kiln_names(resolve(config.data.labels, base), len(labels.kilns.boxes))
    return Names(kilns, dict(zip(scenes, lands, strict=True)))


def _score(run: _Run, weights: list[Weights], fold: Fold, number: int, folder: Path) -> list[Sample]:
    """A fold's net on the fold's own parts, by the very code that `kilnlight detect` runs."""
    export(weights, folder, run.config.model.views)
    detector = Detector(
        _card(run, _NOT_CHOSEN), folder.name, OnnxRuntime(folder / GRAPH, run.setting.threads)
    )
    parts = []
    for name in fold.spans:
        scene = run.scenes[name]
        result = scan(scene, detector, window_plan(scene.info, detector.card))
        parts.append(part_sample(scene, result, run.labels, run.names, fold, number))
    return parts


def _looks(parts: list[Sample]) -> list[Look]:
    return [look for part in parts for look in part.looks()]


def _about(run: _Run, chosen: Chosen) -> About:
    data, setting = run.config.data, run.setting
    return About(
        run.config.model.name,
        chosen.threshold,
        chosen.how,
        data.name,
        data.attribution,
        setting.command,
        setting.now,
    )


def _everything(scenes: dict[str, Scene]) -> Fold:
    return Fold({name: (0, s.info.grid.width) for name, s in scenes.items()})


def _card(run: _Run, chosen: Chosen) -> Card:
    config, model = run.config, run.config.model
    area_km2 = sum(s.info.grid.area_km2() for s in run.scenes.values())
    grids = [s.info.grid for s in run.scenes.values()]
    boxes = run.labels.whole
    inside = np.any([_inside(*g.pixel(boxes.lon, boxes.lat), g.width, g.height) for g in grids], axis=0)
    return Card(
        name=model.name,
        architecture=_architecture(config.fit.nets, model.views),
        bands=config.data.bands,
        normalisation=NORMALISATION,
        heat_filter_m=model.heat_filter_m,
        threshold=chosen.threshold,
        threshold_chosen=chosen.how,
        candidate_floor=min(model.candidate_floor, chosen.threshold),
        domain=Domain(area=model.area, months=model.months, products=model.products),
        unvalidated=model.unvalidated,
        calibration=chosen.calibration,
        training_data=(
            TrainingData(
                name=config.data.name,
                kilns=int(inside.sum()),
                area_km2=round(area_km2, 1),
                licence=config.data.licence,
                attribution=config.data.attribution,
                blocks=tuple(block_of(name, s.info.grid) for name, s in run.scenes.items()),
            ),
        ),
        licence=model.licence,
        figures=chosen.figures,
        commit=run.setting.commit,
        created_at=run.setting.now,
        files={},
    )


def _architecture(nets: int, views: int) -> str:
    several = f"{nets} nets and " if nets > 1 else ""
    return f"KilnNet: anchor-free, oriented, stride 2; mean of {several}{views} mirrored views"


def _inside(col: np.ndarray, row: np.ndarray, width: int, height: int) -> np.ndarray:
    return (col >= 0) & (col < width) & (row >= 0) & (row < height)


def _write_figures(path: Path, figures: tuple[Figure, ...]) -> None:
    write_bytes_atomic(path, TypeAdapter(tuple[Figure, ...]).dump_json(figures, indent=2))
