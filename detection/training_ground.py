"""detection.training_ground: which ground a model's card says that it has seen; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely

from detection.bundle import Card, TrainingBlock
from geodata.grid import Grid
from geodata.tiles import footprint

NEGLIGIBLE = 0.001
"""Neighbours that share an edge overlap by as much through rounding."""
_TOLERANCE_DEG = 1e-5
"""About a metre: points along a straight side go."""
_DECIMALS = 6
_PARTS = 32


@dataclass(frozen=True)
class TrainedOn:
    """A scene's share (0 to 1) of ground that the model has seen, and by which training scenes."""

    share: float
    scenes: tuple[str, ...]

    @property
    def any(self) -> bool:
        """True where it is more than rounding."""
        return self.share > NEGLIGIBLE


def blocks_of_scene(scene: str, grid: Grid, kept_px: shapely.Geometry | None = None) -> list[TrainingBlock]:
    """A scene as blocks of training ground.

    Args:
        scene: name of the file.
        grid: its grid.
        kept_px: what was not learnt, as a shape in the scene's pixels.
    """
    if kept_px is None or shapely.is_empty(kept_px):
        return [_block(scene, footprint(grid))]
    learnt = shapely.difference(shapely.box(0, 0, grid.width, grid.height), kept_px)
    # straight sides in pixels bend in degrees where the CRS is another
    learnt = shapely.segmentize(learnt, max(grid.width, grid.height) / _PARTS)
    ground = shapely.transform(learnt, lambda at: np.stack(grid.lonlat(*at.T), -1))
    parts = shapely.get_parts(ground)
    return [_block(scene, part) for part in parts if isinstance(part, shapely.Polygon) and part.area > 0]


def _block(scene: str, shape: shapely.Polygon) -> TrainingBlock:
    plain = shape.simplify(_TOLERANCE_DEG)
    if not isinstance(plain, shapely.Polygon):  # it keeps topology, and so the kind
        plain = shape
    return TrainingBlock(
        scene=scene, ring=_ring(plain.exterior), holes=tuple(_ring(hole) for hole in plain.interiors)
    )


def _ring(line: shapely.LinearRing) -> tuple[tuple[float, float], ...]:
    return tuple((round(lon, _DECIMALS), round(lat, _DECIMALS)) for lon, lat in line.coords)


def blocks_of(card: Card) -> tuple[TrainingBlock, ...]:
    """All blocks that a card lists; empty where it does not say."""
    return tuple(block for data in card.training_data for block in data.blocks)


def trained_on(blocks: Iterable[TrainingBlock], grid: Grid) -> TrainedOn:
    """How much of a scene lies on training ground."""
    shape = footprint(grid)
    shared, scenes = [], []
    for block in blocks:
        common = shapely.intersection(shapely.make_valid(shapely.Polygon(block.ring, block.holes)), shape)
        if common.area > NEGLIGIBLE * shape.area:
            scenes.append(block.scene)
        shared.append(common)
    share = shapely.union_all(shared).area / shape.area if shared else 0.0
    return TrainedOn(float(min(share, 1.0)), tuple(dict.fromkeys(scenes)))
