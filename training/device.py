"""training.device: which processor learns and how precisely; decided by what it is, never by a timing."""

import platform
from dataclasses import dataclass
from typing import Any

import torch

from geodata.errors import InputError


@dataclass(frozen=True)
class Precision:
    """`fp32`, or `bf16` (autocast: weights and losses stay float32), and why."""

    name: str
    why: str


def choose_device(wanted: str) -> torch.device:
    """The device that `--device` names; `auto` is the first of CUDA, MPS and the CPU that is there.

    Raises:
        InputError: for a device that torch does not know or that this machine lacks.
    """
    there = _there()
    if wanted == "auto":
        return torch.device(there[0])
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise InputError(f"--device {wanted} is no device; this machine has {', '.join(there)}.") from None
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type not in there or (device.index or 0) >= count:
        raise InputError(
            f"--device {wanted} is not there; torch {torch.__version__} finds {', '.join(there)} here."
        )
    return device


def _there() -> list[str]:
    out = ["cuda"] if torch.cuda.is_available() else []
    return [*out, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]


def choose_precision(wanted: str, device: torch.device) -> Precision:
    """What `precision` in the run file means on a device.

    `auto` takes bf16 where the processor multiplies it itself (CUDA from compute capability 8.0, CPUs with
    AVX512-BF16 or AMX), else fp32. It asks for instructions and times nothing: two runs on one machine must
    not take two ways because something else was running.
    """
    if wanted != "auto":
        return Precision(wanted, "as the run file says")
    if device.type == "cuda":
        has = torch.cuda.get_device_capability(device) >= (8, 0)
        return _by(has, "compute capability 8.0 or more", "a compute capability below 8.0")
    if device.type == "cpu":
        can = _cpu_capabilities()
        has = bool(can.get("avx512_bf16") or can.get("amx_bf16"))
        return _by(has, "a CPU with bf16 instructions", "a CPU without bf16 instructions")
    return Precision("fp32", f"bf16 was never measured on {device.type}")


def _by(has: bool, why_bf16: str, why_fp32: str) -> Precision:
    return Precision("bf16", why_bf16) if has else Precision("fp32", why_fp32)


def _cpu_capabilities() -> dict[str, Any]:
    # older torch cannot tell; fp32 is right everywhere
    ask = getattr(torch.cpu, "get_capabilities", None)
    return dict(ask()) if ask else {}


def describe(device: torch.device, threads: int) -> str:
    """The machine in a few words, for the run's notes."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}"
    cpu = _cpu_capabilities().get("cpu_name") or platform.processor() or platform.machine()
    kind = f"{device.type} of {cpu}" if device.type != "cpu" else f"{cpu}"
    return f"{kind} ({torch.backends.cpu.get_cpu_capability()}), {threads} threads, torch {torch.__version__}"
