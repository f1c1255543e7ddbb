"""app.cli.options: what several commands read from their options; no logic of their own."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from geodata.errors import InputError

Scenes = Annotated[
    list[Path],
    typer.Argument(metavar="SCENE", help="Scenes, or folders of scenes.", show_default=False),
]
Model = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Model bundle, or a project: the model that it uses.",
        show_default="the one that comes along",
    ),
]
Bands = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="The files' bands in their order, where the files do not name them: red,green,blue",
    ),
]
AllowDamaged = Annotated[
    bool, typer.Option("--allow-damaged", help="Leave out pixels that do not decode instead of ending.")
]
Acquired = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help="Time of acquisition (UTC), where the files do not tell: 2024-01-31T05:30"
    ),
]
Zoom = Annotated[
    float | None,
    typer.Option(
        min=1,
        max=3,
        metavar="FACTOR",
        help="Show the model the land enlarged, for kilns smaller than those that it learnt.",
        show_default="chosen outside the model's area, by a first look",
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", show_default="all cores", help="Threads.")]

Classes = Annotated[str, typer.Option(metavar="NAMES", help="Names of the class numbers, in their order.")]
Frame = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="PX",
        help="Side that the label files count in: 129 for some.",
        show_default="the picture's",
    ),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Take the good rows where others are broken; name the rest.")
]


def class_names(text: str) -> tuple[str, ...]:
    """Names from `--classes a,b,c`. Raises `InputError` for an empty or a double name."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise InputError(f"--classes {text!r} has an empty or a double name; write them like a,b,c.")
    return names


def band_names(text: str | None) -> tuple[str, ...] | None:
    """Names from `--bands red,green,blue`. Raises `InputError` for an empty or a double name."""
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    named = [name for name in names if name != "-"]
    if not all(names) or len(set(named)) != len(named):
        raise InputError(f"--bands {text!r} has an empty or a double name; write them like red,green,blue.")
    return names


def moment(option: str, text: str, example: str) -> datetime:
    """A day or a time in ISO 8601, UTC where it names no zone. Raises `InputError`, with the example."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r} is no date; write it like {example}.") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def acquired_at(text: str | None) -> datetime | None:
    """The time of `--acquired`. Raises `InputError` as `moment`."""
    return None if text is None else moment("--acquired", text, "2024-01-31T05:30")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
