"""geodata.sources.sentinelhub.catalog: the granules of an area; the only caller of the Catalog."""

from datetime import datetime
from itertools import islice
from typing import Any

from sentinelhub.api.catalog import SentinelHubCatalog
from sentinelhub.constants import CRS
from sentinelhub.exceptions import MissingDataInRequestException
from sentinelhub.geometry import BBox

from geodata.errors import InputError
from geodata.sources.sentinelhub.acquisitions import Granule, granule_of
from geodata.sources.sentinelhub.area import Area
from geodata.sources.sentinelhub.connection import Connection

MAX_GRANULES = 5000
"""More than this is years of a large area, or a Catalog that pages in a circle."""
_PAGE = 100
_WHAT = "Searching the Catalog"


def granules_of(
    connection: Connection, collection: str, area: Area, span: tuple[datetime, datetime]
) -> list[Granule]:
    """All granules whose footprint meets an area within a span of time (UTC), in the Catalog's order.

    Raises:
        InputError: the service fails or answers in another form, or there are more than `MAX_GRANULES`.
    """

    def ask(catalog: SentinelHubCatalog) -> list[dict[str, Any]]:
        try:
            found = catalog.search(collection, bbox=BBox(area.bounds, CRS.WGS84), time=span, limit=_PAGE)
            return list(islice(found, MAX_GRANULES + 1))
        except (MissingDataInRequestException, KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"{_WHAT}: the answer is not a Catalog's ({type(error).__name__}); check SH_BASE_URL."
            ) from error

    features = connection.with_catalog(ask, _WHAT)
    if len(features) > MAX_GRANULES:
        raise InputError(
            f"The Catalog lists more than {MAX_GRANULES:,} scenes; shorten the span or cut the area."
        )
    granules = [granule_of(feature) for feature in features]
    return [granule for granule in granules if granule.footprint.intersects(area)]
