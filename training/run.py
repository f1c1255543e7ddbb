"""training.run: a whole run: the folds, the threshold from them, the net on everything, the bundle.

What takes long lies in the run's folder (`fold1/seed0/`, ..., `final/seed0/`) with checkpoints: the same
command goes on where it was stopped.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from detection.bundle import GRAPH, Figure, write_card
from detection.evaluate.matching import Look
from detection.evaluate.sample import Sample
from detection.evaluate.visible import seen_kilns
from detection.runtime import OnnxRuntime
from detection.scan import Detector, scan, window_plan
from geodata.files import write_bytes_atomic
from geodata.labels.check import FILE as CHECKED
from geodata.labels.check import contradictions, write_contradictions
from training.bands import in_words
from training.card import begun_from, card_of, how_unseen, training_data_of
from training.choose import UNSEEN, Chosen, Told, choose
from training.config import RunConfig
from training.device import choose_device
from training.export import Weights, export
from training.folds import Fold
from training.held_out import About, keep_held_out, part_sample
from training.learn import Run, Setting, learn, opened, parts_of, plan
from training.notes import NOTES, begin_notes, note_times
from training.parts import check_positives
from training.progress import Progress

__all__ = ["Setting", "train"]

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
    with opened(config, base, out, setting, progress) as run:
        check_positives(parts_of(run))
        run = _begun(run)
        progress.plan(plan(run))
        parts: list[Sample] = []
        for number, fold in enumerate(run.split.folds, 1):
            if setting.only_fold in (None, number):
                folder = out / f"fold{number}"
                parts += _score(run, learn(run, fold, folder), fold, number, folder)
        if setting.only_fold is not None:
            only = choose(_looks(parts), 1, _told(run))
            _write_figures(out / f"fold{setting.only_fold}" / "figures.json", only.figures)
            return None
        # before the net on everything learns, which takes long: folds that found nothing end the run here
        chosen = choose(_looks(parts), len(run.split.folds), _told(run)) if parts else None
        weights = learn(run, None, out / "final")
        if chosen is None:
            parts = _score(run, weights, run.split.everything(), 0, out / "final")
            chosen = choose(_looks(parts), 0, _told(run))
        if run.split.folds:
            keep_held_out(out, parts, _about(run, chosen), run.scenes)
        export(weights, out / "bundle", config.model.views)
        write_card(out / "bundle", card_of(run, chosen, typical_length_m(parts, chosen.threshold)))
        hours = note_times(out).seconds / 3600
        progress.say(f"{hours:.2f} hours of learning in all: {out / NOTES}.")
    return out / "bundle"


def _begun(run: Run) -> Run:
    """The run with its device and precision, which are noted and told."""
    config, setting = run.config, run.setting
    device = choose_device(setting.device)
    notes = begin_notes(run.out, config.fit.precision, device, setting.threads)
    run.progress.say(f"Learning on {notes.machine} in {notes.precision} ({notes.why}).")
    if (origin := begun_from(run)) is not None:
        run.progress.say(in_words(origin.card.bands, config.data.bands))
        if (seen := how_unseen(run)) != UNSEEN:
            run.progress.say(f"The figures of this run will say: {seen}.")
    return replace(run, device=notes.device, precision=notes.precision)


def _score(run: Run, weights: list[Weights], fold: Fold, number: int, folder: Path) -> list[Sample]:
    """A fold's net on the fold's own parts, by the very code that `kilnlight detect` runs."""
    export(weights, folder, run.config.model.views)
    detector = Detector(
        card_of(run, _NOT_CHOSEN), folder.name, OnnxRuntime(folder / GRAPH, run.setting.threads)
    )
    parts, doubts = [], []
    for name in fold.owned:
        scene = run.scenes[name]
        result = scan(scene, detector, window_plan(scene.info, detector.card))
        part = part_sample(scene, result, run.labels, fold, number, run.lands[name])
        parts.append(part)
        kilns = run.labels.kilns
        asked = fold.owns(name, scene.info.grid, kilns.boxes.lon, kilns.boxes.lat)
        asked &= seen_kilns(scene, kilns.boxes).visible
        found = part.detections
        doubts += contradictions(kilns, asked, found.boxes, found.score, (name, scene.info.grid))
    if fold.ground:
        write_contradictions(folder / CHECKED, doubts)
    return parts


def _looks(parts: list[Sample]) -> list[Look]:
    return [look for part in parts for look in part.looks()]


def _told(run: Run) -> Told:
    return Told(run.setting.command, how_unseen(run))


def _about(run: Run, chosen: Chosen) -> About:
    data, setting, seen = run.config.data, run.setting, how_unseen(run)
    return About(
        run.config.model.name,
        chosen.threshold,
        chosen.how,
        tuple(one.name for one in training_data_of(run)),
        data.attribution,
        setting.command,
        setting.now,
        () if seen == UNSEEN else (f"{seen[0].upper()}{seen[1:]}.",),
    )


def typical_length_m(parts: list[Sample], threshold: float) -> float | None:
    """Median length of what was found at the threshold; None where nothing was. See `detection.zoom`."""
    lengths = [part.detections.boxes.length_m[part.detections.score >= threshold] for part in parts]
    found = np.concatenate([np.empty(0), *lengths])
    return round(float(np.median(found)), 1) if len(found) else None


def _write_figures(path: Path, figures: tuple[Figure, ...]) -> None:
    write_bytes_atomic(path, TypeAdapter(tuple[Figure, ...]).dump_json(figures, indent=2))
