"""geodata.sources.inputs: the files that a person named, opened and checked before the first is run."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from geodata.errors import InputError, ProblemsError
from geodata.scene import SceneInfo
from geodata.sources.files import FileScene, OpenOptions, open_with
from geodata.tile_names import TILE_SUFFIX, grid_of_name

RASTER_SUFFIXES = (".tif", ".tiff", ".jp2", ".vrt", ".img")
SMALL_PX = 1 << 18
"""Scenes of at most so many pixels, 512 x 512, come in thousands."""
_SIDE_FILES = (".xml", ".ovr", ".msk", ".tfw", ".j2w", ".prj", ".wld")


@dataclass(frozen=True)
class GoodScene:
    """A file that can be run."""

    path: Path
    info: SceneInfo


@dataclass(frozen=True)
class Problem:
    """A file or folder that cannot, and why, in one sentence."""

    path: Path
    message: str


@dataclass(frozen=True)
class CheckedScenes:
    """What came of the files that a person named."""

    good: tuple[GoodScene, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]

    def raise_problems(self) -> None:
        """Raise `ProblemsError` with every problem at once, if there is one."""
        if self.problems:
            raise ProblemsError([problem.message for problem in self.problems])


def check_scenes(paths: Sequence[Path], options: OpenOptions) -> CheckedScenes:
    """Expand folders, open every file, and list everything that is wrong; raises nothing for bad files."""
    good: list[GoodScene] = []
    files, problems, warnings = expand(paths)
    for path in files:
        try:
            with open_with(path, options) as scene:
                good.append(GoodScene(path, scene.info))
                warnings.extend(scene.warnings)
        except InputError as error:
            problems.append(Problem(path, str(error)))
    warnings.extend(_same_content(good))
    return CheckedScenes(tuple(good), tuple(problems), tuple(warnings))


def open_scenes_of(paths: Sequence[Path], options: OpenOptions, stack: ExitStack) -> list[FileScene]:
    """Open every file of paths and folders; they close with the stack. Small ones are open while read only.

    Raises:
        ProblemsError: with everything that is wrong with the files.
    """
    files, problems, _ = expand(paths)
    scenes = []
    for path in files:
        try:
            scene = stack.enter_context(open_with(path, options))
        except InputError as error:
            problems.append(Problem(path, str(error)))
            continue
        if scene.info.grid.width * scene.info.grid.height <= SMALL_PX:
            scene.park()
        scenes.append(scene)
    CheckedScenes((), tuple(problems), ()).raise_problems()
    return scenes


def expand(paths: Sequence[Path]) -> tuple[list[Path], list[Problem], list[str]]:
    """Files of the paths and folders, in order; problems (empty folder, named twice) and warnings."""
    files: dict[Path, Path] = {}
    problems: list[Problem] = []
    warnings: list[str] = []
    twice: set[Path] = set()
    for path in map(Path, paths):
        inside, problem, warning = _folder(path) if path.is_dir() else ([path], None, None)
        problems.extend([problem] if problem else [])
        warnings.extend([warning] if warning else [])
        for file in inside:
            resolved = file.resolve()
            if resolved in files and resolved not in twice:
                twice.add(resolved)
                problems.append(Problem(file, f"{file} is named twice; name each scene once."))
            files.setdefault(resolved, file)
    return list(files.values()), problems, warnings


def _folder(path: Path) -> tuple[list[Path], Problem | None, str | None]:
    """The rasters of a folder, or of `images` in it, where published tiles lie."""
    path = path / "images" if (path / "images").is_dir() else path
    entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    rasters = [entry for entry in entries if entry.is_file() and _is_scene(entry)]
    if not rasters:
        kinds = ", ".join(RASTER_SUFFIXES)
        what = "has no raster in it" if entries else "is empty"
        return [], Problem(path, f"The folder {path} {what} ({kinds}); name a folder with scenes."), None
    others = [e.name for e in entries if e not in rasters and e.suffix.lower() not in _SIDE_FILES]
    if not others:
        return rasters, None, None
    listed = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    return rasters, None, f"In {path} these are no scenes and are left out: {listed}."


def _is_scene(path: Path) -> bool:
    """Rasters by their name's end; of pictures only tiles that are named by their place."""
    suffix = path.suffix.lower()
    return suffix in RASTER_SUFFIXES or (suffix == TILE_SUFFIX and grid_of_name(path, 128, 128) is not None)


def _same_content(good: Sequence[GoodScene]) -> list[str]:
    first: dict[str, Path] = {}
    out = []
    for scene in good:
        seen = first.setdefault(scene.info.sha256, scene.path)
        if seen != scene.path:
            out.append(f"{scene.path} and {seen} have the same content: two copies of one scene.")
    return out
