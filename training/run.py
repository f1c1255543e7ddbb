"""training.run: a whole run: the folds, the threshold from them, the net on everything, the bundle.

What takes long lies in the run's folder (`fold1/seed0/`, ..., `final/seed0/`) with checkpoints: the same
command goes on where it was stopped.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from detection.bundle import GRAPH, Card, Domain, Figure, TrainingData, load_bundle, write_card
from detection.evaluate.matching import Found, Look
from detection.evaluate.visible import seen_kilns
from detection.runtime import OnnxRuntime
from detection.scan import Detector, scan, window_plan
from geodata.files import write_bytes_atomic
from geodata.scene import Scene
from training.bands import in_words
from training.choose import Chosen, choose
from training.config import RunConfig
from training.device import choose_device
from training.export import Weights, export
from training.folds import Fold
from training.learn import Run, Setting, learn, opened, parts_of, plan
from training.notes import NOTES, begin_notes, note_times
from training.parts import check_positives
from training.progress import Progress
from training.scenes import NORMALISATION

_NOT_CHOSEN = Chosen(0.5, "not chosen yet")


def train(config: RunConfig, base: Path, out: Path, setting: Setting, progress: Progress) -> Path | None:
    """Run a whole training and write the bundle to `out/bundle`.

    Args:
        config: the checked run file.
        base: the folder that the run file's paths start from.
        out: where checkpoints, logs and the bundle go.
        setting: threads, commit, time, weights to start from.
        progress: is told of all nets, of each step, and how they are trained.

    Returns:
        The bundle's folder; None where only one fold was asked for.

    Raises:
        InputError: for labels, scenes or folds that cannot be used.
    """
    only = setting.only_fold
    device = choose_device(setting.device)
    with opened(config, base, out, setting, progress) as run:
        check_positives(parts_of(run))
        notes = begin_notes(out, config.fit.precision, device, setting.threads)
        run = replace(run, device=notes.device, precision=notes.precision)
        progress.say(f"Learning on {notes.machine} in {notes.precision} ({notes.why}).")
        if setting.init is not None:
            progress.say(in_words(load_bundle(setting.init).card.bands, config.data.bands))
        progress.plan(plan(run))
        looks: list[Look] = []
        for number, fold in enumerate(run.folds, 1):
            if only in (None, number):
                folder = out / f"fold{number}"
                looks += _look(run, learn(run, fold, folder), fold, folder)
        if only is not None:
            _write_figures(out / f"fold{only}" / "figures.json", choose(looks, 1).figures)
            return None
        weights = learn(run, None, out / "final")
        if not looks:
            looks = _look(run, weights, _everything(run.scenes), out / "final")
        chosen = choose(looks, len(run.folds))
        export(weights, out / "bundle", config.model.views)
        write_card(out / "bundle", _card(run, chosen))
        hours = note_times(out).seconds / 3600
        progress.say(f"{hours:.2f} hours of learning in all: {out / NOTES}.")
    return out / "bundle"


def _look(run: Run, weights: list[Weights], fold: Fold, folder: Path) -> list[Look]:
    """A fold's net on the fold's own parts, by the very code that `kilnlight detect` runs."""
    export(weights, folder, run.config.model.views)
    detector = Detector(
        _card(run, _NOT_CHOSEN), folder.name, OnnxRuntime(folder / GRAPH, run.setting.threads)
    )
    looks = []
    for name in fold.spans:
        scene = run.scenes[name]
        grid = scene.info.grid
        result = scan(scene, detector, window_plan(scene.info, detector.card))
        mine = fold.owns(name, grid, result.boxes.lon, result.boxes.lat)
        found = Found(result.boxes.lon[mine], result.boxes.lat[mine], result.scores[mine])
        kilns = run.labels.kilns.boxes
        truth = run.labels.truth(
            fold.owns(name, grid, kilns.lon, kilns.lat), seen_kilns(scene, kilns).visible
        )
        looks.append(Look(found, truth, result.observed.km2 * fold.share(name, grid)))
    return looks


def _everything(scenes: dict[str, Scene]) -> Fold:
    return Fold({name: (0, s.info.grid.width) for name, s in scenes.items()})


def _card(run: Run, chosen: Chosen) -> Card:
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
