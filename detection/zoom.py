"""detection.zoom: land whose kilns are smaller than those that were learnt is shown to the net enlarged.

A net answers with less confidence the less a kiln looks like what it has learnt, its size included, so that
a fixed threshold misses small kilns. Their lengths it tells well. Bringing objects to one scale before they
are looked at goes back to image pyramids; Singh and Davis 2018, "An analysis of scale invariance in object
detection - SNIP" (CVPR), compare it with one net for all scales. Not the whole way is gone: enlarged sheds
look like kilns too (docs/results.md has the figures behind the constants).
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detection.decode import PixelDetections
from geodata.grid import Floats

ENOUGH = 20
"""So many lengths have to be known before their median says anything."""
ALIKE = 0.85
"""Kilns at least so long, as a share of what was learnt, are shown as they are."""
PART = 0.8
"""Share of the way to the size that was learnt, in logarithms."""
MOST = 1.5
"""Largest zoom."""


def zoom_for(lengths_m: Floats, learnt_m: float | None) -> float:
    """How much to enlarge land whose kilns have such lengths; 1 where too little is known.

    Args:
        lengths_m: of what was found there at the threshold, without a zoom; any number.
        learnt_m: median of the same at home; None for a card that does not tell.
    """
    if learnt_m is None or len(lengths_m) < ENOUGH:
        return 1.0
    ratio = float(np.median(lengths_m) / learnt_m)
    if ratio >= ALIKE:
        return 1.0
    return float(round(min(ratio**-PART, MOST), 2))


def enlarged(
    pixels: NDArray[np.float32], zoom: float, multiple: int
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Normalised pixels (1, bands, height, width), enlarged (bilinear); by how much along columns and rows.

    Sides become multiples of the net's step, so that the two zooms may differ a little from what was asked.
    """
    if zoom == 1.0:
        return pixels, (1.0, 1.0)
    height, width = pixels.shape[2:]
    tall, wide = (max(round(side * zoom / multiple), 1) * multiple for side in (height, width))
    rows, cols = _between(height, tall), _between(width, wide)
    out = np.einsum("ij,nbjk->nbik", rows, pixels, optimize=True)
    out = np.einsum("nbik,lk->nbil", out, cols, optimize=True)
    return np.ascontiguousarray(out, np.float32), (wide / width, tall / height)


def _between(few: int, many: int) -> NDArray[np.float32]:
    """(many, few): weights that interpolate linearly between pixels' centres; the outer ones are repeated."""
    at = np.clip((np.arange(many) + 0.5) * few / many - 0.5, 0, few - 1)
    low = np.minimum(at.astype(np.intp), max(few - 2, 0))
    out = np.zeros((many, few), np.float32)
    share = (at - low).astype(np.float32)
    out[np.arange(many), low] = 1 - share
    out[np.arange(many), np.minimum(low + 1, few - 1)] += share
    return out


def reduced(found: PixelDetections, zoom: tuple[float, float]) -> PixelDetections:
    """Detections in enlarged pixels, in the pixels that there are."""
    if zoom == (1.0, 1.0):
        return found
    across, down = zoom
    size: Floats = np.full(len(found.col), (across * down) ** -0.5)
    return replace(
        found,
        col=found.col / across,
        row=found.row / down,
        length_px=found.length_px * size,
        width_px=found.width_px * size,
    )
