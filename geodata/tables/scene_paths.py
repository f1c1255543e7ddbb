"""geodata.tables.scene_paths: where a run's scenes lie on this machine: beside the run, never part of it.

`run.json` is handed on with a project and is the same wherever things lie, so it must not tell of a person's
folders; `import` still has to find the imagery to cut pictures from.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from geodata.files import write_bytes_atomic

SCENE_PATHS = "scene-paths.json"
_PATHS = TypeAdapter(dict[str, Path])


def write_scene_paths(folder: Path, paths: Mapping[str, Path]) -> None:
    """Write absolute paths of scenes by their SHA-256. Raises `InputError` where the folder is read-only."""
    write_bytes_atomic(folder / SCENE_PATHS, _PATHS.dump_json(dict(sorted(paths.items())), indent=1) + b"\n")


def read_scene_paths(folder: Path) -> dict[str, Path]:
    """Paths by SHA-256; none where the file was left out or is broken: it is a help, nothing rests on it."""
    try:
        return _PATHS.validate_json((folder / SCENE_PATHS).read_bytes())
    except (OSError, ValidationError):
        return {}
