"""detection.evaluate.matching: which detections are hits; knows nothing of models, files or thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from geodata.grid import Floats
from geodata.near import pairs_within

HIT_RADIUS_M = 100.0
PLACE_RADIUS_M = 80.0


@dataclass(frozen=True)
class Found:
    """Detections to be scored: centres (degrees, WGS 84) and scores (0-1), equally long float64 columns."""

    lon: Floats
    lat: Floats
    score: Floats

    def __len__(self) -> int:
        return len(self.score)

    def above(self, threshold: float) -> "Found":
        """Only those with a score of at least the threshold."""
        keep = self.score >= threshold
        return Found(self.lon[keep], self.lat[keep], self.score[keep])


@dataclass(frozen=True)
class Truth:
    """Verified kilns, and places where nobody knows (degrees, WGS 84)."""

    kiln_lon: Floats
    kiln_lat: Floats
    kiln_ignored: NDArray[np.bool_]
    """True for kilns cut by a scene's edge: neither missed nor required."""
    place_lon: Floats
    place_lat: Floats
    """Unverified candidates: a detection there is neither right nor wrong."""

    @property
    def kilns(self) -> int:
        """How many kilns have to be found."""
        return int((~self.kiln_ignored).sum())

    def without_places(self) -> "Truth":
        """The same kilns with no unverified places, so that a detection there is a false alarm."""
        none = np.empty(0)
        return replace(self, place_lon=none, place_lat=none)


@dataclass(frozen=True)
class Matching:
    """The fate of each detection, in the order in which they were given."""

    kiln: NDArray[np.intp]
    """Index of the kiln that it is a hit on, else -1."""
    distance_m: Floats
    """Distance of the two centres; NaN where it is no hit."""
    excused: NDArray[np.bool_]
    """Neither a hit nor a false alarm."""

    @property
    def hit(self) -> NDArray[np.bool_]:
        """True for hits."""
        return self.kiln >= 0

    @property
    def false_alarm(self) -> NDArray[np.bool_]:
        """True for false alarms."""
        return ~self.hit & ~self.excused


@dataclass(frozen=True)
class Look:
    """Detections of one time of acquisition, and what there was to find; `area_km2` was observed."""

    found: Found
    truth: Truth
    area_km2: float


_Columns = TypeVar("_Columns", Found, Truth)


def match_looks(
    looks: Sequence[Look], radius_m: float = HIT_RADIUS_M, place_radius_m: float = PLACE_RADIUS_M
) -> tuple[Found, Truth, Matching]:
    """Match each look by itself, and all of them as one: a kiln that was looked at twice counts twice."""
    parts = [match(look.found, look.truth, radius_m, place_radius_m) for look in looks]
    before = np.cumsum([0, *(len(look.truth.kiln_lon) for look in looks)])[:-1]
    kiln = [np.where(p.kiln >= 0, p.kiln + n, -1) for p, n in zip(parts, before, strict=True)]
    matching = Matching(
        np.concatenate(kiln),
        np.concatenate([p.distance_m for p in parts]),
        np.concatenate([p.excused for p in parts]),
    )
    return (
        _join(Found, [look.found for look in looks]),
        _join(Truth, [look.truth for look in looks]),
        matching,
    )


def match(
    found: Found, truth: Truth, radius_m: float = HIT_RADIUS_M, place_radius_m: float = PLACE_RADIUS_M
) -> Matching:
    """Match detections to kilns one to one: by falling score, each takes the nearest free kiln in reach.

    Since a detection's fate does not depend on those with lower scores, one matching serves every threshold.
    Verified kilns come first. What is left over is excused near an unverified place (`place_radius_m`) or a
    kiln cut by an edge (`radius_m`), unless a verified kiln is in reach: then it is a second box on that one.
    """
    kiln, distance, second = _take_nearest(found, truth, radius_m)
    excused = _near(found, truth.place_lon, truth.place_lat, place_radius_m)
    cut = truth.kiln_ignored
    excused |= _near(found, truth.kiln_lon[cut], truth.kiln_lat[cut], radius_m)
    return Matching(kiln, distance, excused & (kiln < 0) & ~second)


def _take_nearest(
    found: Found, truth: Truth, radius_m: float
) -> tuple[NDArray[np.intp], Floats, NDArray[np.bool_]]:
    """Kiln and distance per detection, and whether any verified kiln is in reach of it."""
    required = np.flatnonzero(~truth.kiln_ignored)
    point, place, distance = pairs_within(
        (found.lon, found.lat), (truth.kiln_lon[required], truth.kiln_lat[required]), radius_m
    )
    kiln = np.full(len(found), -1, dtype=np.intp)
    error = np.full(len(found), np.nan)
    taken: set[int] = set()
    for k in np.lexsort((distance, point, -found.score[point])):
        if kiln[point[k]] < 0 and int(place[k]) not in taken:
            taken.add(int(place[k]))
            kiln[point[k]] = required[place[k]]
            error[point[k]] = distance[k]
    in_reach = np.zeros(len(found), dtype=np.bool_)
    in_reach[point] = True
    return kiln, error, in_reach


def _join(kind: type[_Columns], parts: Sequence[_Columns]) -> _Columns:
    """Columns of several tables of one kind, one below the other."""
    names = [field.name for field in fields(kind)]
    return kind(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _near(found: Found, lon: Floats, lat: Floats, radius_m: float) -> NDArray[np.bool_]:
    near = np.zeros(len(found), dtype=np.bool_)
    near[pairs_within((found.lon, found.lat), (lon, lat), radius_m)[0]] = True
    return near
