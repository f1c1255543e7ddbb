"""training.targets: what the net should answer on a crop, and how far off it is."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.net import REGRESSION, STRIDE
from training.scenes import PixelBoxes


@dataclass(frozen=True)
class Targets:
    """Heat (h, w), its weight (h, w), regression (6, h, w) and where that counts (h, w)."""

    heat: Tensor
    weight: Tensor
    regression: Tensor
    regression_weight: Tensor


def draw_targets(kilns: PixelBoxes, weight: Tensor) -> Targets:
    """Gaussians of sigma = width / 5 (at least 0.7 cells) at the centres, regression at 3 x 3 cells.

    Args:
        kilns: boxes in the crop's pixels.
        weight: (s, s), 0 where nothing may be learnt.
    """
    cells = weight.shape[0] // STRIDE
    cell_weight = -F.max_pool2d(-weight[None], STRIDE)[0]
    heat, reg_weight = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    regression = np.zeros((len(REGRESSION), cells, cells), np.float32)
    nearest = np.full((cells, cells), np.inf)
    rows, cols = np.mgrid[:cells, :cells]
    for c, r, along, across in zip(kilns.col, kilns.row, kilns.along, kilns.across, strict=True):
        x, y = c / STRIDE - 0.5, r / STRIDE - 0.5
        length = 2 * np.hypot(*along)
        width = 2 * abs(along[0] * across[1] - along[1] * across[0]) / max(np.hypot(*along), 1e-6)
        sigma = max(width / STRIDE / 5, 0.7)
        peak_col, peak_row = round(float(x)), round(float(y))
        far2 = (cols - peak_col) ** 2 + (rows - peak_row) ** 2
        heat = np.maximum(heat, np.exp(-far2 / (2 * sigma**2)).astype(np.float32))
        angle = np.arctan2(-along[1], along[0])
        distance2 = (cols - x) ** 2 + (rows - y) ** 2
        mine = (abs(cols - peak_col) <= 1) & (abs(rows - peak_row) <= 1) & (distance2 < nearest)
        nearest[mine] = distance2[mine]
        fixed = [np.log(length), np.log(max(width, 1.0)), np.cos(2 * angle), np.sin(2 * angle)]
        regression[:, mine] = np.stack(
            [x - cols[mine], y - rows[mine], *(np.full(mine.sum(), v) for v in fixed)]
        )
        reg_weight[mine] = 1
    return Targets(
        torch.from_numpy(heat),
        cell_weight,
        torch.from_numpy(regression),
        torch.from_numpy(reg_weight) * cell_weight,
    )


def heat_loss(logit: Tensor, heat: Tensor, weight: Tensor) -> Tensor:
    """Penalty-reduced focal loss (CornerNet, arXiv 1808.01244, eq. 1), a sum over cells."""
    p = torch.sigmoid(logit).clamp(1e-4, 1 - 1e-4)
    is_peak = (heat > 0.999).float()
    positive = -((1 - p) ** 2) * torch.log(p) * is_peak
    negative = -((1 - heat) ** 4) * p**2 * torch.log(1 - p) * (1 - is_peak)
    return ((positive + negative) * weight).sum()


REGRESSION_GAIN = torch.tensor([0.6, 0.6, 0.6, 0.6, 0.3, 0.3])


def losses(output: Tensor, targets: list[Targets]) -> tuple[Tensor, Tensor]:
    """Heat loss and regression loss of a batch, each a mean per kiln (at least one)."""
    device = output.device
    heat = torch.stack([t.heat for t in targets]).to(device)
    weight = torch.stack([t.weight for t in targets]).to(device)
    regression = torch.stack([t.regression for t in targets]).to(device)
    reg_weight = torch.stack([t.regression_weight for t in targets]).to(device)
    peaks = ((heat > 0.999) * weight).sum().clamp(min=1)
    first = heat_loss(output[:, 0], heat, weight) / peaks
    gap = F.smooth_l1_loss(output[:, 1:], regression, reduction="none", beta=0.1)
    second = (
        gap * REGRESSION_GAIN.to(device)[:, None, None] * reg_weight[:, None]
    ).sum() / reg_weight.sum().clamp(min=1)
    return first, second
