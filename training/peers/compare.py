"""training.peers.compare: the tries on some folds for a share of the budget, then the best one for longer.

Everything lies in the output folder, fold by fold: the same command goes on where it was stopped.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from detection.bundle import Figure
from detection.evaluate.sample import Sample
from geodata.errors import InputError
from geodata.files import write_text_atomic
from training.choose import NAMES, choose
from training.crops import CropOptions
from training.fit import FitOptions
from training.peers import fit as peer
from training.peers.ground import Ground
from training.peers.look import scan
from training.peers.nets import build, parameters_of
from training.peers.tries import Tries, Try
from training.scenes import TrainingScene

RESULT = "result.json"
_CHECKPOINT_EVERY = 50

Say = Callable[[str], None]


class Result(BaseModel):
    """What a try reached, and what it took."""

    model_config = ConfigDict(frozen=True)

    name: str
    parameters: int
    folds: tuple[int, ...]
    steps: int
    """For each fold."""
    cpu_seconds: tuple[float, ...]
    """Processor time of each fold's training; augmentation counts, scoring does not."""
    views: int
    threshold: float
    """The best of the pool."""
    figures: tuple[Figure, ...]
    """Empty where nothing was found."""

    def value(self, field: str) -> float:
        """A figure by its field of `metrics.Scores`; 0 where there is none."""
        return next((f.value for f in self.figures if f.name == NAMES[field]), 0.0)


@dataclass(frozen=True)
class Plan:
    """On which folds, for how long and with how many views a try is run."""

    folds: tuple[int, ...]
    share: float
    views: int
    threads: int


def compare(tries: Tries, ground: Ground, out: Path, threads: int, say: Say) -> list[Result]:
    """All tries on the folds of the comparison, the best (by average precision) first."""
    folds = tries.compare_folds or ground.numbers
    plan = Plan(folds, tries.compare_share, tries.compare_views, threads)
    results = [run_try(one, ground, out / one.name, plan, say)[0] for one in tries.tries]
    return sorted(results, key=lambda result: -result.value("average_precision"))


def run_try(one: Try, ground: Ground, out: Path, plan: Plan, say: Say) -> tuple[Result, list[Sample]]:
    """Train and score a try; its result, and what it found on each fold's own ground.

    Raises:
        InputError: for a fold that there is not, or an output folder of other settings.
    """
    if set(plan.folds) - set(ground.numbers):
        raise InputError(f"There are no folds {plan.folds}; the run file has {len(ground.folds)}.")
    steps = max(round(one.steps * plan.share), 1)
    samples: list[Sample] = []
    for number in plan.folds:
        samples += _fold(one, ground, number, out / f"fold{number}", plan, say)
    threshold, figures = _figures(samples, len(plan.folds))
    result = Result(
        name=one.name,
        parameters=parameters_of(build(one, len(ground.config.data.bands))),
        folds=plan.folds,
        steps=steps,
        cpu_seconds=tuple(peer.cpu_seconds(out / f"fold{number}") for number in plan.folds),
        views=plan.views,
        threshold=threshold,
        figures=figures,
    )
    write_text_atomic(out / RESULT, result.model_dump_json(indent=1) + "\n")
    say(in_words(result))
    return result, samples


def _figures(samples: Sequence[Sample], folds: int) -> tuple[float, tuple[Figure, ...]]:
    try:
        chosen = choose([look for one in samples for look in one.looks()], folds)
    except InputError:  # it found nothing, which is a result
        return 1.0, ()
    return chosen.threshold, chosen.figures


def _fold(one: Try, ground: Ground, number: int, folder: Path, plan: Plan, say: Say) -> list[Sample]:
    """What a net that has not seen the fold's ground finds on it, scene by scene."""
    path = folder / f"held_out_{plan.views}_views.parquet"
    steps = max(round(one.steps * plan.share), 1)
    lesson = lesson_of(one, ground, list(ground.lessons(number)), steps, plan.threads)
    settings = json.dumps({**lesson.settings(), "nms_iou": one.nms_iou}, sort_keys=True)
    if not _made_with(path, settings):
        net = peer.fit(lesson, folder, _reporter(folder, steps, say))
        masks, began = ground.held_out(number), time.process_time()
        scans = [scan(ground.scenes[name], net, one, mask, plan.views) for name, mask in masks.items()]
        ground.keep(path, [ground.sample(number, found) for found in scans])
        write_text_atomic(path.with_suffix(".json"), settings)
        say(f"{folder}: looked at {', '.join(masks)}, {time.process_time() - began:.0f} processor seconds")
    # always from the file, so that a run that was stopped gives the same figures
    return ground.kept(path, number)


def _made_with(path: Path, settings: str) -> bool:
    """Whether a fold's table is there and was made with these settings; else the net is asked again."""
    note = path.with_suffix(".json")
    return path.exists() and note.exists() and note.read_text(encoding="utf-8") == settings


def lesson_of(one: Try, ground: Ground, scenes: list[TrainingScene], steps: int, threads: int) -> peer.Lesson:
    """What a try learns: the own net's batch, decay and crops, with its own rate and length.

    Weights are averaged over the same share of the run, or the mean of a short one would be its beginning.
    """
    section = ground.config.fit
    forgotten = (1 - section.ema_decay) * section.steps / steps
    options = FitOptions(
        steps=steps,
        batch=section.batch,
        learning_rate=one.learning_rate,
        weight_decay=section.weight_decay,
        ema_decay=max(1 - forgotten, 0.0),
        checkpoint_every=_CHECKPOINT_EVERY,
        seed=section.seed,
        threads=threads,
    )
    return peer.Lesson(scenes, one, options, CropOptions(**ground.config.crops.model_dump()))


def _reporter(folder: Path, steps: int, say: Say) -> peer.Report:
    def report(step: int, loss: float) -> None:
        if step % 50 == 0 or step == steps:
            say(f"{folder}: step {step} of {steps}, loss {loss:.3f}")

    return report


def in_words(result: Result) -> str:
    """One line."""
    size, minutes = result.parameters / 1e6, sum(result.cpu_seconds) / 60
    names = ("average_precision", "f1", "precision", "recall", "false_per_1000_km2", "centre_error_m")
    values = ", ".join(f"{NAMES[name]} {result.value(name):.3f}" for name in names)
    return (
        f"{result.name} ({size:.1f} M parameters): folds {', '.join(map(str, result.folds))}, "
        f"{result.steps} steps each, {minutes:.0f} processor minutes in all, {result.views} views: "
        f"{values if result.figures else 'nothing was found'}"
    )
