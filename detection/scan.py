"""detection.scan: one scene through the net, window by window; knows nothing of files or tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detection.bundle import Card, load_bundle
from detection.coverage import Observed
from detection.decode import PixelDetections, decode, to_boxes
from detection.normalise import normalise
from detection.runtime import HeadOutput, OnnxRuntime
from detection.suppress import suppress
from detection.windows import CORE_PX, ScanWindow, windows
from detection.zoom import enlarged, reduced
from geodata.grid import Floats, Grid
from geodata.obb import Boxes
from geodata.scene import BandStats, Patch, Scene, SceneInfo
from geodata.tiles import observed_shares, tile_id, tiles_of

SEAM_PX = 0.5
"""Windows keep what lies so little outside their core, since rounding may put a centre on either side of a
seam; suppression removes what is then double."""
SEEN_PX = 1
"""A detection needs a valid pixel at its centre or within so many pixels of it."""


class Net(Protocol):
    """Something that answers normalised pixels with maps."""

    def run(self, pixels: NDArray[np.float32]) -> HeadOutput:
        """Maps for float32 (1, bands, height, width)."""
        ...


@dataclass(frozen=True)
class Detector:
    """A model that is ready to run."""

    card: Card
    model_id: str
    net: Net
    zoom: float = 1.0
    """How many times as large as it is the net sees the land, see `detection.zoom`."""


@dataclass(frozen=True)
class Scan:
    """What a scene gave: all boxes from the card's `candidate_floor` up, and what was observed."""

    info: SceneInfo
    boxes: Boxes
    scores: Floats
    """Rounded to float32, as they are written."""
    observed: Observed
    zoom: float = 1.0
    """How many times enlarged the net saw the scene."""

    def take(self, index: NDArray[np.intp]) -> "Scan":
        """The same scan with only some of its boxes."""
        return Scan(self.info, self.boxes.take(index), self.scores[index], self.observed, self.zoom)


def load_detector(folder: Path, threads: int = 1) -> Detector:
    """Load a bundle for running. Raises `InputError` as `load_bundle`."""
    bundle = load_bundle(folder)
    return Detector(bundle.card, bundle.model_id, OnnxRuntime(bundle.onnx_path, threads))


def zoomed_plan(info: SceneInfo, detector: Detector) -> list[ScanWindow]:
    """`window_plan` for a detector that may enlarge what it sees: it needs no more memory for that."""
    return window_plan(info, detector.card, round(CORE_PX / detector.zoom))


def window_plan(
    info: SceneInfo, card: Card, core_px: int = CORE_PX, offset: tuple[int, int] = (0, 0)
) -> list[ScanWindow]:
    """The windows of a scene; their number tells how long it takes."""
    return windows(
        info.grid.width, info.grid.height, card.input_multiple, card.normalisation.halo_px, core_px, offset
    )


def scan(
    scene: Scene, detector: Detector, plan: list[ScanWindow], report: Callable[[], None] = lambda: None
) -> Scan:
    """Run one scene.

    Args:
        scene: an open scene with the card's bands.
        detector: the model.
        plan: from `window_plan`.
        report: called after each window.

    Raises:
        InputError: for a block that does not decode.
    """
    info = scene.info
    if not scene.stats():
        nothing = {tile_id(tile): 0.0 for tile in tiles_of(info.grid)}
        return Scan(info, *concatenate([]), Observed(nothing), detector.zoom)
    boxes, scores = look(scene, detector, plan, report)
    return Scan(info, boxes, scores, Observed(observed_shares(scene)), detector.zoom)


def look(
    scene: Scene, detector: Detector, plan: list[ScanWindow], report: Callable[[], None] = lambda: None
) -> tuple[Boxes, Floats]:
    """What is found in windows of a scene, each once; as `scan`."""
    stats, found = scene.stats(), list[tuple[Boxes, Floats]]()
    for window in plan:
        patch = scene.read(window.read)
        if stats and patch.valid[window.core_in_read()].any():
            found.append(_detect(patch, window, stats, detector, scene.info.grid))
        report()
    boxes, scores = concatenate(found)
    kept = suppress(boxes, scores)
    return boxes.take(kept), scores[kept]


def _detect(
    patch: Patch, window: ScanWindow, stats: tuple[BandStats, ...], detector: Detector, grid: Grid
) -> tuple[Boxes, Floats]:
    rows, cols = window.net_in_read()
    how = detector.card.normalisation
    pixels = normalise(patch.pixels, patch.valid, stats, how)[None, :, rows, cols]
    # the filter is not zoomed: a kiln that is shown at the size that was learnt has the hill that was learnt
    sigma_cells = _filter_cells(detector.card, grid)
    shown, zoom = enlarged(pixels, detector.zoom, detector.card.input_multiple)
    found = reduced(decode(detector.net.run(shown), detector.card.candidate_floor, sigma_cells), zoom)
    mine = _belongs(found, window, grid) & _seen(found, patch.valid[rows, cols])
    boxes, scores = to_boxes(_take(found, mine), grid, window.net.col, window.net.row)
    return boxes, scores.astype(np.float32).astype(np.float64)


def _filter_cells(card: Card, grid: Grid) -> tuple[float, float]:
    width_m, height_m = grid.pixel_size_m()
    return card.heat_filter_m / (height_m * card.stride), card.heat_filter_m / (width_m * card.stride)


def _belongs(found: PixelDetections, window: ScanWindow, grid: Grid) -> NDArray[np.bool_]:
    """Centre in the window's core, or so near its seam that rounding decides; never outside the scene."""
    col, row, core = found.col + window.net.col, found.row + window.net.row, window.core
    left, right = max(core.col - SEAM_PX, 0), min(core.col + core.width + SEAM_PX, grid.width)
    top, bottom = max(core.row - SEAM_PX, 0), min(core.row + core.height + SEAM_PX, grid.height)
    inside: NDArray[np.bool_] = (col >= left) & (col < right) & (row >= top) & (row < bottom)
    return inside


def _seen(found: PixelDetections, valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether there was anything to see at the centre."""
    col, row = np.floor(found.col).astype(np.intp), np.floor(found.row).astype(np.intp)
    seen = np.zeros(len(col), dtype=np.bool_)
    for down in range(-SEEN_PX, SEEN_PX + 1):
        for right in range(-SEEN_PX, SEEN_PX + 1):
            r, c = row + down, col + right
            inside = (r >= 0) & (r < valid.shape[0]) & (c >= 0) & (c < valid.shape[1])
            seen[inside] |= valid[r[inside], c[inside]]
    return seen


def _take(found: PixelDetections, keep: NDArray[np.bool_]) -> PixelDetections:
    return PixelDetections(
        found.col[keep],
        found.row[keep],
        found.length_px[keep],
        found.width_px[keep],
        found.angle_rad[keep],
        found.score[keep],
    )


def concatenate(found: list[tuple[Boxes, Floats]]) -> tuple[Boxes, Floats]:
    """Boxes and scores of several places as one."""
    none = np.empty(0)
    boxes = [b for b, _ in found]
    columns = (
        np.concatenate([none, *(getattr(b, name) for b in boxes)])
        for name in ("lon", "lat", "length_m", "width_m", "angle_deg")
    )
    return Boxes(*columns), np.concatenate([none, *(s for _, s in found)])
