"""detection.sites: which detections show the same place; pure, knows nothing of votes or stores.

A **site** is a place with an id and its first outline. The outline never changes, so that a site cannot creep
along a row of kilns: each detection is compared with the first outline, not with the latest member.

Rules, in this order:

1. A detection that is known already keeps its site (`Found.known`), so grouping the same run twice changes
   nothing, whatever was added in between.
2. Looks (one scene seen by one model) are taken by date, undated ones last, then by scene and model. Within
   a look each site takes at most one detection: two boxes that suppression left in one look are two objects.
   The pair with the greatest IoU goes first, then the higher score, then the smaller detection id.
3. What is left of a look founds new sites, higher scores first (only the order in which ids are minted).

The order of the input rows does not matter. The order of *imports* can: a site keeps the outline that was
imported first, since its id, reviews and history hang on it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from geodata.grid import Floats
from geodata.obb import Boxes
from geodata.overlap import overlapping_pairs

SAME_SITE_IOU = 0.3
"""A box shifted by one pixel both ways has an IoU of 0.6; neighbouring kilns have 0."""

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Sites:
    """Sites with the outline each was founded on; `boxes` has one row per id."""

    ids: tuple[str, ...]
    boxes: Boxes

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.boxes):
            raise ValueError(f"{len(self.ids)} site ids for {len(self.boxes)} outlines")


@dataclass(frozen=True)
class Found:
    """Detections to be grouped, as equally long columns."""

    detection_id: Sequence[str]
    scene_id: Sequence[str]
    model_id: Sequence[str]
    acquired_at: Sequence[datetime | None]
    """UTC; None where no date is known."""
    score: Floats
    boxes: Boxes
    known: Mapping[str, str] = field(default_factory=dict)
    """Site ids of detections that were grouped before (detection id -> site id)."""


@dataclass(frozen=True)
class Grouping:
    """Which site each detection belongs to, and which sites are new."""

    site_ids: tuple[str, ...]
    """One per detection, in the order of the input."""
    founded: Sites
    """New sites, each with the outline of the detection that founded it."""
    founders: tuple[int, ...]
    """One per new site: which detection (by its place in the input) founded it."""


@dataclass
class _Places:
    """Who may take which outline: the first `n_sites` are old sites, after them one per detection."""

    ids: list[str | None]
    by_detection: list[list[tuple[float, int]]]
    founders: list[int] = field(default_factory=list)


def group(sites: Sites, found: Found, mint: Callable[[], str], min_iou: float = SAME_SITE_IOU) -> Grouping:
    """Give each detection a site: an old one that it overlaps, or a new one with an id from `mint`.

    `sites` are all sites near the detections (or simply all), `mint` gives a new unique id at each call.
    """
    places = _overlaps(sites, found, min_iou)
    chosen: list[str] = [""] * len(found.detection_id)
    for look in _looks(found):
        _settle_look(look, found, places, chosen, mint)
    rows = np.asarray(places.founders, dtype=np.intp)
    new = Sites(tuple(chosen[k] for k in places.founders), found.boxes.take(rows))
    return Grouping(tuple(chosen), new, tuple(places.founders))


def _overlaps(sites: Sites, found: Found, min_iou: float) -> _Places:
    """Per detection, the outlines of old sites and of other detections that it overlaps enough."""
    one, two, iou = overlapping_pairs(found.boxes, _joined(sites.boxes, found.boxes), min_iou)
    by_detection: list[list[tuple[float, int]]] = [[] for _ in found.detection_id]
    for detection, place, value in zip(one.tolist(), two.tolist(), iou.tolist(), strict=True):
        by_detection[detection].append((value, place))
    ids: list[str | None] = [*sites.ids, *([None] * len(found.detection_id))]
    return _Places(ids, by_detection)


def _looks(found: Found) -> list[list[int]]:
    """Indices of detections by look, in the order in which looks are taken."""
    looks: dict[tuple[datetime, str, str], list[int]] = {}
    for k, (scene, model, at) in enumerate(
        zip(found.scene_id, found.model_id, found.acquired_at, strict=True)
    ):
        looks.setdefault((at or _LAST, scene, model), []).append(k)
    return [looks[key] for key in sorted(looks)]


def _settle_look(
    look: list[int], found: Found, places: _Places, chosen: list[str], mint: Callable[[], str]
) -> None:
    """Assign the detections of one look, one to one, and found sites with the rest."""
    for k in look:
        chosen[k] = found.known.get(found.detection_id[k], "")
    taken = {chosen[k] for k in look if chosen[k]}
    pairs = [
        (-iou, -float(found.score[k]), found.detection_id[k], k, site_id)
        for k in look
        if not chosen[k]
        for iou, place in places.by_detection[k]
        if (site_id := places.ids[place]) is not None
    ]
    for *_, k, site_id in sorted(pairs):
        if not chosen[k] and site_id not in taken:
            chosen[k] = site_id
            taken.add(site_id)
    n_sites = len(places.ids) - len(found.detection_id)
    left = [k for k in look if not chosen[k]]
    for k in sorted(left, key=lambda k: (-float(found.score[k]), found.detection_id[k])):
        chosen[k] = mint()
        places.ids[n_sites + k] = chosen[k]
        places.founders.append(k)


def _joined(first: Boxes, second: Boxes) -> Boxes:
    names = ("lon", "lat", "length_m", "width_m", "angle_deg")
    return Boxes(*(np.concatenate([getattr(first, name), getattr(second, name)]) for name in names))
