"""app.cli.options: what several commands read from their options; no logic of their own."""

import os
from datetime import UTC, datetime

from geodata.errors import InputError


def band_names(text: str | None) -> tuple[str, ...] | None:
    """Names from `--bands red,green,blue`. Raises `InputError` for an empty or a double name."""
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise InputError(f"--bands {text!r} has an empty or a double name; write them like red,green,blue.")
    return names


def moment(text: str | None) -> datetime | None:
    """Time from `--acquired`, UTC where it names no zone. Raises `InputError` where it is no ISO 8601."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--acquired {text!r} is no time; write it like 2024-01-31T05:30:00Z.") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
