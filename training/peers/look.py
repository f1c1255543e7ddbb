"""training.peers.look: a peer's net on whole scenes, in the same windows as the own net."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import box_iou, nms

from detection.coverage import Observed
from detection.normalise import normalise
from detection.scan import Scan
from detection.windows import ScanWindow, windows
from geodata.grid import Floats, Grid
from geodata.obb import Boxes, canonical
from geodata.scene import BandStats, Scene
from geodata.tiles import observed_shares
from training.peers.nets import SCORE_FLOOR, SIZE_MULTIPLE, upsampled
from training.peers.tries import Try
from training.scenes import NORMALISATION, Mask

_MIRRORS: dict[int, tuple[tuple[int, ...], ...]] = {1: ((),), 2: ((), (3,)), 4: ((), (3,), (2,), (2, 3))}
"""Axes that are mirrored in each view."""


def scan(scene: Scene, net: nn.Module, one: Try, wanted: Mask, views: int = 1) -> Scan:
    """Detections from `SCORE_FLOOR` up, at least on the wanted ground.

    Args:
        scene: open, with the bands that were learnt.
        net: in evaluation mode.
        one: its settings.
        wanted: (height, width); windows without any are left out.
        views: mirror images whose answers are fused.
    """
    grid, stats = scene.info.grid, scene.stats()
    found: list[tuple[Tensor, Tensor]] = [(torch.empty(0, 4), torch.empty(0))]
    for window in windows(grid.width, grid.height, SIZE_MULTIPLE, NORMALISATION.halo_px):
        core = window.core
        if stats and wanted[core.row : core.row + core.height, core.col : core.col + core.width].any():
            found.append(_look(scene, stats, window, net, one, views))
    boxes, scores = (torch.cat(parts) for parts in zip(*found, strict=True))
    # what two windows see at their seam
    kept = nms(boxes, scores, one.nms_iou)
    ground, values = on_the_ground(boxes[kept].double().numpy(), grid), scores[kept].double().numpy()
    return Scan(scene.info, ground, values, Observed(observed_shares(scene)))


def _look(
    scene: Scene, stats: tuple[BandStats, ...], window: ScanWindow, net: nn.Module, one: Try, views: int
) -> tuple[Tensor, Tensor]:
    """Boxes (n, 4) in the scene's pixels whose centres lie in the window's core, and scores (n,)."""
    patch = scene.read(window.read)
    rows, cols = window.net_in_read()
    pixels = normalise(patch.pixels, patch.valid, stats, NORMALISATION)[None, :, rows, cols]
    boxes, scores = fuse(list(_answers(net, torch.from_numpy(pixels), one.up, views)), one.nms_iou)
    boxes = boxes + torch.tensor([window.net.col, window.net.row] * 2)
    col, row = ((boxes[:, :2] + boxes[:, 2:]) / 2).unbind(1)
    core = window.core
    mine = (
        (col >= core.col) & (col < core.col + core.width) & (row >= core.row) & (row < core.row + core.height)
    )
    # as in `detection.scan`: a valid pixel at the centre or beside it
    valid = torch.from_numpy(patch.valid[rows, cols].astype(np.float32))
    seen = F.max_pool2d(valid[None], 3, 1, 1)[0] > 0
    c, r = (col - window.net.col).long(), (row - window.net.row).long()
    mine &= seen[r.clamp(0, seen.shape[0] - 1), c.clamp(0, seen.shape[1] - 1)] & (scores >= SCORE_FLOOR)
    return boxes[mine], scores[mine]


def _answers(net: nn.Module, pixels: Tensor, up: int, views: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Boxes in the window's pixels and scores, of each view, mirrored back."""
    height, width = pixels.shape[2:]
    for axes in _MIRRORS[views]:
        with torch.inference_mode():
            answer = net(upsampled(torch.flip(pixels, axes), up))[0]
        boxes, scores = answer["boxes"].clone() / up, answer["scores"].clone()
        if 3 in axes:
            boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
        if 2 in axes:
            boxes[:, [1, 3]] = height - boxes[:, [3, 1]]
        yield boxes, scores


def fuse(views: list[tuple[Tensor, Tensor]], iou: float) -> tuple[Tensor, Tensor]:
    """One set of boxes from several views' (after Solovyev et al. 2021, arXiv 1910.13302).

    A box is the mean, by score, of those that overlap it most; its score is the mean over the views of the
    best of them, 0 for a view that has none.
    """
    boxes, scores = (torch.cat(parts) for parts in zip(*views, strict=True))
    if len(views) == 1 or not len(boxes):
        return boxes, scores
    view = torch.cat([torch.full((len(s),), k) for k, (_, s) in enumerate(views)])
    kept = nms(boxes, scores, iou)
    best, group = box_iou(boxes, boxes[kept]).max(1)
    member = F.one_hot(group, len(kept)).bool() & (best >= iou)[:, None]
    weight = member * scores[:, None]
    centre = (weight.T @ boxes) / weight.sum(0)[:, None]
    highest = [torch.where((view == k)[:, None], weight, 0).amax(0) for k in range(len(views))]
    return centre, torch.stack(highest).mean(0)


def on_the_ground(boxes: Floats, grid: Grid) -> Boxes:
    """Boxes along the scene's axes (n, 4; its pixels) as boxes on the ground, through the local Jacobian."""
    if not len(boxes):
        none = np.zeros(0)
        return Boxes(none, none, none, none, none)
    col, row = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    lon, lat = grid.lonlat(col, row)
    size: Floats = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.1)
    jacobian: NDArray[np.float64] = grid.jacobian_m(col, row)
    right, down = jacobian[:, :, 0] * size[:, :1], jacobian[:, :, 1] * size[:, 1:]
    width, area = np.hypot(*right.T), np.abs(right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0])
    angle = np.degrees(np.arctan2(right[:, 1], right[:, 0]))
    return Boxes(lon, lat, *canonical(width, area / width, angle))
