"""training.checkpoint: the whole state of a run in one safetensors file, so that it can go on; no pickle."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from geodata.errors import InputError
from geodata.files import atomic_path
from training.false_alarms import FalseAlarmMemory
from training.identity import Settings, differences
from training.net import KilnNet

FILE = "checkpoint.safetensors"


@dataclass
class State:
    """All that changes while a net is trained."""

    step: int
    net: KilnNet
    ema: AveragedModel
    adam: torch.optim.AdamW
    rng: np.random.Generator
    memory: FalseAlarmMemory
    seconds: float = 0.0
    """Time that the steps have taken so far."""

    @property
    def device(self) -> torch.device:
        """Where the net learns."""
        return next(self.net.parameters()).device


@dataclass(frozen=True)
class Noted:
    """How far a net has come."""

    step: int
    seconds: float


def save_checkpoint(folder: Path, state: State, settings: Settings) -> None:
    """Write `checkpoint.safetensors` whole or not at all.

    Raises:
        InputError: if the disk takes no more; the checkpoint before is whole.
    """
    tensors: dict[str, Tensor] = {}
    tensors |= {f"net.{k}": v for k, v in state.net.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in state.ema.state_dict().items()}
    for index, values in state.adam.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{k}": torch.as_tensor(v) for k, v in values.items()}
    tensors |= {f"memory.{k}": torch.from_numpy(v) for k, v in enumerate(state.memory.scores)}
    # a copy of each, since safetensors refuses two names for one storage
    tensors = {k: v.detach().cpu().clone(memory_format=torch.contiguous_format) for k, v in tensors.items()}
    notes = {
        "step": str(state.step),
        "seconds": f"{state.seconds:.3f}",
        "rng": json.dumps(state.rng.bit_generator.state),
        "configuration": json.dumps(dict(settings), sort_keys=True),
    }
    path = folder / FILE
    before = "the one before it is whole" if path.exists() else "there is none before it"
    try:
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, metadata=notes)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"The checkpoint {path} of step {state.step} could not be written ({_reason(error)}), {before}; "
            "make room and run the same command again, it goes on from there."
        ) from error


def load_checkpoint(folder: Path, state: State, settings: Settings) -> None:
    """Fill `state` from the folder's checkpoint, if there is one.

    Raises:
        InputError: if it was made with other settings, data or weights to start from, or is broken.
    """
    path = folder / FILE
    if not path.exists():
        return
    notes, tensors = _read(path)
    changed = differences(json.loads(notes["configuration"]), settings)
    if changed:
        raise InputError(
            f"{path} was made with other settings: {changed}; put them back, or choose another output folder."
        )
    try:
        _fill(state, notes, tensors)
    except (KeyError, RuntimeError, ValueError):
        raise InputError(
            f"{path} holds a net of another version's form; finish it with that version, or choose another "
            "output folder."
        ) from None


def noted(folder: Path) -> Noted:
    """How far the folder's checkpoint has come; step 0 where there is none.

    Raises:
        InputError: if it is broken.
    """
    path = folder / FILE
    if not path.exists():
        return Noted(0, 0.0)
    notes, _ = _read(path, with_tensors=False)
    return Noted(int(notes["step"]), float(notes.get("seconds", 0.0)))


def _read(path: Path, with_tensors: bool = True) -> tuple[Mapping[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()} if with_tensors else {}
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"The checkpoint {path} is cut short or broken ({_reason(error)}); remove it, and the same"
            " command begins this net anew."
        ) from error
    if not {"step", "rng", "configuration"} <= set(notes):
        raise InputError(f"{path} is no checkpoint of `kilnlight train`; remove it or choose another folder.")
    return notes, tensors


def _fill(state: State, notes: Mapping[str, str], tensors: dict[str, Tensor]) -> None:
    state.step = int(notes["step"])
    state.seconds = float(notes.get("seconds", 0.0))
    state.rng.bit_generator.state = json.loads(notes["rng"])
    state.net.load_state_dict(_part(tensors, "net."))
    state.ema.load_state_dict(_part(tensors, "ema."))
    adam: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "adam.").items():
        index, name = key.split(".", 1)
        adam.setdefault(int(index), {})[name] = value
    # moves each to the device of its parameter
    state.adam.load_state_dict({"state": adam, "param_groups": state.adam.state_dict()["param_groups"]})
    for k, scores in enumerate(state.memory.scores):
        scores[:] = tensors[f"memory.{k}"].numpy()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
