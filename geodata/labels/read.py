"""geodata.labels.read: labels of any form: vector file, CSV of points, YOLO-OBB folder, project folder."""

from collections.abc import Callable
from pathlib import Path

from geodata.labels.forms import Read, ReadOptions, left_out
from geodata.labels.kilns import NO_PLACES, KilnLabels, Places, read_places
from geodata.labels.pictures import pictures_of
from geodata.labels.project import is_project, read_project
from geodata.labels.vectors import TABLE, read_table, read_vectors
from geodata.labels.yolo_folder import read_yolo


def read_labels(path: Path, options: ReadOptions | None = None) -> Read:
    """Read labels of the form that the path has.

    Raises:
        ProblemsError: broken rows, unless the options skip them.
        InputError: what cannot be read at all.
    """
    options = options or ReadOptions()
    if path.is_dir():
        if is_project(path):
            return read_project(path, options.answered)
        return read_yolo(path, pictures_of(options.pictures or path), options)
    return read_table(path, options) if path.suffix.lower() == TABLE else read_vectors(path, options)


def read_truth(
    path: Path,
    ignore: Path | None = None,
    options: ReadOptions | None = None,
    warn: Callable[[str], None] = lambda sentence: None,
) -> tuple[KilnLabels, Places]:
    """What a score is made with: the kilns that somebody is sure of, and places where nobody is.

    Args:
        path: labels of any form; soft ones, and those that hold for some time only, become places.
        ignore: CSV of further places.
        options: as for `read_labels`.
        warn: called with each broken row that was left out.
    """
    read = read_labels(path, options)
    for problem in read.problems:
        warn(left_out(problem))
    labels = read.labels
    places = read_places(ignore) if ignore else NO_PLACES
    return labels.take(labels.sure), places.and_these(labels)


def read_kilns(path: Path, options: ReadOptions | None = None) -> KilnLabels:
    """The labels alone, as `read_labels`."""
    return read_labels(path, options).labels
