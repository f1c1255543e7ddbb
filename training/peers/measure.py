"""training.peers.measure: what a step of each try costs beside one of the own net."""

import time
from collections.abc import Callable
from itertools import islice

import numpy as np
import torch

from training import fit as own
from training.crops import CropOptions, CropSampler
from training.fit import FitOptions
from training.peers import fit as peer
from training.peers.compare import Say, lesson_of
from training.peers.ground import Ground
from training.peers.nets import build, parameters_of
from training.peers.tries import Tries
from training.scenes import TrainingScene

Turn = Callable[[], tuple[float, float]]


def measure(tries: Tries, ground: Ground, threads: int, say: Say, steps: int = 5) -> None:
    """Processor seconds a step, in turns since other work on the machine slows all, and steps of equal cost.

    The median of `steps`, after one that is not counted.
    """
    torch.set_num_threads(threads)
    scenes, budget = list(islice(ground.lessons(1), 1)), ground.config.fit.steps
    turns: dict[str, Turn] = {"": _own(ground, scenes, threads)}
    for one in tries.tries:
        turns[one.name] = _peer(lesson_of(one, ground, scenes, budget, threads))
    spent: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(steps + 1):
        for name, turn in turns.items():
            began = time.process_time()
            turn()
            spent[name].append(time.process_time() - began)
    cost = {name: float(np.median(values[1:])) for name, values in spent.items()}
    say(f"the own net: {cost['']:.3f} s a step, {budget} steps")
    for one in tries.tries:
        size = parameters_of(build(one, len(ground.config.data.bands))) / 1e6
        equal = budget * cost[""] / cost[one.name]
        say(f"{one.name} ({size:.1f} M): {cost[one.name]:.3f} s a step, so {equal:.0f} steps")


def _own(ground: Ground, scenes: list[TrainingScene], threads: int) -> Turn:
    options = FitOptions(batch=ground.config.fit.batch, threads=threads)
    state = own.start(options, scenes, None)
    state.net.train()
    sampler = CropSampler(scenes, CropOptions(**ground.config.crops.model_dump()), state.memory)
    return lambda: own.step_once(state, sampler, options)


def _peer(lesson: peer.Lesson) -> Turn:
    state = peer.start(lesson)
    state.net.train()
    sampler = CropSampler(lesson.scenes, lesson.crops, state.memory)
    return lambda: peer.step_once(state, sampler, lesson)
