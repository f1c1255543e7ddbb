"""detection.local_domain: where a calibration on reviews may be believed; pure geometry and calendar."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import shapely
from mercantile import Tile

from detection.bundle import Domain
from geodata.tiles import tile_polygon

LEAST_REVIEWS = 20
"""A part of the land with fewer reviews than this says nothing for itself."""


def local_domains(
    covered: Sequence[Tile], reviewed: Sequence[Tile], seen: Sequence[tuple[datetime, str]]
) -> tuple[Domain, ...]:
    """The domains that a random sample speaks for, one for each connected part of the covered land.

    The sample was drawn from all detections of some scenes, so it speaks for the land that they cover, not
    only for the hull of the places that the draw happened to hit. Each part is the hull of its tiles with a
    rim of one tile (about 1 km); parts far from each other stay apart, so that no unseen land lies between.

    Args:
        covered: tiles of the labelling grid that the scenes cover.
        reviewed: the tile of each review.
        seen: (UTC time, product) of each scene.
    """
    rimmed = {Tile(t.x + dx, t.y + dy, t.z) for t in covered for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
    union = shapely.union_all([tile_polygon(tile) for tile in sorted(rimmed)])
    parts = [shapely.convex_hull(part) for part in shapely.get_parts(union)]
    places = shapely.centroid([tile_polygon(tile) for tile in reviewed])
    months = tuple(sorted({at.month for at, _product in seen}))
    products = tuple(sorted({product for _at, product in seen}))
    return tuple(
        Domain(area=_ring(part), months=months, products=products)
        for part in parts
        if np.count_nonzero(shapely.contains(part, places)) >= LEAST_REVIEWS
    )


def _ring(part: shapely.Polygon) -> tuple[tuple[float, float], ...]:
    """Lon, lat of the corners, not closed, to 1e-5 degrees (1 m)."""
    corners = shapely.get_coordinates(part)[:-1]
    return tuple((round(float(lon), 5), round(float(lat), 5)) for lon, lat in corners)
