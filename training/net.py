"""training.net: the small oriented, anchor-free, fully convolutional detector.

After CenterNet (Zhou et al. 2019, arXiv 1904.07850): a heat-map of centres, and beside it offset, size
and angle. Residual stages at strides 2 to 16, summed top-down back to stride 2 (Lin et al. 2017, arXiv
1612.03144).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.resnet import BasicBlock
from torchvision.ops import Conv2dNormActivation

STRIDE = 2
INPUT_MULTIPLE = 16
REGRESSION = ("offset_col", "offset_row", "log_length_px", "log_width_px", "cos_2angle", "sin_2angle")
"""Offsets are in cells of the heat-map from the cell's centre; the angle is that of the long axis in the
pixel frame with y up."""


class KilnNet(nn.Module):
    """Input (n, bands, h, w), sides multiples of 16; output (n, 7, h/2, w/2): heat logit, REGRESSION."""

    def __init__(
        self, bands: int = 3, widths: Sequence[int] = (16, 24, 64, 112, 144), head: int = 32
    ) -> None:
        super().__init__()
        stem, *stages = widths
        self.stem = Conv2dNormActivation(bands, stem, 3)
        self.stages = nn.ModuleList()
        below = stem
        for k, width in enumerate(stages):
            blocks = [BasicBlock(width, width) for _ in range(1 if k == 0 else 2)]
            self.stages.append(nn.Sequential(Conv2dNormActivation(below, width, 3, stride=2), *blocks))
            below = width
        self.laterals = nn.ModuleList(nn.Conv2d(w, head, 1) for w in stages)
        self.smooth = Conv2dNormActivation(head, head, 3)
        self.heat = nn.Sequential(Conv2dNormActivation(head, head, 3), nn.Conv2d(head, 1, 1))
        self.regression = nn.Sequential(
            Conv2dNormActivation(head, head, 3), nn.Conv2d(head, len(REGRESSION), 1)
        )
        self._initialise()

    def _initialise(self) -> None:
        last = self.heat[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        # a prior of 1 % for the heat keeps the first steps calm (Lin et al. 2017, arXiv 1708.02002, 3.3)
        nn.init.constant_(last.bias, -4.6)
        for module in self.modules():
            if isinstance(module, BasicBlock):
                nn.init.zeros_(module.bn2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Heat logit and regression maps, stacked."""
        x = self.stem(x)
        levels = []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        top = self.laterals[-1](levels[-1])
        for level, lateral in zip(reversed(levels[:-1]), list(self.laterals)[-2::-1], strict=True):
            top = lateral(level) + F.interpolate(top, scale_factor=2.0, mode="nearest")
        top = self.smooth(top)
        return torch.cat([self.heat(top), self.regression(top)], dim=1)
