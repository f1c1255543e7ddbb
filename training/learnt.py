"""training.learnt: a net that has gone through its stages, in one file; found there, it is not learnt again.

It is a quarter of a checkpoint, and stands alone: who has the files of all folds can make a run's figures
again without its hours of learning.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from geodata.errors import InputError
from geodata.files import atomic_path
from training.checkpoint import FILE as CHECKPOINT
from training.checkpoint import Noted
from training.export import Weights
from training.identity import Settings, differences

FILE = "net.safetensors"


@dataclass(frozen=True)
class Learnt:
    """A net after some of its stages."""

    weights: Weights
    times: tuple[Noted, ...]
    """What each stage took."""


def save_learnt(folder: Path, net: Learnt, stages: Sequence[Settings]) -> None:
    """Write a net with the settings of each stage that it went through.

    Raises:
        InputError: if the disk takes no more; the file before is whole.
    """
    notes = {
        "stages": json.dumps([dict(one) for one in stages], sort_keys=True),
        "times": json.dumps([[one.step, round(one.seconds, 3)] for one in net.times]),
    }
    path = folder / FILE
    try:
        with atomic_path(path) as temporary:
            save_file({k: v.detach().cpu().contiguous() for k, v in net.weights.items()}, temporary, notes)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} could not be written ({error}); make room and run the same command again, it goes on "
            "from the last checkpoint."
        ) from error


def load_learnt(folder: Path, stages: Sequence[Settings]) -> Learnt | None:
    """The folder's net, where it has gone through the first of these stages, and no others.

    None where there is no file, or where it is of other settings and checkpoints lie there to be taken up.

    Raises:
        InputError: if it is broken, or of other settings and there is no checkpoint.
    """
    path = folder / FILE
    if not path.exists():
        return None
    then, times, weights = _read(path)
    changed = [differences(old, new) for old, new in zip(then, stages, strict=False)]
    if len(then) <= len(stages) and not any(changed):
        return Learnt(weights, times)
    if (folder / CHECKPOINT).exists():
        return None
    what = next((one for one in changed if one), f"it went through {len(then)} stages and not {len(stages)}")
    raise InputError(
        f"{path} was made with other settings: {what}; put them back, or choose another output folder."
    )


def times_of(folder: Path) -> tuple[Noted, ...]:
    """What each stage of the folder's net took; empty where there is none.

    Raises:
        InputError: if it is broken.
    """
    path = folder / FILE
    return _read(path, with_tensors=False)[1] if path.exists() else ()


def _read(
    path: Path, with_tensors: bool = True
) -> tuple[list[Mapping[str, object]], tuple[Noted, ...], Weights]:
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
            weights = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}
        times = tuple(Noted(int(step), float(seconds)) for step, seconds in json.loads(notes["times"]))
        return json.loads(notes["stages"]), times, weights
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} is cut short or broken ({error}); remove it, and the same command goes on from its "
            "checkpoints or begins this net anew."
        ) from error
