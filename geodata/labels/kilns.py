"""geodata.labels.kilns: what is known of kilns on the ground, and where nobody knows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.errors import InputError
from geodata.grid import Floats, Grid
from geodata.near import pairs_within
from geodata.obb import Boxes
from geodata.tiles import footprint

CLASSES = ("CFCBK", "FCBK", "Zigzag")
"""Those of SentinelKilnDB, in its order."""
UNKNOWN = "unknown"
SAME_KILN_M = 45.0
POINT_LENGTH_M, POINT_WIDTH_M = 120.0, 60.0
"""Taken for a point that tells no size: the median kiln around Delhi. It draws the centre only; neither size
nor angle is learnt from it."""
HALF = 0.5
"""Labels of at least this probability count as kilns where something has to be counted."""


@dataclass(frozen=True)
class KilnLabels:
    """n places, each with the chance that a kiln stands there; columns left out get their defaults."""

    boxes: Boxes
    cut_by_edge: NDArray[np.bool_]
    """True where a scene's edge cuts the kiln; False where the file does not tell."""
    kiln_class: NDArray[np.object_]
    """CFCBK, FCBK, Zigzag or unknown."""
    probability: Floats = field(default_factory=lambda: np.empty(0))
    """1 (the default) for a kiln, 0 where none stands, between them a soft label, NaN where nobody knows."""
    size_known: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    """False for points without a size, whose boxes are `POINT_LENGTH_M` x `POINT_WIDTH_M`; default True."""
    label_id: NDArray[np.object_] = field(default_factory=lambda: np.empty(0, np.object_))
    """What a person finds the label by; by default its number, from 1."""
    valid_from: NDArray[np.datetime64] = field(default_factory=lambda: np.empty(0, "datetime64[us]"))
    """UTC; what is said holds for scenes of that time or later, of earlier or undated ones nothing is known.
    NaT (the default) where it holds for all."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        defaults = {
            "probability": np.ones(n),
            "size_known": np.ones(n, np.bool_),
            "label_id": np.array([str(k + 1) for k in range(n)], np.object_),
            "valid_from": np.full(n, np.datetime64("NaT"), "datetime64[us]"),
        }
        for name, default in defaults.items():
            if not len(getattr(self, name)):
                object.__setattr__(self, name, default)
        if any(len(getattr(self, f.name)) != n for f in fields(self)):
            raise ValueError("columns of different lengths")

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def sure(self) -> NDArray[np.bool_]:
        """Kilns that somebody is sure of, at any time: the truth that scores are made with."""
        return np.asarray((self.probability == 1) & np.isnat(self.valid_from))

    @property
    def unsure(self) -> NDArray[np.bool_]:
        """Places that are neither certainly a kiln nor certainly none: what is found there is not scored."""
        return np.asarray(~self.sure & ~((self.probability == 0) & np.isnat(self.valid_from)))

    @property
    def kiln(self) -> NDArray[np.bool_]:
        """Places that are rather a kiln than none, as far as anybody knows."""
        return np.asarray(self.probability >= HALF)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "KilnLabels":
        """The labels at an index or under a mask."""
        return KilnLabels(
            self.boxes.take(index), *(getattr(self, f.name)[index] for f in fields(self) if f.name != "boxes")
        )


@dataclass(frozen=True)
class Places:
    """Unverified places (degrees, WGS 84): what is found there is neither right nor wrong."""

    lon: Floats
    lat: Floats

    def and_these(self, labels: KilnLabels) -> "Places":
        """These places and those of the labels that nobody is sure of."""
        boxes = labels.boxes.take(labels.unsure)
        return Places(np.concatenate([self.lon, boxes.lon]), np.concatenate([self.lat, boxes.lat]))


NO_PLACES = Places(np.empty(0), np.empty(0))


def join(parts: Sequence[KilnLabels]) -> KilnLabels:
    """Labels of several files as one; within `SAME_KILN_M` of a label an earlier file speaks."""
    out = parts[0]
    for more in parts[1:]:
        again, _, _ = pairs_within(
            (more.boxes.lon, more.boxes.lat), (out.boxes.lon, out.boxes.lat), SAME_KILN_M
        )
        new = np.ones(len(more), np.bool_)
        new[again] = False
        out = _below(out, more.take(new))
    return out


def _below(one: KilnLabels, two: KilnLabels) -> KilnLabels:
    boxes = Boxes(
        *(np.concatenate([getattr(one.boxes, f.name), getattr(two.boxes, f.name)]) for f in fields(Boxes))
    )
    rest = [f.name for f in fields(KilnLabels) if f.name != "boxes"]
    return KilnLabels(boxes, *(np.concatenate([getattr(one, n), getattr(two, n)]) for n in rest))


def read_places(path: Path) -> Places:
    """Read unverified places from a CSV file with the columns `lon` and `lat` (degrees, WGS 84).

    Raises:
        InputError: no such file, no such columns, or a row that is no place on earth.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as CSV ({error}); give a table with lon and lat.") from error
    missing = sorted({"lon", "lat"} - set(table.columns))
    if missing:
        raise InputError(f"{path} has no column {' and no column '.join(missing)}; it needs lon and lat.")
    lon, lat = (pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in ("lon", "lat"))
    bad = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if bad.any():
        row = int(np.flatnonzero(bad)[0]) + 2
        raise InputError(f"{path}, line {row}, is no place on earth; give lon and lat in degrees.")
    return Places(lon, lat)


def check_meet(labels: KilnLabels, grids: Iterable[Grid], path: Path | str) -> None:
    """Raise `InputError`, with both extents, where no kiln lies in any of the scenes."""
    shapes = [footprint(grid) for grid in grids]
    if not labels.kiln.any():
        raise InputError(
            f"{path} holds no kiln, only places without one or that nobody is sure of; add kilns."
        )
    kilns = shapely.points(labels.boxes.lon[labels.kiln], labels.boxes.lat[labels.kiln])
    if not any(shapely.intersects(shape, kilns).any() for shape in shapes):
        raise InputError(
            f"No kiln of {path} lies in a scene: the kilns lie in {_extent(kilns)}, the scenes in "
            f"{_extent(shapes)} (west, south, east, north); give labels of these scenes."
        )


def _extent(shapes: shapely.Geometry | Sequence[shapely.Geometry] | NDArray[np.object_]) -> str:
    return ", ".join(f"{value:.3f}" for value in shapely.total_bounds(shapes))
