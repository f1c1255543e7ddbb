"""detection.evaluate.lands: which kind of land each scene shows, as a person named it; pure."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from geodata.errors import InputError


def lands_of(lands: Iterable[tuple[str, str]], scenes: Sequence[str]) -> tuple[str | None, ...]:
    """The kind of land of each scene.

    Args:
        lands: (kind of land, name or pattern of a scene's file); the last one that fits counts.
        scenes: names of the files.

    Raises:
        InputError: for a name or pattern that fits no scene.
    """
    out: list[str | None] = [None] * len(scenes)
    for land, pattern in lands:
        fits = [k for k, name in enumerate(scenes) if fnmatchcase(name, pattern)]
        if not fits:
            raise InputError(
                f"The land {land!r} is given for {pattern}, which is no scene here; the scenes are "
                f"{', '.join(sorted(set(scenes)))}."
            )
        for k in fits:
            out[k] = land
    return tuple(out)
