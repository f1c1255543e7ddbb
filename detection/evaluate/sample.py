"""detection.evaluate.sample: all that is scored, as two tables with the region of each row; pure.

A region is a scene, or the part of one that a fold held back. Regions of one time of acquisition are one look
(see `matching.match_looks`): a kiln that was looked at twice counts twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from detection.evaluate.matching import HIT_RADIUS_M, PLACE_RADIUS_M, Found, Look, Matching, Truth, match
from geodata.grid import Floats, Grid
from geodata.labels.kilns import NO_PLACES, Places
from geodata.obb import Boxes

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Matcher = Callable[[Found, Truth, Index, Index], Matching]
"""Given one look's detections and kilns and their indexes in the sample."""


@dataclass(frozen=True)
class Region:
    """A scene, or the part of one that a fold held back."""

    name: str
    scene: str
    """Name of the file."""
    grid: Grid
    """Of the whole scene."""
    area_km2: float
    """Observed."""
    look: int = 0
    land: str | None = None
    """Kind of land, as the person named it."""
    acquired_at: datetime | None = None
    product: str = "unknown"
    fold: int = 0
    """From 1; 0 where nothing was held back."""
    trained_share: float = 0.0
    """Share of the scene that the model's card lists as training ground, held-out parts of folds aside."""
    no_probability: str = ""
    """Why the model gives no probability there; empty where it gives one."""


@dataclass(frozen=True)
class Detections:
    """n detections and candidates."""

    boxes: Boxes
    score: Floats
    region: Index
    """Index of the region of each."""

    def __len__(self) -> int:
        return len(self.score)


@dataclass(frozen=True)
class Kilns:
    """n verified kilns."""

    boxes: Boxes
    names: tuple[str, ...]
    """What the labels call each."""
    ignored: Mask
    """Cut by a scene's edge, or not to be seen: neither missed nor required."""
    region: Index
    sized: Mask | None = None
    """False for kilns that are known as points only, whose boxes mean nothing; None: all have a size."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def count_ignored(self) -> int:
        """How many are ignored; one that two parts of a scene, or two looks, share is one."""
        return len({self.names[k] for k in np.flatnonzero(self.ignored)})

    @property
    def has_size(self) -> Mask:
        """True for kilns whose box is known."""
        return np.ones(len(self), np.bool_) if self.sized is None else self.sized


@dataclass(frozen=True)
class Sample:
    """Detections and kilns of some regions."""

    regions: tuple[Region, ...]
    detections: Detections
    kilns: Kilns
    look_km2: tuple[float, ...]
    """Observed, of each look; less than its regions' sum where they overlap."""
    places: Places = NO_PLACES
    """Unverified: a detection there is neither right nor wrong."""

    @property
    def area_km2(self) -> float:
        """Observed, of all looks."""
        return sum(self.look_km2)

    @property
    def found(self) -> Found:
        """The detections as the metrics want them."""
        boxes = self.detections.boxes
        return Found(boxes.lon, boxes.lat, self.detections.score)

    @property
    def truth(self) -> Truth:
        """The kilns as the metrics want them."""
        boxes = self.kilns.boxes
        return Truth(boxes.lon, boxes.lat, self.kilns.ignored, self.places.lon, self.places.lat)

    @property
    def sized_truth(self) -> Truth:
        """The same, kilns without a known size ignored: what boxes can be compared with."""
        return replace(self.truth, kiln_ignored=self.kilns.ignored | ~self.kilns.has_size)

    @property
    def folds(self) -> list[int]:
        """Numbers of the folds, sorted; empty where nothing was held back."""
        return sorted({region.fold for region in self.regions} - {0})

    def of_region(self, values: list[bool]) -> tuple[Mask, Mask]:
        """Masks of the detections and of the kilns whose region has True."""
        chosen = np.array(values, dtype=np.bool_)
        return chosen[self.detections.region], chosen[self.kilns.region]

    def without_places(self) -> "Sample":
        """The same with no unverified places."""
        return replace(self, places=NO_PLACES)

    def looks(self) -> list[Look]:
        """Each look by itself."""
        out = []
        for number, area in enumerate(self.look_km2):
            of_found, of_kiln = self.of_region([region.look == number for region in self.regions])
            out.append(Look(take_found(self.found, of_found), take_truth(self.truth, of_kiln), area))
        return out


def match_sample(
    sample: Sample, radius_m: float = HIT_RADIUS_M, place_radius_m: float = PLACE_RADIUS_M
) -> Matching:
    """Match each look by itself; indexes are those of the sample's tables."""

    def one(found: Found, truth: Truth, _of_found: Index, _of_kiln: Index) -> Matching:
        return match(found, truth, radius_m, place_radius_m)

    return match_by_look(sample, one)


def match_by_look(sample: Sample, how: Matcher) -> Matching:
    """Apply a way of matching to each look and put the results together."""
    n = len(sample.detections)
    kiln, distance = np.full(n, -1, dtype=np.intp), np.full(n, np.nan)
    excused = np.zeros(n, dtype=np.bool_)
    for number in range(len(sample.look_km2)):
        masks = sample.of_region([region.look == number for region in sample.regions])
        of_found, of_kiln = (np.flatnonzero(mask) for mask in masks)
        part = how(take_found(sample.found, of_found), take_truth(sample.truth, of_kiln), of_found, of_kiln)
        kiln[of_found[part.hit]] = of_kiln[part.kiln[part.hit]]
        distance[of_found], excused[of_found] = part.distance_m, part.excused
    return Matching(kiln, distance, excused)


def take_found(found: Found, index: Index | Mask) -> Found:
    """The detections at an index or under a mask."""
    return Found(found.lon[index], found.lat[index], found.score[index])


def take_truth(truth: Truth, index: Index | Mask) -> Truth:
    """The kilns at an index or under a mask, with all unverified places."""
    return replace(
        truth,
        kiln_lon=truth.kiln_lon[index],
        kiln_lat=truth.kiln_lat[index],
        kiln_ignored=truth.kiln_ignored[index],
    )


def join_samples(samples: Sequence[Sample]) -> Sample:
    """Several samples as one; their looks stay apart. They share the places of the first."""
    regions: list[Region] = []
    found_region, kiln_region, looks = [], [], 0
    for one in samples:
        found_region.append(one.detections.region + len(regions))
        kiln_region.append(one.kilns.region + len(regions))
        regions += [replace(region, look=region.look + looks) for region in one.regions]
        looks += len(one.look_km2)
    return Sample(
        tuple(regions),
        Detections(
            join_boxes([one.detections.boxes for one in samples]),
            np.concatenate([np.empty(0), *(one.detections.score for one in samples)]),
            np.concatenate([np.empty(0, np.intp), *found_region]),
        ),
        Kilns(
            join_boxes([one.kilns.boxes for one in samples]),
            tuple(name for one in samples for name in one.kilns.names),
            np.concatenate([np.empty(0, np.bool_), *(one.kilns.ignored for one in samples)]),
            np.concatenate([np.empty(0, np.intp), *kiln_region]),
            np.concatenate([np.empty(0, np.bool_), *(one.kilns.has_size for one in samples)]),
        ),
        tuple(km2 for one in samples for km2 in one.look_km2),
        samples[0].places if samples else NO_PLACES,
    )


def join_boxes(boxes: Sequence[Boxes]) -> Boxes:
    """Boxes of several tables, one below the other."""
    names = [field.name for field in fields(Boxes)]
    return Boxes(*(np.concatenate([np.empty(0), *(getattr(b, name) for b in boxes)]) for name in names))
