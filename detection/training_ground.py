"""detection.training_ground: which ground a model's card says that it has seen; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import shapely

from detection.bundle import Card, TrainingBlock
from geodata.grid import Grid
from geodata.tiles import footprint

NEGLIGIBLE = 0.001
"""Neighbours that share an edge overlap by as much through rounding."""
_TOLERANCE_DEG = 1e-5
"""About a metre: points along a straight side go."""
_DECIMALS = 6


@dataclass(frozen=True)
class TrainedOn:
    """A scene's share (0 to 1) of ground that the model has seen, and by which training scenes."""

    share: float
    scenes: tuple[str, ...]

    @property
    def any(self) -> bool:
        """True where it is more than rounding."""
        return self.share > NEGLIGIBLE


def block_of(scene: str, grid: Grid) -> TrainingBlock:
    """A whole scene as a block of training ground."""
    outline = footprint(grid).simplify(_TOLERANCE_DEG)
    ring = tuple((round(lon, _DECIMALS), round(lat, _DECIMALS)) for lon, lat in outline.exterior.coords)
    return TrainingBlock(scene=scene, ring=ring)


def blocks_of(card: Card) -> tuple[TrainingBlock, ...]:
    """All blocks that a card lists; empty where it does not say."""
    return tuple(block for data in card.training_data for block in data.blocks)


def trained_on(blocks: Iterable[TrainingBlock], grid: Grid) -> TrainedOn:
    """How much of a scene lies on training ground."""
    shape = footprint(grid)
    shared, scenes = [], []
    for block in blocks:
        common = shapely.intersection(shapely.make_valid(shapely.Polygon(block.ring)), shape)
        if common.area > NEGLIGIBLE * shape.area:
            scenes.append(block.scene)
        shared.append(common)
    share = shapely.union_all(shared).area / shape.area if shared else 0.0
    return TrainedOn(float(min(share, 1.0)), tuple(dict.fromkeys(scenes)))
