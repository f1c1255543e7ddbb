"""training.checkpoint: the whole state of a run in one safetensors file, so that it can go on; no pickle."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from geodata.errors import InputError
from geodata.files import atomic_path
from training.crops import FalseAlarmMemory
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


def _configuration(*options: Any) -> str:
    # how often to save and on how many threads to run may change between runs, what is learnt may not
    kept = [{k: v for k, v in asdict(o).items() if k not in ("checkpoint_every", "threads")} for o in options]
    return json.dumps(kept, sort_keys=True)


def save_checkpoint(folder: Path, state: State, *options: Any) -> None:
    """Write `checkpoint.safetensors` whole or not at all."""
    tensors: dict[str, Tensor] = {}
    tensors |= {f"net.{k}": v.contiguous() for k, v in state.net.state_dict().items()}
    tensors |= {f"ema.{k}": v.contiguous() for k, v in state.ema.state_dict().items()}
    for index, values in state.adam.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{k}": torch.as_tensor(v).contiguous() for k, v in values.items()}
    tensors |= {f"memory.{k}": torch.from_numpy(v.copy()) for k, v in enumerate(state.memory.scores)}
    tensors = {k: v.clone() for k, v in tensors.items()}
    notes = {
        "step": str(state.step),
        "rng": json.dumps(state.rng.bit_generator.state),
        "configuration": _configuration(*options),
    }
    with atomic_path(folder / FILE) as temporary:
        save_file(tensors, temporary, metadata=notes)


def load_checkpoint(folder: Path, state: State, *options: Any) -> None:
    """Fill `state` from the folder's checkpoint, if there is one.

    Raises:
        InputError: if it was made with other settings.
    """
    path = folder / FILE
    if not path.exists():
        return
    with safe_open(path, framework="pt") as file:
        notes = file.metadata()
        tensors = {k: file.get_tensor(k) for k in file.keys()}
    if notes["configuration"] != _configuration(*options):
        raise InputError(
            f"{path} was made with other settings than this run's; choose another output folder or delete it."
        )
    state.step = int(notes["step"])
    state.rng.bit_generator.state = json.loads(notes["rng"])
    state.net.load_state_dict(_part(tensors, "net."))
    state.ema.load_state_dict(_part(tensors, "ema."))
    adam: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "adam.").items():
        index, name = key.split(".", 1)
        adam.setdefault(int(index), {})[name] = value
    state.adam.load_state_dict({"state": adam, "param_groups": state.adam.state_dict()["param_groups"]})
    for k, scores in enumerate(state.memory.scores):
        scores[:] = tensors[f"memory.{k}"].numpy()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
