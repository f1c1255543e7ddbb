"""app.services.imagery: finds the scene files that a run was made from, which may have moved since."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from geodata.errors import InputError
from geodata.sources.files import FileScene, OpenOptions, open_with
from geodata.sources.whole import scene_sha256
from geodata.tables.run import RunInput
from geodata.tables.scene_paths import read_scene_paths

Warn = Callable[[str], None]


def find_scene(scene: RunInput, run_folder: Path, folders: Sequence[Path], warn: Warn) -> Path | None:
    """The file of a scene: by its name in one of `folders`, else where the run found it, else by the run.

    A file with other bytes is not that scene; then, and where there is none, `warn` gets a sentence.
    """
    places = [folder / scene.name for folder in folders]
    if known := read_scene_paths(run_folder).get(scene.sha256):
        places.append(known)
    # run and scene may have moved together
    places += [folder / scene.name for folder in (run_folder, run_folder.absolute().parent)]
    found = [place for place in places if place.is_file()]
    for place in found:
        if scene_sha256(place) == scene.sha256:
            return place
    problem = f"{found[0]} is not the file that was run" if found else "it is not where the run found it"
    warn(
        f"No pictures are cut from {scene.name}: {problem}; "
        "import the run again with --scenes FOLDER, where FOLDER holds it."
    )
    return None


@contextmanager
def opened(path: Path, band_names: tuple[str, ...] | None, warn: Warn) -> Iterator[FileScene | None]:
    """Open a scene to cut pictures; None, with a warning, where that does not work."""
    options = OpenOptions(band_names=band_names, pixel_size_m=None, allow_damaged=True)
    try:
        scene = open_with(path, options)
    except InputError as error:
        warn(f"No pictures are cut from {path.name}: {error}")
        yield None
        return
    with scene:
        yield scene
