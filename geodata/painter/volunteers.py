"""geodata.painter.volunteers: simulated volunteers who look at a painted scene's tiles."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import mercantile
import numpy as np

from geodata.grid import Grid
from geodata.looks import Answer, Mark
from geodata.painter.scene import PaintedScene
from geodata.tiles import ZOOM, tile_id

FIRST_LOOK = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Habits:
    """How the simulated volunteers err: hits and false alarms have rates of their own."""

    volunteers: int = 12
    looks_per_tile: int = 4
    hit_rate: tuple[float, float] = (0.70, 0.97)
    """Chance to mark a kiln that is in the tile; each volunteer has one rate between the two."""
    false_alarm_rate: tuple[float, float] = (0.01, 0.12)
    """Chance to mark something else in a tile."""
    unsure_rate: float = 0.04
    bad_image_rate: float = 0.01
    scatter_m: float = 25.0
    """Standard deviation of a mark's place."""


def simulate_marks(painted: PaintedScene, seed: int, habits: Habits | None = None) -> list[Mark]:
    """Marks of tiles whose centre lies in the scene: one per look, or one per kiln that was marked in it."""
    habits = habits or Habits()
    rng = np.random.default_rng(seed)
    hits = rng.uniform(*habits.hit_rate, habits.volunteers)
    falses = rng.uniform(*habits.false_alarm_rate, habits.volunteers)
    marks: list[Mark] = []
    seconds = 0.0
    for tile, kilns, others in _tiles(painted):
        for who in rng.choice(
            habits.volunteers, min(habits.looks_per_tile, habits.volunteers), replace=False
        ):
            seconds += float(rng.uniform(3, 12))
            seen_at = FIRST_LOOK + timedelta(seconds=round(seconds))
            answer, places = _look(rng, kilns, others, float(hits[who]), float(falses[who]), habits)
            points: list[tuple[float | None, float | None]] = [_into(tile, place) for place in places]
            marks += [
                Mark(f"sim-{who + 1:02d}", tile_id(tile), answer, lon, lat, seen_at)
                for lon, lat in points or [(None, None)]
            ]
    return marks


Place = tuple[float, float]


def _tiles(painted: PaintedScene) -> list[tuple[mercantile.Tile, list[Place], list[Place]]]:
    """Tiles whose centre lies in the scene, each with its kilns and its look-alikes (lon, lat)."""
    grid = painted.grid
    west, south, east, north = _bounds(grid)
    kilns = list(zip(painted.kilns.lon.tolist(), painted.kilns.lat.tolist(), strict=True))
    lon, lat = grid.lonlat(painted.look_alikes[:, 0], painted.look_alikes[:, 1])
    others = list(zip(lon.tolist(), lat.tolist(), strict=True))
    out = []
    for tile in mercantile.tiles(west, south, east, north, [ZOOM]):
        b = mercantile.bounds(tile)
        col, row = grid.pixel((b.west + b.east) / 2, (b.south + b.north) / 2)
        if 0 <= col <= grid.width and 0 <= row <= grid.height:
            out.append((tile, _inside(kilns, b), _inside(others, b)))
    return out


def _bounds(grid: Grid) -> tuple[float, float, float, float]:
    lon, lat = grid.lonlat([0, grid.width, 0, grid.width], [0, 0, grid.height, grid.height])
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _inside(places: list[Place], b: mercantile.LngLatBbox) -> list[Place]:
    return [p for p in places if b.west <= p[0] < b.east and b.south <= p[1] < b.north]


def _into(tile: mercantile.Tile, place: Place) -> Place:
    """The place, moved into its tile where a shaky hand went over the edge (a click is on the picture)."""
    b, rim = mercantile.bounds(tile), 1e-5
    lon = min(max(place[0], b.west + rim), b.east - rim)
    lat = min(max(place[1], b.south + rim), b.north - rim)
    return round(lon, 6), round(lat, 6)


def _look(
    rng: np.random.Generator,
    kilns: list[Place],
    others: list[Place],
    hit: float,
    false: float,
    habits: Habits,
) -> tuple[Answer, list[Place]]:
    """One volunteer's answer for one tile and the places that were marked."""
    luck = rng.uniform()
    if luck < habits.bad_image_rate:
        return "bad_image", []
    if luck < habits.bad_image_rate + habits.unsure_rate:
        return "unsure", []
    marked = [place for place in kilns if rng.uniform() < hit]
    if others and rng.uniform() < false:
        marked.append(others[int(rng.integers(len(others)))])
    if not marked:
        return "none", []
    scatter = rng.normal(0, habits.scatter_m / 111_000, (len(marked), 2))
    return "kiln", [(x + dx, y + dy) for (x, y), (dx, dy) in zip(marked, scatter, strict=True)]
