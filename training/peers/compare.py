"""training.peers.compare: the tries on some folds for a share of the budget, then the best on all folds, whole.

Everything lies in the output folder, fold by fold: the same command goes on where it was stopped.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from detection.bundle import Figure
from detection.evaluate.matching import Look
from detection.frames import detection_rows, with_ids
from detection.scan import Scan
from geodata.errors import InputError
from geodata.files import write_text_atomic
from geodata.tables.detections import boxes_of, read_detections, write_detections
from training import fit as own
from training.choose import NAMES, choose
from training.crops import CropOptions, CropSampler
from training.fit import FitOptions
from training.folds import Fold
from training.peers import fit as peer
from training.peers.ground import Ground
from training.peers.look import scan
from training.peers.nets import build, parameters_of
from training.peers.run_folder import write_held_out
from training.peers.tries import Tries, Try
from training.scenes import TrainingScene

RESULT = "result.json"
_FOUND = "detections.parquet"

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
    """Processor time of the training of each fold, augmentation included, scoring not."""
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
    """For how long, on which folds and with how many views a try is run."""

    folds: tuple[int, ...]
    share: float
    views: int
    threads: int


def compare(tries: Tries, ground: Ground, out: Path, threads: int, say: Say) -> list[Result]:
    """All tries on the folds of the comparison, the best (by average precision) first."""
    plan = Plan(tries.compare_folds or _all(ground), tries.compare_share, tries.compare_views, threads)
    results = [run_try(one, ground, out / one.name, plan, say)[0] for one in tries.tries]
    return sorted(results, key=lambda result: -result.value("average_precision"))


def run_best(tries: Tries, one: Try, ground: Ground, out: Path, threads: int, say: Say) -> Result:
    """One try on all folds with the whole budget; also writes its held-out detections as a run folder."""
    result, scans = run_try(one, ground, out / one.name, Plan(_all(ground), 1.0, tries.views, threads), say)
    write_held_out(out / one.name, one.name, result.threshold, scans, ground.config.data.bands)
    return result


def run_try(one: Try, ground: Ground, out: Path, plan: Plan, say: Say) -> tuple[Result, list[Scan]]:
    """Train and score a try; its result, and one scan per scene with what was found on held-out ground.

    Raises:
        InputError: for a fold that there is not, or an output folder of other settings.
    """
    steps = max(round(one.steps * plan.share), 1)
    looks: list[Look] = []
    scans: list[Scan] = []
    for number in plan.folds:
        if number > len(ground.folds):
            raise InputError(f"There is no fold {number}; the run file has {len(ground.folds)}.")
        fold, folder = ground.folds[number - 1], out / f"fold{number}"
        found = _fold(one, ground, fold, folder, steps, plan, say)
        looks += [ground.look(fold, part) for part in found]
        scans += found
    result = Result(
        name=one.name,
        parameters=parameters_of(build(one, len(ground.config.data.bands))),
        folds=plan.folds,
        steps=steps,
        cpu_seconds=tuple(peer.cpu_seconds(out / f"fold{number}") for number in plan.folds),
        views=plan.views,
        **_figures(looks, len(plan.folds)),
    )
    write_text_atomic(out / RESULT, result.model_dump_json(indent=1) + "\n")
    say(in_words(result))
    return result, _joined(scans)


def _figures(looks: Sequence[Look], folds: int) -> dict[str, object]:
    try:
        chosen = choose(looks, folds)
    except InputError:
        return {"threshold": 1.0, "figures": ()}
    return {"threshold": chosen.threshold, "figures": chosen.figures}


def _fold(one: Try, ground: Ground, fold: Fold, folder: Path, steps: int, plan: Plan, say: Say) -> list[Scan]:
    """What a net that has not seen the fold's ground finds on it, scene by scene."""
    # the averaged net is asked again where only the scoring is missing
    net = peer.fit(
        _lesson(one, ground, ground.lessons(fold), steps, plan.threads), folder, _steps(folder, steps, say)
    )
    masks, path = ground.held_out(fold), folder / f"{plan.views}-views.{_FOUND}"
    if not path.exists():
        say(f"{folder}: looking at {', '.join(masks)}")
        began = time.process_time()
        found = [scan(ground.scenes[name], net, one, mask, plan.views) for name, mask in masks.items()]
        rows = [
            detection_rows(part, np.full(len(part.scores), np.nan, np.float32), one.name) for part in found
        ]
        write_detections(path, with_ids(rows))
        say(f"{folder}: looked, {time.process_time() - began:.0f} s of processor time")
    # always from the file, so that a run that was stopped gives the same figures
    return [_read(path, ground, fold, name) for name in masks]


def _lesson(one: Try, ground: Ground, scenes: list[TrainingScene], steps: int, threads: int) -> peer.Lesson:
    section = ground.config.fit
    options = FitOptions(
        steps=steps,
        batch=section.batch,
        learning_rate=one.learning_rate,
        weight_decay=section.weight_decay,
        ema_decay=section.ema_decay,
        checkpoint_every=section.checkpoint_every,
        seed=section.seed,
        threads=threads,
    )
    return peer.Lesson(scenes, one, options, CropOptions(**ground.config.crops.model_dump()))


def _steps(folder: Path, steps: int, say: Say) -> peer.Report:
    began, first = time.process_time(), [-1]

    def report(step: int, loss: float) -> None:
        if first[0] < 0:
            first[0] = step - 1
        if step % 50 == 0 or step == steps:
            cost = (time.process_time() - began) / (step - first[0])
            say(f"{folder}: step {step} of {steps}, loss {loss:.3f}, {cost:.2f} s of processor time a step")

    return report


def _read(path: Path, ground: Ground, fold: Fold, name: str) -> Scan:
    """The detections of a fold on its own ground of one scene."""
    from detection.coverage import Observed
    from geodata.tiles import observed_shares

    info = ground.scenes[name].info
    rows = read_detections(path)
    rows = rows[rows["scene_id"] == info.scene_id]
    boxes, scores = boxes_of(rows), rows["score"].to_numpy(np.float64)
    mine = np.flatnonzero(fold.owns(name, info.grid, boxes.lon, boxes.lat))
    return Scan(info, boxes, scores, Observed(observed_shares(ground.scenes[name]))).take(mine)


def _joined(scans: Sequence[Scan]) -> list[Scan]:
    """One scan per scene: folds may share a scene."""
    from detection.scan import concatenate

    out: dict[str, Scan] = {}
    for one in scans:
        parts = [one] if one.info.name not in out else [out[one.info.name], one]
        boxes, scores = concatenate([(part.boxes, part.scores) for part in parts])
        out[one.info.name] = Scan(one.info, boxes, scores, one.observed)
    return list(out.values())


def _all(ground: Ground) -> tuple[int, ...]:
    return tuple(range(1, len(ground.folds) + 1))


def in_words(result: Result) -> str:
    """One line."""
    if not result.figures:
        return f"{result.name}: nothing was found"
    names = ("average_precision", "f1", "precision", "recall", "false_per_1000_km2", "centre_error_m")
    values = ", ".join(f"{NAMES[name]} {result.value(name):.3f}" for name in names)
    folds = ", ".join(map(str, result.folds))
    minutes = sum(result.cpu_seconds) / 60
    return (
        f"{result.name} ({result.parameters / 1e6:.1f} M parameters): folds {folds}, {result.steps} steps, "
        f"{minutes:.0f} processor minutes, {result.views} views: {values}"
    )


def measure(tries: Tries, ground: Ground, threads: int, say: Say, steps: int = 6) -> None:
    """Processor seconds a step of the own net and of each try, in turns, and the steps that cost the same."""
    scenes = ground.lessons(ground.folds[0])[:1]
    crops, budget = CropOptions(**ground.config.crops.model_dump()), ground.config.fit.steps
    torch.set_num_threads(threads)
    options = FitOptions(batch=ground.config.fit.batch, threads=threads)
    state = own.start(options, scenes, None)
    state.net.train()
    ours = CropSampler(scenes, crops, state.memory)
    turns = {"": lambda: own.step_once(state, ours, options)}
    for one in tries.tries:
        turns[one.name] = _turn(_lesson(one, ground, scenes, budget, threads))
    spent: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(steps + 1):
        for name, turn in turns.items():
            began = time.process_time()
            turn()
            spent[name].append(time.process_time() - began)
    # the first step of each pays for what the later ones find ready
    cost = {name: float(np.median(values[1:])) for name, values in spent.items()}
    say(f"the own net: {cost['']:.3f} s a step, {budget} steps")
    for one in tries.tries:
        size = parameters_of(build(one, len(ground.config.data.bands))) / 1e6
        say(
            f"{one.name} ({size:.1f} M): {cost[one.name]:.3f} s a step, so {budget * cost[''] / cost[one.name]:.0f} steps"
        )


def _turn(lesson: peer.Lesson) -> Callable[[], tuple[float, float]]:
    state = peer.start(lesson)
    state.net.train()
    sampler = CropSampler(lesson.scenes, lesson.crops, state.memory)
    return lambda: peer.step_once(state, sampler, lesson)


def read_result(path: Path) -> Result:
    """A result that was written. Raises `InputError` where there is none."""
    try:
        return Result.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise InputError(f"{path} holds no result; run the comparison first.") from None
