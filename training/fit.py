"""training.fit: the one training loop, plain enough to be read; seeds in, weights out, resumable."""

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from geodata.files import write_bytes_atomic
from training.checkpoint import State, load_checkpoint, save_checkpoint
from training.crops import Crop, CropOptions, CropSampler, FalseAlarmMemory
from training.net import STRIDE, KilnNet
from training.noise import averaged_heat, doubted
from training.scenes import TrainingScene
from training.targets import Targets, draw_targets, losses


@dataclass(frozen=True)
class FitOptions:
    """How long and how fast to learn."""

    steps: int = 2600
    """In all, over all cycles."""
    cycles: int = 1
    """The learning rate falls to zero once in each; every cycle starts at half the rate of the one before."""
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up_share: float = 0.04
    clip_norm: float = 5.0
    ema_decay: float = 0.998
    doubt_after_share: float = 1.0
    """From this share of the steps on labels that the averaged net contradicts count less; 1 is never."""
    checkpoint_every: int = 200
    seed: int = 0
    threads: int = 1


Report = Callable[[int, float, float], None]
"""Called after each step with (step, heat loss, regression loss)."""


def learning_rate(step: int, o: FitOptions) -> float:
    """Linear warm-up, then a cosine to zero; again in each cycle, half as high (SGDR, arXiv 1608.03983)."""
    length = math.ceil(o.steps / o.cycles)
    cycle, at = divmod(step, length)
    peak = o.learning_rate * 0.5**cycle
    warm = max(int(length * o.warm_up_share), 1)
    if at < warm:
        return peak * (at + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (at - warm) / max(length - warm, 1)))


def start(options: FitOptions, scenes: list[TrainingScene], init: dict[str, Tensor] | None) -> State:
    """A fresh state: new (or given) weights, empty memories."""
    torch.manual_seed(options.seed)
    net = KilnNet(bands=scenes[0].pixels.shape[0]).to(memory_format=torch.channels_last)
    if init is not None:
        net.load_state_dict(init)
    average = get_ema_multi_avg_fn(options.ema_decay)  # type: ignore[no-untyped-call]  # torch's
    ema = AveragedModel(net, multi_avg_fn=average, use_buffers=True)
    adam = torch.optim.AdamW(net.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    return State(0, net, ema, adam, np.random.default_rng(options.seed), FalseAlarmMemory.empty(scenes))


def step_once(state: State, sampler: CropSampler, o: FitOptions) -> tuple[float, float]:
    """One step of the optimiser; returns the two losses."""
    crops = [sampler.draw(state.rng) for _ in range(o.batch)]
    targets = [draw_targets(c.kilns, c.weight) for c in crops]
    x = torch.stack([c.pixels for c in crops]).contiguous(memory_format=torch.channels_last)
    if state.step >= o.doubt_after_share * o.steps:
        heats = averaged_heat(state.ema, x)
        targets = [doubted(target, seen) for target, seen in zip(targets, heats, strict=True)]
    output = state.net(x)
    heat, regression = losses(output, targets)
    for group in state.adam.param_groups:
        group["lr"] = learning_rate(state.step, o)
    state.adam.zero_grad(set_to_none=True)
    (heat + regression).backward()  # type: ignore[no-untyped-call]  # torch's
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), o.clip_norm)
    state.adam.step()
    state.ema.update_parameters(state.net)
    remember(state.memory, crops, targets, output)
    state.step += 1
    return float(heat.detach()), float(regression.detach())


def remember(memory: FalseAlarmMemory, crops: list[Crop], targets: list[Targets], output: Tensor) -> None:
    """Note the strongest answer away from kilns, so that places that fool the net are seen again."""
    answer = torch.sigmoid(output[:, 0].detach())
    for crop, target, p in zip(crops, targets, answer, strict=True):
        if crop.scene < 0:
            continue
        false = p * (target.weight > 0) * (target.heat < 0.05)
        at = int(false.argmax())
        cells = false.shape[1]
        offset = (np.array([at % cells, at // cells]) + 0.5) * STRIDE - cells * STRIDE / 2
        place = np.array(crop.centre) + crop.matrix @ offset
        memory.remember(crop.scene, float(place[0]), float(place[1]), float(false.max()))


def fit(
    scenes: list[TrainingScene],
    out: Path,
    fit_options: FitOptions,
    crop_options: CropOptions,
    *,
    init: dict[str, Tensor] | None = None,
    report: Report | None = None,
) -> dict[str, Tensor]:
    """Train, or go on training from the checkpoint in `out`; returns the averaged weights.

    Args:
        scenes: what to learn from, see `training.scenes.load`.
        out: folder for `checkpoint.safetensors` and `log.csv`.
        fit_options: length, speed, seed.
        crop_options: augmentation.
        init: weights to start from.
        report: called after each step.

    Raises:
        InputError: for a checkpoint of another configuration.
    """
    torch.set_num_threads(fit_options.threads)
    out.mkdir(parents=True, exist_ok=True)
    state = start(fit_options, scenes, init)
    load_checkpoint(out, state, fit_options, crop_options)
    cut_log(out / "log.csv", state.step)
    sampler = CropSampler(scenes, crop_options, state.memory)
    state.net.train()
    while state.step < fit_options.steps:
        heat, regression = step_once(state, sampler, fit_options)
        if report:
            report(state.step, heat, regression)
        write_log(out / "log.csv", state.step, heat, regression, learning_rate(state.step - 1, fit_options))
        if state.step % fit_options.checkpoint_every == 0 or state.step == fit_options.steps:
            save_checkpoint(out, state, fit_options, crop_options)
    return {k: v.detach().clone().contiguous() for k, v in state.ema.module.state_dict().items()}


def cut_log(path: Path, step: int) -> None:
    """Take out the lines behind a step: those steps will be run again."""
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        write_bytes_atomic(path, "".join(lines[: step + 1]).encode())


def write_log(path: Path, step: int, heat: float, regression: float, rate: float) -> None:
    """Append one line to the CSV log."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(["step", "heat_loss", "regression_loss", "learning_rate"])
        writer.writerow([step, f"{heat:.5f}", f"{regression:.5f}", f"{rate:.3g}"])
