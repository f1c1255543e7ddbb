"""training.noise: less trust in labels that the averaged net contradicts strongly.

After Reed et al. 2014 (arXiv 1412.6596): a net that has learnt from many labels knows some that are wrong.
It is asked only late in a training, and only where it is very sure, so that it cannot talk itself into much:
1 to 2 % of visible kilns have no label, and a few labels lie where no kiln is.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from training.targets import Targets

SURE = 0.9
"""An unlabelled place with so much heat may be a kiln without a label: it is neither right nor wrong."""
NOTHING = 0.02
"""A labelled kiln with less heat than this within two cells may be none ..."""
MISSED_WEIGHT = 0.25
"""... and counts so much."""


def averaged_heat(ema: AveragedModel, x: Tensor) -> Tensor:
    """The averaged net's heat (n, h, w), on the CPU as targets are, on crops (n, bands, s, s)."""
    ema.module.eval()
    with torch.no_grad():
        return torch.sigmoid(ema.module(x)[:, 0].float()).cpu()


def doubted(targets: Targets, heat: Tensor) -> Targets:
    """Targets of a crop with less weight where the averaged net's heat (h, w) contradicts them.

    Labels that are soft already, and everything near a label, stay as they are.
    """
    strange = ((heat > SURE) & (targets.heat < 0.05)).float()
    seen = F.max_pool2d(heat[None], 5, 1, 2)[0]
    missed = ((targets.heat > 0.999) & (targets.quality == 1) & (seen < NOTHING)).float()
    trust = 1 - (1 - MISSED_WEIGHT) * F.max_pool2d(missed[None], 3, 1, 1)[0]
    unknown = F.max_pool2d(strange[None], 5, 1, 2)[0] * (targets.heat < 0.05)
    return replace(
        targets,
        weight=targets.weight * trust * (1 - unknown),
        regression_weight=targets.regression_weight * trust,
    )
