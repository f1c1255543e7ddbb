"""training.notes: `training.json`: how and on what machine a run learns, and how long it took."""

from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from geodata.errors import InputError
from geodata.files import write_text_atomic
from training.checkpoint import FILE, noted
from training.device import Precision, choose_precision, describe
from training.learnt import FILE as LEARNT
from training.learnt import times_of

NOTES = "training.json"


class NetTime(BaseModel):
    """What one net has taken so far."""

    model_config = ConfigDict(frozen=True)

    steps: int
    seconds: float


class Notes(BaseModel):
    """The file; machine and device are those of the last session."""

    model_config = ConfigDict(frozen=True)

    precision: str
    why: str
    device: str
    machine: str
    nets: dict[str, NetTime] = {}

    @property
    def seconds(self) -> float:
        """Of all steps of all nets, those of earlier sessions included."""
        return sum(net.seconds for net in self.nets.values())


def begin_notes(out: Path, wanted_precision: str, device: torch.device, threads: int) -> Notes:
    """Decide the precision, or take up the one that `auto` meant when the run began, and write it down.

    Raises:
        InputError: if the file is broken.
    """
    path = out / NOTES
    before = _read(path) if path.exists() else None
    precision = choose_precision(wanted_precision, device)
    if before is not None and wanted_precision == "auto":
        precision = Precision(before.precision, before.why)
    nets = before.nets if before else {}
    notes = Notes(
        precision=precision.name,
        why=precision.why,
        device=str(device),
        machine=describe(device, threads),
        nets=nets,
    )
    _write(path, notes)
    return notes


def note_times(out: Path) -> Notes:
    """Write down what each net has taken so far, as its checkpoints and the finished net say.

    Folds may learn side by side in two processes, so nothing is added up from one of them alone.
    """
    nets = {}
    for path in sorted(out.glob(f"*/*/{LEARNT}")):
        for count, far in enumerate(times_of(path.parent), 1):
            stage = path.parent if count == 1 else path.parent / f"stage{count}"
            nets[stage.relative_to(out).as_posix()] = NetTime(steps=far.step, seconds=far.seconds)
    for path in sorted(out.glob(f"*/**/{FILE}")):  # a stage lies in the folder of the one before it
        far = noted(path.parent)
        nets[path.parent.relative_to(out).as_posix()] = NetTime(steps=far.step, seconds=far.seconds)
    notes = _read(out / NOTES).model_copy(update={"nets": nets})
    _write(out / NOTES, notes)
    return notes


def _read(path: Path) -> Notes:
    try:
        return Notes.model_validate_json(path.read_bytes())
    except ValidationError:
        raise InputError(f"{path} is broken; remove it and run the same command again.") from None


def _write(path: Path, notes: Notes) -> None:
    write_text_atomic(path, notes.model_dump_json(indent=2) + "\n")
