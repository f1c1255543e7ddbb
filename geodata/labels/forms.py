"""geodata.labels.forms: what every reader of labels is told and gives back, and how broken rows are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import ProblemsError
from geodata.labels.kilns import CLASSES, KilnLabels

_SHOWN = 20


@dataclass(frozen=True)
class ReadOptions:
    """How to read labels."""

    classes: tuple[str, ...] = CLASSES
    """Names of kiln classes, in the order of their numbers; `unknown` is one always."""
    skip_bad: bool = False
    """Take the good rows where others are broken."""
    frame_px: int | None = None
    """Side that YOLO-OBB shares count in, if it is not the picture's own."""
    pictures: Path | None = None
    """Where the pictures of YOLO-OBB text lie, if not beside it."""
    answered: bool = False
    """Of a project only the sites that people have looked at: the others repeat what a model said."""


@dataclass(frozen=True)
class Read:
    """What a file or folder held."""

    labels: KilnLabels
    lines: int
    """Rows that were read; more than there are labels where published tiles overlap."""
    problems: tuple[str, ...] = ()
    """Each broken row that was left out, with its file and number."""


def left_out(problem: str) -> str:
    """A warning for a broken row that was skipped."""
    return f"left out: {problem}"


def refuse(problems: Sequence[str], good: int, options: ReadOptions) -> None:
    """Raise `ProblemsError` for broken rows, unless the good ones were asked for and there are some."""
    if not problems or (options.skip_bad and good):
        return
    more = [f"and {len(problems) - _SHOWN} more rows."] if len(problems) > _SHOWN else []
    told = f"{len(problems)} rows are broken and {good} good: mend them"
    told += ", or take the good ones with --skip-bad (skip_bad in a run file)." if good else "."
    raise ProblemsError([*problems[:_SHOWN], *more, told])
