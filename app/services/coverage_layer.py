"""app.services.coverage_layer: the coverage tiles as few rectangles for the map; pure, knows no page.

Neighbouring tiles of one row without a kiln become one rectangle: a scene has thousands of tiles, and long
stretches of them say the same. Tiles with a kiln stay apart, since they are looked at one by one.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import mercantile

from geodata.store.records import Tile


def coverage_geojson(tiles: Iterable[Tile]) -> dict[str, Any]:
    """A FeatureCollection of rectangles with the property `state`."""
    placed = sorted((y, x, z, state) for z, x, y, state in map(_place, tiles))
    features = []
    for (y, z), row in groupby(placed, key=lambda cell: (cell[0], cell[2])):
        features += [
            _rectangle(z, y, first, last, state) for first, last, state in _runs([(c[1], c[3]) for c in row])
        ]
    return {"type": "FeatureCollection", "features": features}


def state_at(tiles: Iterable[Tile], lon: float, lat: float) -> str:
    """What is known of a place: the state of the tile that holds it, `not_observed` where there is none."""
    for tile in tiles:
        west, south, east, north = mercantile.bounds(mercantile.Tile(*_zxy(tile)))
        if west <= lon < east and south < lat <= north:
            return tile.state
    return "not_observed"


def _zxy(tile: Tile) -> tuple[int, int, int]:
    z, x, y = (int(part) for part in tile.tile_id.split("/"))
    return x, y, z


def _place(tile: Tile) -> tuple[int, int, int, str]:
    x, y, z = _zxy(tile)
    return z, x, y, tile.state


def _runs(cells: Sequence[tuple[int, str]]) -> list[tuple[int, int, str]]:
    """(first x, last x, state) of the stretches of one row."""
    runs: list[tuple[int, int, str]] = []
    for x, state in cells:
        if state != "kiln" and runs and runs[-1][1] == x - 1 and runs[-1][2] == state:
            runs[-1] = (runs[-1][0], x, state)
        else:
            runs.append((x, x, state))
    return runs


def _rectangle(z: int, y: int, first: int, last: int, state: str) -> dict[str, Any]:
    west, south, _, north = mercantile.bounds(first, y, z)
    east = mercantile.bounds(last, y, z).east
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    ring = [[round(lon, 6), round(lat, 6)] for lon, lat in corners]
    return {
        "type": "Feature",
        "properties": {"state": state},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
