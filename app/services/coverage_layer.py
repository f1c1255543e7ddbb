"""app.services.coverage_layer: the coverage tiles as few rectangles for the map; pure, knows no page.

Neighbouring tiles of one row without a kiln become one rectangle: a scene has thousands of tiles, and long
stretches of them say the same. Tiles with a kiln stay apart, since they are looked at one by one.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import mercantile

from geodata.store.records import Tile
from geodata.tiles import ZOOM, tile_from_id


def coverage_geojson(tiles: Iterable[Tile]) -> dict[str, Any]:
    """A FeatureCollection of rectangles with the property `state`."""
    named = [(tile_from_id(tile.tile_id), tile.state) for tile in tiles]
    placed = sorted((tile.y, tile.x, state) for tile, state in named)
    features = []
    for y, row in groupby(placed, key=lambda cell: cell[0]):
        runs = _runs([(x, state) for _, x, state in row])
        features += [_rectangle(y, first, last, state) for first, last, state in runs]
    return {"type": "FeatureCollection", "features": features}


def state_at(tiles: Iterable[Tile], lon: float, lat: float) -> str:
    """What is known of a place: the state of the tile that holds it, `not_observed` where there is none."""
    for tile in tiles:
        west, south, east, north = mercantile.bounds(tile_from_id(tile.tile_id))
        if west <= lon < east and south < lat <= north:
            return tile.state
    return "not_observed"


def _runs(cells: Sequence[tuple[int, str]]) -> list[tuple[int, int, str]]:
    """(first x, last x, state) of the stretches of one row."""
    runs: list[tuple[int, int, str]] = []
    for x, state in cells:
        if state != "kiln" and runs and runs[-1][1] == x - 1 and runs[-1][2] == state:
            runs[-1] = (runs[-1][0], x, state)
        else:
            runs.append((x, x, state))
    return runs


def _rectangle(y: int, first: int, last: int, state: str) -> dict[str, Any]:
    west, south, _, north = mercantile.bounds(first, y, ZOOM)
    east = mercantile.bounds(last, y, ZOOM).east
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    ring = [[round(lon, 6), round(lat, 6)] for lon, lat in corners]
    return {
        "type": "Feature",
        "properties": {"state": state},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
