"""training.peers.lesson: a crop as torchvision's detectors want it; pure."""

import numpy as np
import torch
from torch import Tensor

from geodata.grid import Floats
from training.cut import Crop
from training.scenes import PixelBoxes


def hulls(kilns: PixelBoxes) -> Floats:
    """(n, 4): left, top, right, bottom of the boxes along the axes that hold the turned ones."""
    reach = np.abs(kilns.along) + np.abs(kilns.across)
    centre = np.stack([kilns.col, kilns.row], -1)
    return np.concatenate([centre - reach, centre + reach], 1)


def target(crop: Crop, up: int) -> dict[str, Tensor]:
    """Boxes (n, 4; up-sampled pixels), labels (n,; all 0) and `ignore` (s, s; the crop's own pixels).

    A kiln is learnt whole if its centre lies in the crop, on ground that may be learnt, and if it is rather
    one than not and of known size; another one's hull is ignored, as is all ground of weight 0 (unverified
    places, cut kilns, nodata, held-back land).
    """
    size = crop.weight.shape[0]
    boxes, ignore = hulls(crop.kilns), (crop.weight == 0).numpy()
    col, row = np.floor(crop.kilns.col).astype(int), np.floor(crop.kilns.row).astype(int)
    learnt = (col >= 0) & (col < size) & (row >= 0) & (row < size)
    learnt &= (crop.kilns.probability >= 0.5) & crop.kilns.size_known
    learnt[learnt] = ~ignore[row[learnt], col[learnt]]
    ignore = ignore.copy()
    for left, top, right, bottom in np.clip(boxes[~learnt], 0, size):
        ignore[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
    return {
        "boxes": torch.tensor(boxes[learnt] * up, dtype=torch.float32).reshape(-1, 4),
        "labels": torch.zeros(int(learnt.sum()), dtype=torch.int64),
        "ignore": torch.from_numpy(ignore),
    }
