"""geodata.sources.sentinelhub.pieces: cuts a grid into windows that one request may ask for."""

import math
from itertools import pairwise

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.grid import Grid
from geodata.scene import Window
from geodata.sources.sentinelhub.area_grid import window_box

MAX_SIDE_PX = 2500
"""Largest width and height of one Process request."""


def pieces_of(grid: Grid, max_side_px: int = MAX_SIDE_PX) -> tuple[Window, ...]:
    """Windows of nearly equal size that fill a grid without overlap, none larger than the service allows."""
    columns, rows = _cuts(grid.width, max_side_px), _cuts(grid.height, max_side_px)
    return tuple(
        Window(col, row, next_col - col, next_row - row)
        for row, next_row in pairwise(rows)
        for col, next_col in pairwise(columns)
    )


def pieces_over(shape: BaseGeometry, grid: Grid, max_side_px: int = MAX_SIDE_PX) -> tuple[Window, ...]:
    """The pieces that meet a shape given in the grid's CRS: nothing is asked, or paid, for the others."""
    pieces = pieces_of(grid, max_side_px)
    boxes = [shapely.box(*window_box(grid, piece)) for piece in pieces]
    # touching edges share no pixel
    return tuple(p for p, box in zip(pieces, boxes, strict=True) if box.intersection(shape).area > 0)


def _cuts(length: int, most: int) -> list[int]:
    count = math.ceil(length / most)
    return [length * k // count for k in range(count + 1)]
