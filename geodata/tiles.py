"""geodata.tiles: the labelling grid (zoom-15 Web-Mercator tiles); knows grids and scenes, nothing of kilns.

Another scene or another date meets the same tiles. A tile is about 1.07 km wide at 28 degrees.
"""

from collections.abc import Iterator, Sequence

import mercantile
import numpy as np
import shapely
from mercantile import Tile
from numpy.typing import ArrayLike, NDArray

from geodata.errors import InputError
from geodata.grid import Floats, Grid
from geodata.scene import Scene, Window

ZOOM = 15
MAX_LATITUDE = 85.05
"""Degrees north and south; Web Mercator, and so the labelling grid, ends there."""
SAMPLES = 64
"""The observed share of a tile comes from SAMPLES x SAMPLES points spread evenly over it: one each 17 m at
28 degrees, so that a share is good to about a hundredth."""
_EDGE_POINTS = 33

Ring = tuple[tuple[float, float], ...]


def tile_id(tile: Tile) -> str:
    """Name of a tile, 'z/x/y'."""
    return f"{tile.z}/{tile.x}/{tile.y}"


def tile_from_id(name: str) -> Tile:
    """Tile of a name 'z/x/y'. Raises `InputError` where it is no tile of the labelling grid."""
    try:
        z, x, y = (int(part) for part in name.split("/"))
    except ValueError:
        z = x = y = -1
    if z != ZOOM or not (0 <= x < 2**ZOOM and 0 <= y < 2**ZOOM):
        raise InputError(f"{name!r} is no tile of the labelling grid; give it as {ZOOM}/x/y.")
    return Tile(x, y, z)


def tile_of(lon: float, lat: float) -> Tile:
    """The tile in which a place lies (degrees, WGS 84)."""
    return mercantile.tile(lon, lat, ZOOM)


def tile_ids(lon: ArrayLike, lat: ArrayLike) -> list[str]:
    """Names of the tiles in which places lie."""
    places = zip(np.atleast_1d(lon).tolist(), np.atleast_1d(lat).tolist(), strict=True)
    return [tile_id(tile_of(x, y)) for x, y in places]


def tile_ring(tile: Tile) -> Ring:
    """Outline of a tile: five lon/lat corners, counter-clockwise, the first one again at the end."""
    west, south, east, north = mercantile.bounds(tile)
    return (west, south), (east, south), (east, north), (west, north), (west, south)


def tile_polygon(tile: Tile) -> shapely.Polygon:
    """Outline of a tile as a polygon in EPSG:4326."""
    return shapely.Polygon(tile_ring(tile))


def footprint(grid: Grid) -> shapely.Polygon:
    """Outline of a grid in EPSG:4326, with points along its sides, which bend in another CRS."""
    side = np.linspace(0.0, 1.0, _EDGE_POINTS)[:-1]
    zero, one = np.zeros_like(side), np.ones_like(side)
    col = np.concatenate([side, one, 1 - side, zero]) * grid.width
    row = np.concatenate([zero, side, one, 1 - side]) * grid.height
    return shapely.Polygon(np.stack(grid.lonlat(col, row), -1))


def tiles_of(grid: Grid) -> list[Tile]:
    """The tiles that a grid's footprint meets, by rows from the north, each from the west."""
    shape = footprint(grid)
    found = list(mercantile.tiles(*shape.bounds, zooms=ZOOM))
    boxes = shapely.box(*np.array([mercantile.bounds(tile) for tile in found]).T)
    shapely.prepare(shape)
    # tiles that only share an edge with the scene show nothing of it
    meets = shapely.intersects(shape, boxes) & ~shapely.touches(shape, boxes)
    kept = [tile for tile, keep in zip(found, meets, strict=True) if keep]
    return sorted(kept, key=lambda tile: (tile.y, tile.x))


def observed_shares(scene: Scene, tiles: Sequence[Tile] | None = None) -> dict[str, float]:
    """Share (0-1) of each tile's area that valid pixels of a scene cover, by tile name.

    What lies outside the scene is not observed. One tile's pixels are in memory at a time.

    Args:
        scene: an open scene.
        tiles: the tiles wanted; None takes those that the scene meets.

    Raises:
        InputError: pixels do not decode and damage is not allowed.
    """
    return dict(iterate_observed_shares(scene, tiles))


def iterate_observed_shares(scene: Scene, tiles: Sequence[Tile] | None = None) -> Iterator[tuple[str, float]]:
    """Yield (tile name, observed share) one by one, for a progress bar; as `observed_shares`."""
    chosen = tiles_of(scene.info.grid) if tiles is None else list(tiles)
    if not chosen:
        return
    bounds = np.array([mercantile.bounds(tile) for tile in chosen])
    west, south, east, north = bounds.T
    # corners in the order north-west, north-east, south-west, south-east
    lon, lat = np.stack([west, east, west, east], -1), np.stack([north, north, south, south], -1)
    cols, rows = scene.info.grid.pixel(lon, lat)
    for tile, col, row in zip(chosen, cols, rows, strict=True):
        yield tile_id(tile), _observed_share(scene, col, row)


def _observed_share(scene: Scene, corner_cols: Floats, corner_rows: Floats) -> float:
    if not (np.isfinite(corner_cols).all() and np.isfinite(corner_rows).all()):
        return 0.0  # so far away that the scene's CRS does not reach there
    grid = scene.info.grid
    col, row = _spread(corner_cols), _spread(corner_rows)
    inside = (col >= 0) & (col < grid.width) & (row >= 0) & (row < grid.height)
    if not inside.any():
        return 0.0
    left, top = int(col[inside].min()), int(row[inside].min())
    width, height = int(col[inside].max()) - left + 1, int(row[inside].max()) - top + 1
    valid = scene.read(Window(left, top, width, height)).valid
    return float(valid[row[inside] - top, col[inside] - left].sum() / col.size)


def _spread(corners: Floats) -> NDArray[np.int64]:
    """Whole pixels of SAMPLES x SAMPLES points between four corners.

    A tile is so small that straight lines between its corners are good to a few hundredths of a pixel.
    """
    across = (np.arange(SAMPLES) + 0.5) / SAMPLES
    down = across[:, None]
    north_west, north_east, south_west, south_east = corners
    north = north_west + across * (north_east - north_west)
    south = south_west + across * (south_east - south_west)
    whole: NDArray[np.int64] = np.floor(north + down * (south - north)).astype(np.int64)
    return whole
