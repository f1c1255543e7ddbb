"""training.peers.fit: the own net's training with another net: the same crops, optimiser, mean of weights."""

import csv
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from geodata.files import write_bytes_atomic
from training.checkpoint import State, load_checkpoint, save_checkpoint
from training.crops import Crop, CropOptions, CropSampler, FalseAlarmMemory
from training.fit import FitOptions, learning_rate
from training.identity import identity
from training.peers.lesson import target
from training.peers.nets import Alarm, build, losses_of, upsampled
from training.peers.tries import Try
from training.scenes import TrainingScene

LOG = "log.csv"
_COLUMNS = ("step", "classification_loss", "box_loss", "learning_rate", "cpu_seconds")
_LOG_EVERY = 10

Report = Callable[[int, float], None]
"""Called after each step with (step, loss)."""


@dataclass(frozen=True)
class Lesson:
    """What a peer learns, and how."""

    scenes: list[TrainingScene]
    one: Try
    fit: FitOptions
    crops: CropOptions


def start(lesson: Lesson) -> State:
    """Random weights, empty memories."""
    torch.manual_seed(lesson.fit.seed)
    net = build(lesson.one, bands=lesson.scenes[0].pixels.shape[0])
    average = get_ema_multi_avg_fn(lesson.fit.ema_decay)  # type: ignore[no-untyped-call]  # torch's
    ema = AveragedModel(net, multi_avg_fn=average, use_buffers=True)
    adam = torch.optim.AdamW(
        net.parameters(), lr=lesson.fit.learning_rate, weight_decay=lesson.fit.weight_decay
    )
    memory, rng = FalseAlarmMemory.empty(lesson.scenes), np.random.default_rng(lesson.fit.seed)
    return State(0, net, ema, adam, rng, memory)  # type: ignore[arg-type]  # any net's state is kept so


def step_once(state: State, sampler: CropSampler, lesson: Lesson) -> tuple[float, float]:
    """One step of the optimiser; returns the classification loss and the rest."""
    o, up = lesson.fit, lesson.one.up
    crops = [sampler.draw(state.rng) for _ in range(o.batch)]
    pixels = upsampled(torch.stack([crop.pixels for crop in crops]), up)
    classification, box = losses_of(state.net, pixels, [target(crop, up) for crop in crops])
    for group in state.adam.param_groups:
        group["lr"] = learning_rate(state.step, o)
    state.adam.zero_grad(set_to_none=True)
    (classification + box).backward()  # type: ignore[no-untyped-call]  # torch's
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), o.clip_norm)
    state.adam.step()
    state.ema.update_parameters(state.net)
    alarms: list[Alarm] = state.net.alarms  # type: ignore[assignment]
    remember(state.memory, crops, alarms)
    state.step += 1
    return float(classification.detach()), float(box.detach())


def remember(memory: FalseAlarmMemory, crops: list[Crop], alarms: list[Alarm]) -> None:
    """Note the strongest answer away from kilns, so that places that fool the net are seen again."""
    for crop, alarm in zip(crops, alarms, strict=True):
        if crop.scene >= 0:
            offset = np.array([alarm.col, alarm.row]) - crop.weight.shape[0] / 2
            place = np.array(crop.centre) + crop.matrix @ offset
            memory.remember(crop.scene, float(place[0]), float(place[1]), alarm.score)


def fit(lesson: Lesson, out: Path, report: Report | None = None) -> nn.Module:
    """Train, or go on from the checkpoint in `out`; the net with the averaged weights, in evaluation mode.

    Args:
        lesson: scenes and settings.
        out: folder for `checkpoint.safetensors` and `log.csv`, whose last column is processor time.
        report: called after each step.

    Raises:
        InputError: for a checkpoint of another configuration.
    """
    o = lesson.fit
    torch.set_num_threads(o.threads)
    out.mkdir(parents=True, exist_ok=True)
    state = start(lesson)
    settings = _settings(lesson)
    load_checkpoint(out, state, settings)
    spent = _cut_log(out / LOG, state.step) - time.process_time()
    sampler = CropSampler(lesson.scenes, lesson.crops, state.memory)
    state.net.train()
    while state.step < o.steps:
        losses = step_once(state, sampler, lesson)
        last = state.step == o.steps
        if last or state.step % _LOG_EVERY == 0:
            _write_log(
                out / LOG,
                (state.step, *losses, learning_rate(state.step - 1, o), spent + time.process_time()),
            )
        if last or state.step % o.checkpoint_every == 0:
            save_checkpoint(out, state, settings)
        if report:
            report(state.step, sum(losses))
    net: nn.Module = state.ema.module
    return net.eval()


def _settings(lesson: Lesson) -> dict[str, Any]:
    peer = {f"try.{name}": list(v) if isinstance(v, tuple) else v for name, v in asdict(lesson.one).items()}
    return identity(lesson.fit, lesson.crops, lesson.scenes, None) | peer


def cpu_seconds(out: Path) -> float:
    """Processor time of the steps that the folder's log holds; 0 without one."""
    rows = _rows(out / LOG)
    return float(rows[-1][-1]) if rows else 0.0


def _rows(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.reader(file) if len(row) == len(_COLUMNS)][1:]


def _cut_log(path: Path, step: int) -> float:
    """Take out the lines behind a step, which will be run again; processor time up to there."""
    rows = [row for row in _rows(path) if int(row[0]) <= step]
    if path.exists():
        write_bytes_atomic(path, "".join(",".join(row) + "\n" for row in (list(_COLUMNS), *rows)).encode())
    return float(rows[-1][-1]) if rows else 0.0


def _write_log(path: Path, values: tuple[float, ...]) -> None:
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(_COLUMNS)
        writer.writerow([int(values[0]), *(f"{value:.5g}" for value in values[1:-1]), f"{values[-1]:.1f}"])
