"""geodata.tile_names: the place of a published tile from its file name `lat_lon.png`.

SentinelKilnDB and its kin cut 128 x 128 px tiles and name each by the centre of a **129** px square whose
upper left corner is the tile's (the publisher took the outer corner one pixel too far), rounded to 1e-4
degrees, so that a tile lies up to half a pixel off.
"""

import re
from pathlib import Path

from affine import Affine
from pyproj import CRS

from geodata.grid import Grid

PIXEL_DEG = 8.983152841195214e-05
"""10 m along the equator."""
FRAME_PX = 129
TILE_SUFFIX = ".png"
_NAME = re.compile(r"(-?\d{1,2}\.\d+)_(-?\d{1,3}\.\d+)")


def grid_of_name(path: Path, width: int, height: int) -> Grid | None:
    """The grid of a tile that is named by its place; None for any other name.

    Args:
        path: the tile or its label file.
        width: of the tile in pixels.
        height: of the tile in pixels.
    """
    match = _NAME.fullmatch(path.stem)
    if not match:
        return None
    lat, lon = (float(text) for text in match.groups())
    if abs(lat) > 90 or abs(lon) > 180:
        return None
    # published tiles are 128 px wide; one of another size is taken to be off by the same pixel
    half_col, half_row = (width + FRAME_PX - 128) / 2, (height + FRAME_PX - 128) / 2
    corner = Affine.translation(lon - half_col * PIXEL_DEG, lat + half_row * PIXEL_DEG)
    return Grid(CRS.from_epsg(4326), corner @ Affine.scale(PIXEL_DEG, -PIXEL_DEG), width, height)
