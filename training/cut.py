"""training.cut: a crop, cut out of a scene, turned and zoomed."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from training.scenes import PixelBoxes, TrainingScene


@dataclass(frozen=True)
class Crop:
    """One training example: pixels (bands, s, s), weight (s, s), boxes in the crop's pixels."""

    pixels: Tensor
    weight: Tensor
    kilns: PixelBoxes
    scene: int
    centre: tuple[float, float]
    matrix: NDArray[np.float64]
    """From crop pixels (about the crop's centre) to scene pixels (about `centre`)."""


def warp(
    scene: TrainingScene,
    k: int,
    centre: tuple[float, float],
    matrix: NDArray[np.float64],
    size: int,
    fine: int = 1,
) -> Crop:
    """Cut a turned and zoomed crop (bilinear; the mean of `fine` x `fine` points a pixel) with its boxes."""
    half = size / 2
    reach = np.abs(matrix) @ np.array([half, half]) + 2
    height, width = scene.weight.shape
    c0, c1 = (int(np.clip(v, 0, width)) for v in (centre[0] - reach[0], centre[0] + reach[0] + 1))
    r0, r1 = (int(np.clip(v, 0, height)) for v in (centre[1] - reach[1], centre[1] + reach[1] + 1))
    c1, r1 = max(c1, c0 + 1), max(r1, r0 + 1)
    c0, r0 = min(c0, width - 1), min(r0, height - 1)
    pixels = torch.from_numpy(scene.pixels[:, r0:r1, c0:c1])
    weight = torch.from_numpy(scene.weight[r0:r1, c0:c1])
    # grid_sample counts in [-1, 1] over the source's outer edges (align_corners=False)
    w, h = pixels.shape[2], pixels.shape[1]
    theta = np.empty((2, 3))
    theta[:, :2] = matrix * half * 2 / np.array([[w], [h]])
    theta[:, 2] = [2 * (centre[0] - c0) / w - 1, 2 * (centre[1] - r0) / h - 1]
    grid = F.affine_grid(
        torch.tensor(theta[None], dtype=torch.float32), [1, 1, size * fine, size * fine], align_corners=False
    )
    both = F.grid_sample(torch.cat([pixels, weight[None]])[None], grid, align_corners=False)[0]
    if fine > 1:
        both = F.avg_pool2d(both, fine)
    inverse = np.linalg.inv(matrix)
    at = (np.stack([scene.kilns.col, scene.kilns.row], -1) - np.array(centre)) @ inverse.T + half
    near = np.all((at > -half / 2) & (at < size + half / 2), axis=1)
    along, across = scene.kilns.along @ inverse.T, scene.kilns.across @ inverse.T
    boxes = replace(scene.kilns, col=at[:, 0], row=at[:, 1], along=along, across=across).take(near)
    return Crop(both[:-1], (both[-1] > 0.99).float(), boxes, k, centre, matrix)
