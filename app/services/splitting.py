"""app.services.splitting: a folder of pictures or scenes is parted by place; prints nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.labels.forms import ReadOptions, left_out
from geodata.labels.kilns import KilnLabels, check_meet
from geodata.labels.pictures import Picture, pictures_of
from geodata.labels.project import is_project
from geodata.labels.read import read_labels
from geodata.labels.split_files import (
    HELD_OUT,
    TRAIN,
    ground_by_column,
    write_ground,
    write_splits,
)
from geodata.labels.split_kilns import check_counts, kilns_of_ground, kilns_of_splits
from geodata.labels.splits import Blocks, blocks_held_out, cells_of, folds_by_blocks, split_by_ground
from geodata.labels.vectors import DRIVERS, TABLE


@dataclass(frozen=True)
class SplitRequest:
    """What a person asked for."""

    folder: Path
    out: Path
    labels: Path | None
    """None takes YOLO-OBB text in the folder, where there is any."""
    blocks: Blocks
    folds: int | None = None
    region: str | None = None
    where: str | None = None
    options: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True)
class SplitMade:
    """What was written."""

    parts: dict[str, str]
    """Name of each split -> how many pictures and kilns it holds, in words."""
    warnings: tuple[str, ...]
    gap_px: int | None
    """What a run file should say of the gap; None where the pictures themselves leave it."""


def make_split(request: SplitRequest) -> SplitMade:
    """Part a folder's pictures, or its ground, and write which is which.

    Raises:
        ProblemsError: broken label rows.
        InputError: options that do not fit, no pictures, or a split that would hold no picture or no kiln.
    """
    _check(request)
    pictures = pictures_of(request.folder)
    labels, warnings = _labels(request)
    if labels is not None:
        check_meet(labels, [picture.grid for picture in pictures], request.labels or request.folder)
    ground = _ground(request, pictures, labels)
    gap_m = request.blocks.gap_m
    if request.out.suffix.lower() == TABLE:
        splits = split_by_ground(pictures, ground, gap_m)
        counts = kilns_of_splits(pictures, labels, splits) if labels is not None else {}
        warnings += check_counts(counts)
        write_splits(request.out, splits)
        names = list(splits.values())
        parts = {n: _words(f"{names.count(n)} pictures", counts.get(n)) for n in sorted(set(names))}
        return SplitMade(parts, tuple(warnings), None if request.folds is None else _pixels(gap_m))
    counts = kilns_of_ground(labels, ground) if labels is not None else {}
    if labels is not None and request.folds is None:
        counts[TRAIN] = int(labels.kiln.sum()) - counts[HELD_OUT]
    warnings += check_counts(counts)
    write_ground(request.out, ground)
    blocks = {name: shapely.get_num_geometries(shape) for name, shape in ground.items()}
    parts = {n: _words(f"{blocks[n]} pieces of land", counts.get(n)) for n in ground}
    if TRAIN in counts:
        parts[TRAIN] = _words("the rest", counts[TRAIN])
    return SplitMade(parts, tuple(warnings), _pixels(gap_m))


def _check(request: SplitRequest) -> None:
    if request.out.suffix.lower() not in (TABLE, *DRIVERS):
        raise InputError(f"{request.out} ends with no .csv, .geojson or .gpkg; name such a file.")
    if request.folds is not None and request.region is not None:
        raise InputError("--folds and --region cannot both be given; hold the region back first.")
    if request.where is not None and (request.region is None or "=" not in request.where):
        raise InputError(f"--where {request.where!r} needs --region FILE and the form COLUMN=VALUE.")


def _labels(request: SplitRequest) -> tuple[KilnLabels | None, list[str]]:
    source = request.labels
    if source is None:
        folder = request.folder
        if not (any(folder.glob("*.txt")) or any((folder / "labels").glob("*.txt")) or is_project(folder)):
            return None, ["No labels were given (--labels), so nobody knows whether each split holds kilns."]
        source = folder
    read = read_labels(source, request.options)
    return read.labels, [left_out(problem) for problem in read.problems]


def _ground(
    request: SplitRequest, pictures: Sequence[Picture], labels: KilnLabels | None
) -> Mapping[str, BaseGeometry]:
    if request.region is not None:
        return {HELD_OUT: _region(request.region, request.where)}
    how = request.blocks
    boxes = labels.boxes.take(labels.kiln) if labels is not None else None
    lon, lat = (boxes.lon, boxes.lat) if boxes is not None else (np.empty(0), np.empty(0))
    cells = cells_of(pictures, lon, lat, how.block_m)
    if request.folds is None:
        return {HELD_OUT: blocks_held_out(cells, how.share, how.seed)}
    if labels is None:
        raise InputError("Folds need kilns to be parted evenly; name them with --labels.")
    return folds_by_blocks(cells, request.folds, how.seed)


def _region(text: str, where: str | None) -> BaseGeometry:
    if not Path(text).is_file():
        return _box(text)
    if where is None:
        return shapely.union_all(list(ground_by_column(Path(text), None).values()))
    column, _, value = where.partition("=")
    table = ground_by_column(Path(text), column)
    if value not in table:
        known = ", ".join(sorted(table)[:10])
        raise InputError(f"{text} has no {column} {value!r}; it has: {known}.")
    return table[value]


def _box(text: str) -> BaseGeometry:
    try:
        west, south, east, north = (float(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"--region {text!r} is neither four numbers nor a file; write it like 77.2,28.2,77.7,28.6."
        ) from None
    if not (west < east and south < north):
        raise InputError(f"--region {text!r} is empty; give west, south, east, north.")
    return shapely.box(west, south, east, north)


def _pixels(gap_m: float) -> int:
    """A gap in pixels of 10 m, the widest that scenes are read with."""
    return round(gap_m / 10)


def _words(what: str, kilns: int | None) -> str:
    return what if kilns is None else f"{what}, {kilns} kilns"
