"""geodata.sources.sentinelhub.choose: the fewest and least cloudy acquisitions that cover an area; pure.

Greedy set cover: of the acquisitions under the cloud limit, take the one that covers most of what is still
uncovered; among those that cover equally much (to `SLIVER` of the area) the least cloudy, then the latest.
Stop when less than `SLIVER` of the area is left or nothing covers more; at the end drop what the others make
superfluous. Greedy covers are not always the smallest; over Sentinel-2 swaths, which lie side by side, they
nearly always are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.sources.sentinelhub.acquisitions import Acquisition

SLIVER = 0.001
"""Share of the area below which a gap is the footprints' inaccuracy, not a missing scene."""


@dataclass(frozen=True)
class Choice:
    """The acquisitions to take, earliest first, and the share (0-1) of the area that they cover."""

    acquisitions: tuple[Acquisition, ...]
    covered_share: float


def choose(acquisitions: Sequence[Acquisition], area: BaseGeometry, max_cloud_percent: float) -> Choice:
    """The fewest and least cloudy acquisitions that cover an area, both in degrees; see the module."""
    clouds = {id(one): one.cloud_percent(area) for one in acquisitions}
    left = [one for one in acquisitions if clouds[id(one)] <= max_cloud_percent]
    uncovered, taken = area, list[Acquisition]()
    while left and uncovered.area > SLIVER * area.area:
        gains = [uncovered.intersection(one.footprint).area for one in left]
        least = max(gains) - SLIVER * area.area
        if least <= 0:
            break
        tied = [one for one, gain in zip(left, gains, strict=True) if gain >= least]
        best = min(tied, key=lambda one: (clouds[id(one)], -one.acquired_at.timestamp(), one.name))
        taken.append(best)
        left.remove(best)
        uncovered = uncovered.difference(best.footprint)
    taken = _without_superfluous(taken, area)
    in_order = sorted(taken, key=lambda one: (one.acquired_at, one.name))
    return Choice(tuple(in_order), _share(in_order, area))


def _without_superfluous(taken: list[Acquisition], area: BaseGeometry) -> list[Acquisition]:
    whole = _share(taken, area)
    for one in list(taken):
        others = [other for other in taken if other is not one]
        if others and _share(others, area) >= whole - SLIVER:
            taken = others
    return taken


def _share(acquisitions: Sequence[Acquisition], area: BaseGeometry) -> float:
    covered = shapely.union_all([one.footprint for one in acquisitions]).intersection(area)
    return float(covered.area / area.area)
