"""geodata.store.places: tiles of the labelling grid as the store names them, and places in pictures; pure."""

from collections.abc import Collection

import mercantile
from mercantile import Tile

from geodata.store.records import PictureMark, Ring
from geodata.tiles import ZOOM, tile_from_id, tile_id, tile_of


def tile_at(lon: float, lat: float) -> str:
    """The id ("15/x/y") of the tile that holds a place."""
    return tile_id(tile_of(lon, lat))


def nearest_tile(name: str, among: Collection[str]) -> str:
    """The tile itself where it is among some, else the nearest of them; itself where there are none.

    A box at the edge of a scene may have its centre just outside the scene's tiles.
    """
    if name in among:
        return name
    tile = tile_from_id(name)

    def distance(other: str) -> tuple[int, str]:
        there = tile_from_id(other)
        return max(abs(there.x - tile.x), abs(there.y - tile.y)), other

    return min(among, key=distance, default=name)


def with_neighbours(tile_ids: set[str]) -> set[str]:
    """Tiles with the eight around each: outlines and marks may reach over an edge."""
    found = set()
    for name in tile_ids:
        tile = tile_from_id(name)
        found |= {tile_id(Tile(tile.x + dx, tile.y + dy, ZOOM)) for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
    return found


def tiles_meeting(bbox: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """First column, last column, first row, last row of the tiles that meet a box (w, s, e, n)."""
    west, south, east, north = bbox
    upper_left, lower_right = mercantile.tile(west, north, ZOOM), mercantile.tile(east, south, ZOOM)
    return upper_left.x, lower_right.x, upper_left.y, lower_right.y


def place_in_picture(corners: Ring, mark: PictureMark) -> tuple[float, float]:
    """Lon, lat of a mark in a picture with the corners upper left, upper right, lower right, lower left."""
    u, v = mark.u, mark.v
    weights = ((1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v)
    lon = sum(weight * corner[0] for weight, corner in zip(weights, corners, strict=True))
    lat = sum(weight * corner[1] for weight, corner in zip(weights, corners, strict=True))
    return lon, lat
