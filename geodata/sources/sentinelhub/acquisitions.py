"""geodata.sources.sentinelhub.acquisitions: granules of the Catalog and the passes they belong to; pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError

SAME_PASS = timedelta(minutes=5)
"""A satellite comes back to a place after 100 minutes at the earliest, and passes 10 degrees in three."""

_MARGIN = timedelta(seconds=1)
"""The Catalog's times are cut to whole seconds."""

_PRODUCT_ID = re.compile(
    r"^(?P<head>S2[A-Z]_MSIL[12][AC]_(?P<start>\d{8}T\d{6})_N\d{4}_R\d{3})_T\w{5}_\d{8}T\d{6}(\.SAFE)?$"
)


@dataclass(frozen=True)
class Granule:
    """One product of the Catalog: a tile of about 110 km, seen at one time."""

    product_id: str
    platform: str
    seen_at: datetime
    """UTC, of this tile."""
    cloud_percent: float
    """100 where the Catalog does not tell."""
    footprint: BaseGeometry
    """Degrees, WGS 84; only the part with data."""


@dataclass(frozen=True)
class Acquisition:
    """All granules of one satellite's one pass: what may lie in one file."""

    granules: tuple[Granule, ...]

    @cached_property
    def footprint(self) -> BaseGeometry:
        """Union of the granules' footprints, in degrees."""
        return shapely.union_all([granule.footprint for granule in self.granules])

    @property
    def acquired_at(self) -> datetime:
        """UTC start of the pass by the product ids, the same for every area; else the earliest time."""
        match = _PRODUCT_ID.match(self.granules[0].product_id)
        if match is None:
            return min(granule.seen_at for granule in self.granules)
        return datetime.strptime(match["start"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)

    @property
    def name(self) -> str:
        """The product id without `.SAFE`; where there are several granules, its part that they share."""
        first = self.granules[0].product_id
        match = _PRODUCT_ID.match(first)
        if match is not None and len(self.granules) > 1:
            return match["head"]
        return re.sub(r"[^\w.-]", "_", first.removesuffix(".SAFE"))

    @property
    def product_ids(self) -> tuple[str, ...]:
        """Ids of the granules, in order."""
        return tuple(granule.product_id for granule in self.granules)

    @property
    def interval(self) -> tuple[datetime, datetime]:
        """The narrowest span of time (UTC) that holds every granule, with a second on each side."""
        times = [granule.seen_at for granule in self.granules]
        return min(times) - _MARGIN, max(times) + _MARGIN

    def cloud_percent(self, area: BaseGeometry) -> float:
        """Mean of the granules' cloud cover (0-100, the Catalog's), weighted by their share of an area."""
        weights = [granule.footprint.intersection(area).area for granule in self.granules]
        total = sum(weights)
        if total == 0:
            return 100.0
        clouds = [granule.cloud_percent for granule in self.granules]
        return float(sum(w * cloud for w, cloud in zip(weights, clouds, strict=True)) / total)


def granule_of(feature: dict[str, Any]) -> Granule:
    """One feature of the Catalog as a granule. Raises `InputError` where a field is missing or broken."""
    try:
        properties = feature["properties"]
        return Granule(
            product_id=str(feature["id"]),
            platform=str(properties.get("platform") or str(feature["id"])[:3]).lower(),
            seen_at=_utc(properties["datetime"]),
            cloud_percent=float(properties.get("eo:cloud_cover", 100.0)),
            footprint=shapely.make_valid(shapely.geometry.shape(feature["geometry"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise InputError(
            f"The Catalog lists an unreadable scene ({type(error).__name__}: {error}); try again later."
        ) from error


def acquisitions_of(granules: Iterable[Granule]) -> list[Acquisition]:
    """Granules grouped by satellite and pass, each granule once, earliest pass first."""
    by_platform: dict[str, dict[str, Granule]] = {}
    for granule in granules:
        # a Catalog that pages badly gives a product twice
        by_platform.setdefault(granule.platform, {})[granule.product_id] = granule
    found = [
        Acquisition(tuple(sorted(group, key=lambda granule: granule.product_id)))
        for products in by_platform.values()
        for group in _passes(sorted(products.values(), key=lambda granule: granule.seen_at))
    ]
    return sorted(found, key=lambda acquisition: (acquisition.acquired_at, acquisition.name))


def inseparable(acquisitions: Iterable[Acquisition]) -> list[Acquisition]:
    """Acquisitions whose span of time meets another's, so that a request by time would mix them.

    Two satellites saw the same ground half a minute apart when Sentinel-2C was tested beside Sentinel-2A.
    """
    in_order = sorted(acquisitions, key=lambda acquisition: acquisition.interval)
    met: list[Acquisition] = []
    for index, one in enumerate(in_order):
        if any(_meet(one, other) for k, other in enumerate(in_order) if k != index):
            met.append(one)
    return met


def _meet(one: Acquisition, other: Acquisition) -> bool:
    overlap = one.interval[0] <= other.interval[1] and other.interval[0] <= one.interval[1]
    return overlap and bool(one.footprint.intersects(other.footprint))


def _passes(granules: list[Granule]) -> list[list[Granule]]:
    groups = [granules[:1]]
    for previous, granule in pairwise(granules):
        if granule.seen_at - previous.seen_at > SAME_PASS:
            groups.append([])
        groups[-1].append(granule)
    return groups


def _utc(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
