"""geodata.near: which points lie within a distance of which others; knows nothing of what the points are."""

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.grid import Floats, metres_per_degree
from geodata.obb import offsets_m

Index = NDArray[np.intp]


def pairs_within(
    points: tuple[Floats, Floats], places: tuple[Floats, Floats], radius_m: float
) -> tuple[Index, Index, Floats]:
    """Pairs of a point and a place that lie at most `radius_m` apart on the ground.

    Both are (lon, lat) columns in degrees, WGS 84. Returns the index of the point, the index of the place and
    their distance in metres, in order of point, then place.
    """
    lon, lat = points
    lon0, lat0 = places
    east, north = metres_per_degree(lat0)
    # Boxes a little wider than the circle find the pairs quickly; the true distance then decides.
    half_x, half_y = 1.01 * radius_m / east, 1.01 * radius_m / north
    around = shapely.box(lon0 - half_x, lat0 - half_y, lon0 + half_x, lat0 + half_y)
    tree = shapely.STRtree(np.asarray(shapely.points(lon, lat), dtype=np.object_))
    place, point = tree.query(around)
    distance = np.hypot(*offsets_m(lon[point], lat[point], lon0[place], lat0[place]))
    near = distance <= radius_m
    point, place, distance = point[near], place[near], distance[near]
    order = np.lexsort((place, point))
    return point[order], place[order], distance[order]
