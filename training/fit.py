"""training.fit: the one training loop, plain enough to be read; seeds in, weights out, resumable."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from geodata.errors import InputError
from training.checkpoint import State, load_checkpoint, save_checkpoint
from training.crops import CropOptions, CropSampler
from training.curves import draw_curves
from training.cut import Crop
from training.false_alarms import FalseAlarmMemory
from training.identity import identity
from training.log import Log
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
    precision: str = "fp32"
    """Or `bf16`, see `training.device`."""
    threads: int = 1
    device: str = "cpu"


Report = Callable[[int, float, float], None]
"""Called after each step with (step, heat loss, regression loss)."""


class Watch(Protocol):
    """Looks at a net while it learns; decides nothing."""

    def __call__(self, net: nn.Module) -> tuple[float, ...]:
        """Figures in the order of `training.log.WATCHED_COLUMNS`, behind the step."""


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
    # drawn on the CPU, so that every device starts from the same weights
    net = KilnNet(bands=scenes[0].pixels.shape[0])
    if init is not None:
        net.load_state_dict(init)
    net = net.to(options.device).to(memory_format=torch.channels_last)
    average = get_ema_multi_avg_fn(options.ema_decay)  # type: ignore[no-untyped-call]  # torch's
    ema = AveragedModel(net, multi_avg_fn=average, use_buffers=True)
    adam = torch.optim.AdamW(net.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    return State(0, net, ema, adam, np.random.default_rng(options.seed), FalseAlarmMemory.empty(scenes))


def step_once(state: State, sampler: CropSampler, o: FitOptions) -> tuple[float, float]:
    """One step of the optimiser; returns the two losses."""
    crops = [sampler.draw(state.rng) for _ in range(o.batch)]
    targets = [draw_targets(c.kilns, c.weight) for c in crops]
    x = torch.stack([c.pixels for c in crops]).to(state.device, memory_format=torch.channels_last)
    if state.step >= o.doubt_after_share * o.steps:
        heats = averaged_heat(state.ema, x)
        targets = [doubted(target, seen) for target, seen in zip(targets, heats, strict=True)]
    output, heat, regression = answer(state.net, x, targets, o.precision)
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


def answer(net: KilnNet, x: Tensor, targets: list[Targets], precision: str) -> tuple[Tensor, Tensor, Tensor]:
    """The net's maps (n, 7, h, w; float32) and the two losses, on the device of `x`."""
    with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
        output = net(x)
    output = output.float()
    heat, regression = losses(output, targets)
    return output, heat, regression


def remember(memory: FalseAlarmMemory, crops: list[Crop], targets: list[Targets], output: Tensor) -> None:
    """Note the strongest answer away from kilns, so that places that fool the net are seen again."""
    answers = torch.sigmoid(output[:, 0].detach()).cpu()
    for crop, target, p in zip(crops, targets, answers, strict=True):
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
    watch: Watch | None = None,
    tensorboard: bool = False,
) -> dict[str, Tensor]:
    """Train, or go on training from the checkpoint in `out`; returns the averaged weights, on the CPU.

    Args:
        scenes: what to learn from, see `training.scenes.load`.
        out: folder for `checkpoint.safetensors`, `log.csv`, `watch.csv` and `curves.png`.
        fit_options: length, speed, seed, device.
        crop_options: augmentation.
        init: weights to start from.
        report: called after each step.
        watch: called with the averaged net at each checkpoint.
        tensorboard: also write event files, to `out/tensorboard`.

    Raises:
        InputError: for a checkpoint of another configuration, a full disk, or a loss that is no number.
    """
    torch.set_num_threads(fit_options.threads)
    out.mkdir(parents=True, exist_ok=True)
    for left_over in out.glob(".*.part.*"):  # of a run that was killed while it wrote
        left_over.unlink(missing_ok=True)
    state = start(fit_options, scenes, init)
    settings = identity(fit_options, crop_options, scenes, init)
    load_checkpoint(out, state, settings)
    sampler = CropSampler(scenes, crop_options, state.memory)
    state.net.train()
    with Log(out, state.step, tensorboard) as log:
        while state.step < fit_options.steps:
            began = time.monotonic()
            heat, regression = step_once(state, sampler, fit_options)
            _check_finite(state.step, heat + regression)
            log.step(state.step, heat, regression, learning_rate(state.step - 1, fit_options))
            last = state.step == fit_options.steps
            if last or state.step % fit_options.checkpoint_every == 0:
                if watch:
                    log.watched(state.step, watch(state.ema.module))
                log.sync()
                state.seconds += time.monotonic() - began
                save_checkpoint(out, state, settings)
                draw_curves(out)
            else:
                state.seconds += time.monotonic() - began
            if report:
                report(state.step, heat, regression)
    return {k: v.detach().cpu().clone().contiguous() for k, v in state.ema.module.state_dict().items()}


def _check_finite(step: int, loss: float) -> None:
    if not math.isfinite(loss):
        raise InputError(
            f"The loss of step {step} is {loss}: the net has come apart; lower [fit] learning_rate (or set "
            'precision = "fp32") and train into another folder.'
        )
