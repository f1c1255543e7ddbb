"""training.run: a whole run: folds, threshold and calibration from them, the net on everything, the bundle.

Everything that takes long lies in the run's folder (`fold1/`, ..., `final/`) with checkpoints: the same
command goes on where it was stopped.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from torch import Tensor

from detection.bundle import Calibration, Card, Domain, Figure, TrainingData, write_card
from detection.evaluate.matching import Found, Truth
from detection.normalise import BOX_PX, CLIP, FLAT
from detection.runtime import OnnxRuntime
from detection.scan import Detector, scan, window_plan
from geodata.scene import Scene
from training import choose
from training.choose import HeldOut
from training.config import RunConfig
from training.crops import CropOptions
from training.data import Labels, open_scenes, read_labels
from training.export import GRAPH, export, load_weights
from training.fit import FitOptions, fit
from training.folds import Fold, folds_of
from training.scenes import TrainingScene, load

Progress = Callable[[str, int, int, float], None]
"""Called after each step with (what is trained, step, steps, mean loss)."""


@dataclass(frozen=True)
class Setting:
    """What a run is given from outside: who runs it, on what, and when."""

    threads: int
    commit: str
    now: datetime
    init: Path | None = None
    only_fold: int | None = None
    """Train and score just this fold (from 1), to compare settings."""


@dataclass(frozen=True)
class Chosen:
    """What the held-out parts decided."""

    threshold: float
    how: str
    calibration: Calibration | None
    figures: tuple[Figure, ...]


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
        folds = folds_of(config.folds, {name: s.info.grid for name, s in scenes.items()})
        held_out: list[HeldOut] = []
        for number, fold in enumerate(folds, 1):
            if setting.only_fold not in (None, number):
                continue
            weights = _fit(config, scenes, labels, fold, out / f"fold{number}", setting, progress)
            held_out += _predict(config, weights, scenes, labels, fold, out / f"fold{number}", setting)
        if setting.only_fold is not None:
            _write_figures(out, held_out)
            return None
        weights = _fit(config, scenes, labels, None, out / "final", setting, progress)
        bundle = out / "bundle"
        export(weights, bundle, config.model.views)
        if not held_out:
            held_out = _predict(config, weights, scenes, labels, _everything(scenes), out / "final", setting)
        chosen = _choose(held_out, len(folds))
        write_card(bundle, _card(config, scenes, labels, chosen, setting))
    return bundle


def _fit(
    config: RunConfig, scenes: dict[str, Scene], labels: Labels, fold: Fold | None, folder: Path, setting: Setting,
    progress: Progress,
) -> dict[str, Tensor]:
    steps = (config.fit.final_steps if fold is None else None) or config.fit.steps
    fit_options = FitOptions(
        steps=steps, batch=config.fit.batch, learning_rate=config.fit.learning_rate,
        weight_decay=config.fit.weight_decay, ema_decay=config.fit.ema_decay,
        checkpoint_every=config.fit.checkpoint_every, seed=config.fit.seed, threads=setting.threads,
    )
    init = load_weights(setting.init / "model.safetensors") if setting.init else None
    return fit(
        _load(config, scenes, labels, fold), folder, fit_options, CropOptions(**config.crops.model_dump()), init=init,
        report=lambda step, heat, regression: progress(folder.name, step, steps, heat + regression),
    )


def _load(
    config: RunConfig, scenes: dict[str, Scene], labels: Labels, fold: Fold | None
) -> list[TrainingScene]:
    out = []
    for name, scene in scenes.items():
        held = fold.held_back(name, scene.info.grid, config.folds.gap_px) if fold else None
        if held is not None and held.all():
            continue
        loaded = load(
            scene, labels.whole, labels.ignore_lon, labels.ignore_lat, held,
            ignore_radius_m=config.data.ignore_radius_m,
        )
        if loaded.weight.any():
            out.append(loaded)
    return out


def _predict(
    config: RunConfig, weights: dict[str, Tensor], scenes: dict[str, Scene], labels: Labels, fold: Fold, folder: Path,
    setting: Setting,
) -> list[HeldOut]:
    """Run a fold's net over its own parts, by the very code that `kilnlight detect` runs."""
    export(weights, folder, config.model.views)
    card = _bare_card(config, setting)
    detector = Detector(card, folder.name, OnnxRuntime(folder / GRAPH, setting.threads))
    out = []
    for name in fold.spans:
        scene = scenes[name]
        grid = scene.info.grid
        result = scan(scene, detector, window_plan(scene.info, card))
        mine = np.flatnonzero(fold.owns(name, grid, result.boxes.lon, result.boxes.lat))
        truth = labels.truth()
        inside = fold.owns(name, grid, truth.kiln_lon, truth.kiln_lat) & _within(grid.pixel, grid.height, truth)
        kilns = Truth(
            truth.kiln_lon[inside], truth.kiln_lat[inside], truth.kiln_ignored[inside], truth.place_lon, truth.place_lat
        )
        area = result.observed.km2 * fold.share(name, grid)
        out.append(HeldOut(result.boxes.take(mine), result.scores[mine], kilns, area))
    return out


def _within(pixel: Callable[..., tuple[np.ndarray, np.ndarray]], height: int, truth: Truth) -> np.ndarray:
    _, row = pixel(truth.kiln_lon, truth.kiln_lat)
    return (row >= 0) & (row < height)


def _everything(scenes: dict[str, Scene]) -> Fold:
    return Fold({name: (0, s.info.grid.width) for name, s in scenes.items()})


def _choose(held_out: list[HeldOut], folds: int) -> Chosen:
    found, truth, area = choose.pool(held_out)
    threshold = choose.choose_threshold(found, truth)
    if not folds:
        return Chosen(threshold, "best F1 on the training scenes themselves (no folds): flattering", None, ())
    protocol = f"{folds}-fold over the training scenes, pooled; each part scored by a net that has not seen it"
    figures = choose.figures(found, truth, area, threshold, protocol, "kilnlight train RUN.toml")
    how = f"best pooled F1 at 100 m over {folds} held-out folds"
    return Chosen(threshold, how, choose.calibrate(found, truth), tuple(figures))


def _bare_card(config: RunConfig, setting: Setting) -> Card:
    return _card(config, {}, None, Chosen(0.5, "not chosen yet", None, ()), setting)


def _card(
    config: RunConfig, scenes: dict[str, Scene], labels: Labels | None, chosen: Chosen, setting: Setting
) -> Card:
    model = config.model
    area = sum(s.info.grid.area_km2() for s in scenes.values())
    return Card(
        name=model.name,
        architecture=f"KilnNet: anchor-free oriented detector at stride 2, mean of {model.views} mirrored views",
        bands=config.data.bands,
        normalisation=f"mean and spread in {BOX_PX} px boxes, flat below {FLAT} of the scene's spread, clip {CLIP}",
        threshold=chosen.threshold,
        threshold_chosen=chosen.how,
        candidate_floor=min(model.candidate_floor, chosen.threshold),
        domain=Domain(area=model.area, months=model.months, products=model.products),
        unvalidated=model.unvalidated,
        calibration=chosen.calibration,
        training_data=(
            TrainingData(
                name=config.data.name, kilns=len(labels.whole) if labels else 0, area_km2=round(area, 1),
                licence=config.data.licence, attribution=config.data.attribution,
            ),
        ),
        licence=model.licence,
        figures=chosen.figures,
        commit=setting.commit,
        created_at=setting.now,
        files={},
    )


def _write_figures(out: Path, held_out: list[HeldOut]) -> None:
    found, truth, area = choose.pool(held_out)
    threshold = choose.choose_threshold(found, truth)
    lines = choose.figures(found, truth, area, threshold, "one fold, at its own best threshold", "kilnlight train --fold")
    choose.write_figures(out / "fold_figures.json", lines)


__all__ = ["Found", "Setting", "train"]
