"""training.peers.nets: torchvision's FCOS and RetinaNet on small kilns; knows nothing of scenes or files.

FCOS: Tian et al. 2019 (arXiv 1904.01355). RetinaNet: Lin et al. 2017 (arXiv 1708.02002). Both answer boxes
along the axes. Nothing of torchvision is changed but what its settings do not reach: input that is normalised
and up-sampled already, heads with fewer convolutions, and ground from which nothing may be learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v3_large, resnet18
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.fcos import FCOSHead
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops.feature_pyramid_network import ExtraFPNBlock

from training.peers.tries import Try

SIZE_MULTIPLE = 32
"""Sides of the input, before up-sampling: the coarsest stage has stride 32."""
SCORE_FLOOR = 0.05
"""Least score of a detection; the own net's candidates begin there too."""
_MOST_BOXES = 3000
_CERTAINLY_NOT = -20.0
"""A logit without loss and without gradient."""
_NEAR_PX = 3.0
"""So near to a kiln's box an answer is no false alarm."""


@dataclass(frozen=True)
class Alarm:
    """The strongest answer of a crop away from kilns: place in the crop's pixels, and score."""

    col: float
    row: float
    score: float


class AsIs(nn.Module):
    """In the place of torchvision's resizing and normalising: the input is both already."""

    def forward(self, images: Tensor, targets: Any = None) -> tuple[ImageList, Any]:
        """(n, bands, h, w) as it is."""
        size = (int(images.shape[2]), int(images.shape[3]))
        return ImageList(images, [size] * len(images)), targets

    def postprocess(self, result: Any, _shapes: Any, _sizes: Any) -> Any:
        """Boxes as they are."""
        return result


class _Lesson:
    """Mixed into both detectors: what lies under a target's `ignore` costs nothing, whatever is answered.

    `ignore` is bool (s, s) in the crop's own pixels, before up-sampling.
    """

    up: int
    alarms: list[Alarm]

    def compute_loss(
        self,
        targets: list[dict[str, Tensor]],
        head_outputs: dict[str, Tensor],
        anchors: list[Tensor],
        *more: Any,
    ) -> dict[str, Tensor]:
        """The losses by name; notes `alarms` on the way."""
        logits = head_outputs["cls_logits"]
        centres = [(a[:, :2] + a[:, 2:]) / 2 for a in anchors]
        ignored = torch.stack([_ignored(c, t, self.up) for c, t in zip(centres, targets, strict=True)])
        near = torch.stack(
            [_inside(c, t["boxes"], _NEAR_PX * self.up) for c, t in zip(centres, targets, strict=True)]
        )
        answers = torch.sigmoid(logits.detach()).amax(-1).masked_fill(ignored | near, 0)
        self.alarms = [_strongest(c, p, self.up) for c, p in zip(centres, answers, strict=True)]
        quiet = {**head_outputs, "cls_logits": logits.masked_fill(ignored[..., None], _CERTAINLY_NOT)}
        losses: dict[str, Tensor] = super().compute_loss(targets, quiet, anchors, *more)  # type: ignore[misc]
        return losses


class PeerFCOS(_Lesson, FCOS):  # type: ignore[misc]  # torchvision's is untyped
    """FCOS that can be told to learn nothing from some ground."""


class PeerRetinaNet(_Lesson, RetinaNet):  # type: ignore[misc]
    """RetinaNet that can be told to learn nothing from some ground."""


def build(one: Try, bands: int) -> nn.Module:
    """A detector with random weights for (n, bands, h, w), sides multiples of `SIZE_MULTIPLE` times `up`."""
    backbone = _backbone(one, bands)
    options = {"score_thresh": SCORE_FLOOR, "nms_thresh": one.nms_iou, "detections_per_img": _MOST_BOXES}
    options["topk_candidates"] = _MOST_BOXES
    net: Any = (_fcos if one.detector == "fcos" else _retinanet)(one, backbone, options)
    net.transform, net.up, net.alarms = AsIs(), one.up, []
    out: nn.Module = net.to(memory_format=torch.channels_last)
    return out


def upsampled(pixels: Tensor, up: int) -> Tensor:
    """(n, bands, h, w) -> (n, bands, up h, up w), bilinear."""
    if up > 1:
        pixels = F.interpolate(pixels, scale_factor=float(up), mode="bilinear", align_corners=False)
    return pixels.contiguous(memory_format=torch.channels_last)


def _backbone(one: Try, bands: int) -> nn.Module:
    """Batch norm as it stands: a batch of 8 crops has thousands of cells at each stage that counts."""
    if one.backbone == "resnet18":
        body: Any = resnet18(weights=None)
        body.conv1 = nn.Conv2d(bands, 64, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(body.conv1.weight, mode="fan_out", nonlinearity="relu")
        ends = {k: (f"layer{k}", 32 * 2**k) for k in (1, 2, 3, 4)}
    else:
        # its own momentum of 0.01 would follow too slowly in some hundred steps
        norm = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.1)
        body = mobilenet_v3_large(weights=None, norm_layer=norm).features
        body[0][0] = nn.Conv2d(bands, 16, 3, stride=2, padding=1, bias=False)
        nn.init.kaiming_normal_(body[0][0].weight, mode="fan_out")
        # the last block of each stride from 4 to 32
        ends = {k: (str(at), int(body[at].out_channels)) for k, at in ((1, 3), (2, 6), (3, 12), (4, 15))}
    names = {ends[k][0]: str(place) for place, k in enumerate(one.levels)}
    widths = [ends[k][1] for k in one.levels]
    out: nn.Module = BackboneWithFPN(body, names, widths, one.channels, extra_blocks=_NoMore())
    return out


class _NoMore(ExtraFPNBlock):  # type: ignore[misc]
    """No levels beyond those of the backbone: no kiln is as large as that."""

    def forward(
        self, results: list[Tensor], _x: list[Tensor], names: list[str]
    ) -> tuple[list[Tensor], list[str]]:
        """What came in."""
        return results, names


def _fcos(one: Try, backbone: nn.Module, options: dict[str, Any]) -> nn.Module:
    strides = [4.0 * 2 ** (k - 1) for k in one.levels]
    anchors = AnchorGenerator(tuple((s,) for s in strides), ((1.0,),) * len(strides))
    head = FCOSHead(one.channels, 1, 1, one.convs)
    return PeerFCOS(backbone, 1, anchor_generator=anchors, head=head, **options)


def _retinanet(one: Try, backbone: nn.Module, options: dict[str, Any]) -> nn.Module:
    sizes = tuple(tuple(a * one.up * 2**place for a in one.anchors_px) for place in range(len(one.levels)))
    anchors = AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * len(sizes))
    norm = partial(nn.GroupNorm, 32)
    head = RetinaNetHead(one.channels, anchors.num_anchors_per_location()[0], 1, norm_layer=norm)
    for part in (head.classification_head, head.regression_head):
        part.conv = part.conv[: one.convs]
    thresholds = {"fg_iou_thresh": one.fg_iou, "bg_iou_thresh": one.fg_iou - 0.1}
    return PeerRetinaNet(backbone, 1, anchor_generator=anchors, head=head, **thresholds, **options)


def _inside(centres: Tensor, boxes: Tensor, margin: float) -> Tensor:
    x, y = centres[:, None, 0], centres[:, None, 1]
    left, top, right, bottom = boxes[None].unbind(-1)
    inside = (x > left - margin) & (x < right + margin) & (y > top - margin) & (y < bottom + margin)
    return inside.any(1)


def _ignored(centres: Tensor, target: dict[str, Tensor], up: int) -> Tensor:
    # a kiln that is learnt stays so where it reaches into what is not
    ignore = target["ignore"]
    col, row = (centres / up).long().clamp(0, ignore.shape[0] - 1).unbind(-1)
    return ignore[row, col] & ~_inside(centres, target["boxes"], 0.0)


def _strongest(centres: Tensor, answers: Tensor, up: int) -> Alarm:
    at = int(answers.argmax())
    col, row = (centres[at] / up).tolist()
    return Alarm(col, row, float(answers[at]))


def parameters_of(net: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def losses_of(net: nn.Module, pixels: Tensor, targets: Sequence[dict[str, Tensor]]) -> tuple[Tensor, Tensor]:
    """Classification loss, and the sum of the others."""
    losses: dict[str, Tensor] = net(pixels, list(targets))
    box = torch.stack([value for name, value in losses.items() if name != "classification"]).sum()
    return losses["classification"], box
