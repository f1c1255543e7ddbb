"""detection.evaluate.visible: which kilns a scene shows; one under cloud is neither missed nor required."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.obb import Boxes
from geodata.scene import Scene, Window

NEAR_M = 300.0
"""A kiln that a scene's edge cuts may have its centre so far outside, and be hit from 200 m further in."""


@dataclass(frozen=True)
class SeenKilns:
    """Per kiln: its centre lies in a scene, or `NEAR_M` around it, and a valid pixel shows it."""

    inside: NDArray[np.bool_]
    near: NDArray[np.bool_]
    visible: NDArray[np.bool_]


def seen_kilns(scene: Scene, kilns: Boxes) -> SeenKilns:
    """Look at the 3 x 3 pixels at each kiln's centre."""
    grid = scene.info.grid
    col, row = grid.pixel(kilns.lon, kilns.lat)
    across, down = (NEAR_M / side for side in grid.pixel_size_m())
    near = (col >= -across) & (col < grid.width + across) & (row >= -down) & (row < grid.height + down)
    inside = (col >= 0) & (col < grid.width) & (row >= 0) & (row < grid.height)
    visible = np.zeros(len(kilns), dtype=np.bool_)
    for k in np.flatnonzero(inside):
        visible[k] = scene.read(Window(int(col[k]) - 1, int(row[k]) - 1, 3, 3)).valid.any()
    return SeenKilns(inside, near, visible)
