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
    """Heat (h, w), its weight (h, w), regression (6, h, w), where that counts (h, w), quality (h, w)."""

    heat: Tensor
    """How near a label's centre is: 1 at the centre's cell, whatever its probability."""
    weight: Tensor
    regression: Tensor
    regression_weight: Tensor
    quality: Tensor
    """What the answer should be at a label's centre: its probability; 1 everywhere else."""


def draw_targets(kilns: PixelBoxes, weight: Tensor) -> Targets:
    """Gaussians of sigma = width / 5 (at least 0.7 cells) at the centres, regression at 3 x 3 cells.

    Where two labels fall on one cell the more probable one counts. A label of unknown size teaches its centre
    only: its regression weight is 0.

    Args:
        kilns: boxes in the crop's pixels.
        weight: (s, s), 0 where nothing may be learnt.
    """
    cells = weight.shape[0] // STRIDE
    cell_weight = -F.max_pool2d(-weight[None], STRIDE)[0]
    heat, reg_weight = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    regression = np.zeros((len(REGRESSION), cells, cells), np.float32)
    nearest, quality = np.full((cells, cells), np.inf), np.ones((cells, cells), np.float32)
    rows, cols = np.mgrid[:cells, :cells]
    for k in np.argsort(kilns.probability, kind="stable"):
        along, across = kilns.along[k], kilns.across[k]
        x, y = kilns.col[k] / STRIDE - 0.5, kilns.row[k] / STRIDE - 0.5
        length = 2 * np.hypot(*along)
        width = 2 * abs(along[0] * across[1] - along[1] * across[0]) / max(np.hypot(*along), 1e-6)
        sigma = max(width / STRIDE / 5, 0.7)
        peak_col, peak_row = round(float(x)), round(float(y))
        far2 = (cols - peak_col) ** 2 + (rows - peak_row) ** 2
        heat = np.maximum(heat, np.exp(-far2 / (2 * sigma**2)).astype(np.float32))
        quality[far2 == 0] = kilns.probability[k]
        if not kilns.size_known[k]:
            continue
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
        torch.from_numpy(quality),
    )


def heat_loss(logit: Tensor, heat: Tensor, weight: Tensor, quality: Tensor | None = None) -> Tensor:
    """Penalty-reduced focal loss (CornerNet, arXiv 1808.01244, eq. 1), a sum over cells.

    Its peaks push towards 1. At the peaks of soft labels (`quality` < 1) the quality focal loss takes its
    place (GFL, arXiv 2006.04388, eq. 5, beta = 2): it is 0, its least, where the answer is the quality.
    Around them the penalty is reduced as around any other label. Without `quality` all labels are hard.
    """
    p = torch.sigmoid(logit).clamp(1e-4, 1 - 1e-4)
    is_peak = (heat > 0.999).float()
    positive = -((1 - p) ** 2) * torch.log(p) * is_peak
    negative = -((1 - heat) ** 4) * p**2 * torch.log(1 - p) * (1 - is_peak)
    loss = positive + negative
    if quality is not None:
        entropy = -(quality * torch.log(p) + (1 - quality) * torch.log(1 - p))
        loss = torch.where((heat > 0.999) & (quality < 1), (quality - p) ** 2 * entropy, loss)
    return (loss * weight).sum()


REGRESSION_GAIN = torch.tensor([0.6, 0.6, 0.6, 0.6, 0.3, 0.3])


def losses(output: Tensor, targets: list[Targets]) -> tuple[Tensor, Tensor]:
    """Heat loss and regression loss of a batch, each a mean per kiln (at least one)."""
    device = output.device
    heat = torch.stack([t.heat for t in targets]).to(device)
    weight = torch.stack([t.weight for t in targets]).to(device)
    regression = torch.stack([t.regression for t in targets]).to(device)
    reg_weight = torch.stack([t.regression_weight for t in targets]).to(device)
    peaks = ((heat > 0.999) * weight).sum().clamp(min=1)
    quality = torch.stack([t.quality for t in targets])
    # hard labels alone take the plain loss, bit for bit
    soft = quality.to(output.device) if bool((quality < 1).any()) else None
    first = heat_loss(output[:, 0], heat, weight, soft) / peaks
    gap = F.smooth_l1_loss(output[:, 1:], regression, reduction="none", beta=0.1)
    second = (
        gap * REGRESSION_GAIN.to(device)[:, None, None] * reg_weight[:, None]
    ).sum() / reg_weight.sum().clamp(min=1)
    return first, second
