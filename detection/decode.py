"""detection.decode: the net's maps -> boxes on the ground; knows nothing of windows or files."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detection.matched_filter import matched_filter
from detection.runtime import HeadOutput
from geodata.grid import Floats, Grid
from geodata.obb import Boxes, canonical

STRIDE = 2
LENGTH_PX_LIMITS = (3.0, 60.0)


@dataclass(frozen=True)
class PixelDetections:
    """n detections in the pixels of the net's input; all float64."""

    col: Floats
    row: Floats
    length_px: Floats
    width_px: Floats
    angle_rad: Floats
    """Long axis in the pixel frame, y up."""
    score: Floats


def decode(
    output: HeadOutput, floor: float, sigma_cells: tuple[float, float] = (0.0, 0.0)
) -> PixelDetections:
    """Local maxima of the filtered heat (3 x 3 cells) at or above `floor`; see `detection.matched_filter`.

    Offset, size and angle are means over the 3 x 3 cells, weighted with their heat: the net is trained to
    answer the same box at all of them, and the mean is steadier than the peak alone.
    """
    heat = matched_filter(output.heat.astype(np.float64), sigma_cells)
    around = sliding_window_view(np.pad(heat, 1), (3, 3))
    row, col = np.nonzero((heat >= floor) & (heat >= around.max(axis=(2, 3))))
    weight = around[row, col]
    weight = weight / weight.sum(axis=(1, 2), keepdims=True)
    maps = np.pad(output.regression.astype(np.float64), ((0, 0), (1, 1), (1, 1)))
    maps = sliding_window_view(maps, (3, 3), axis=(1, 2))[:, row, col]
    step = np.arange(-1.0, 2.0)
    maps = maps.copy()
    maps[0] += step[None, None, :]
    maps[1] += step[None, :, None]
    mean = (maps * weight).sum(axis=(2, 3))
    low, high = np.log(LENGTH_PX_LIMITS)
    return PixelDetections(
        col=(col + 0.5 + mean[0]) * STRIDE,
        row=(row + 0.5 + mean[1]) * STRIDE,
        length_px=np.exp(np.clip(mean[2], low, high)),
        width_px=np.exp(np.clip(mean[3], low, high)),
        angle_rad=np.arctan2(mean[5], mean[4]) / 2,
        score=heat[row, col],
    )


def to_boxes(
    found: PixelDetections, grid: Grid, col0: float = 0.0, row0: float = 0.0
) -> tuple[Boxes, Floats]:
    """Boxes on the ground, and their scores.

    Args:
        found: detections in a window.
        grid: the scene's grid.
        col0: the window's left edge in the scene's pixels.
        row0: its upper edge.
    """
    col, row = found.col + col0, found.row + row0
    lon, lat = grid.lonlat(col, row)
    if not len(col):
        none = np.zeros(0)
        return Boxes(none, none, none, none, none), none
    cos, sin = np.cos(found.angle_rad), np.sin(found.angle_rad)
    # rows run down, the angle is counted with y up
    along = np.stack([cos, -sin], -1) * found.length_px[:, None]
    across = np.stack([sin, cos], -1) * found.width_px[:, None]
    jacobian = grid.jacobian_m(col, row)
    along_m = np.einsum("nij,nj->ni", jacobian, along)
    across_m = np.einsum("nij,nj->ni", jacobian, across)
    length = np.hypot(along_m[:, 0], along_m[:, 1])
    # a pixel rectangle is a parallelogram on the ground: keep its long side and its area
    area = np.abs(along_m[:, 0] * across_m[:, 1] - along_m[:, 1] * across_m[:, 0])
    angle = np.degrees(np.arctan2(along_m[:, 1], along_m[:, 0]))
    length, width, angle = canonical(length, area / np.maximum(length, 1e-9), angle)
    return Boxes(lon, lat, length, width, angle), found.score
