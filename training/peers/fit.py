"""training.peers.fit: the own net's training with another net: the same crops, optimiser, mean of weights."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.checkpoint import State, load_checkpoint, noted, save_checkpoint
from training.crops import CropOptions, CropSampler
from training.cut import Crop
from training.false_alarms import FalseAlarmMemory
from training.fit import FitOptions, learning_rate
from training.identity import Settings, identity
from training.log import Log
from training.peers.lesson import target
from training.peers.nets import Alarm, build, losses_of, upsampled
from training.peers.tries import Try
from training.scenes import TrainingScene

Report = Callable[[int, float], None]
"""Called after each step with (step, loss)."""

_NOT_LEARNT = ("name", "steps", "nms_iou")
"""Settings that the weights do not depend on: how long it learns is in `FitOptions`."""


@dataclass(frozen=True)
class Lesson:
    """What a peer learns, and how."""

    scenes: list[TrainingScene]
    one: Try
    fit: FitOptions
    crops: CropOptions

    def settings(self) -> Settings:
        """All that the weights depend on, for the checkpoint."""
        own = json.loads(json.dumps(asdict(self.one)))
        mine = {f"try.{name}": value for name, value in own.items() if name not in _NOT_LEARNT}
        return identity(self.fit, self.crops, self.scenes, None) | mine


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
        out: folder for `checkpoint.safetensors`, whose seconds are processor time, and `log.csv`, whose two
            losses are those of the classes and of the boxes.
        report: called after each step.

    Raises:
        InputError: for a checkpoint of another configuration, or a full disk.
    """
    o, settings = lesson.fit, lesson.settings()
    torch.set_num_threads(o.threads)
    out.mkdir(parents=True, exist_ok=True)
    state = start(lesson)
    load_checkpoint(out, state, settings)
    sampler = CropSampler(lesson.scenes, lesson.crops, state.memory)
    state.net.train()
    with Log(out, state.step) as log:
        while state.step < o.steps:
            began = time.process_time()
            losses = step_once(state, sampler, lesson)
            state.seconds += time.process_time() - began
            log.step(state.step, *losses, learning_rate(state.step - 1, o))
            if state.step == o.steps or state.step % o.checkpoint_every == 0:
                log.sync()
                save_checkpoint(out, state, settings)
            if report:
                report(state.step, sum(losses))
    net: nn.Module = state.ema.module
    return net.eval()


def cpu_seconds(out: Path) -> float:
    """Processor time of the steps that the folder's checkpoint has seen; 0 without one."""
    return noted(out).seconds
