"""detection.normalise: the net's input, made the same way for training and detection; numpy only.

Every band is shifted and scaled by the mean and the spread of its own surroundings, so that a band that is
scaled or shifted gives the same input. The small constant that keeps flat land from being blown up is
relative to the scene's own spread and therefore scales along.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geodata.scene import BandStats

BOX_PX = 129
"""Side of the box of surroundings, about 1.2 km."""
HALO_PX = BOX_PX // 2
FLAT = 0.1
"""Spreads below this share of the scene's own spread count as flat land."""
CLIP = 6.0


def box_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums over a BOX_PX square around each pixel; the last two axes are rows and columns.

    Running sums go along one axis at a time, so that they stay short and lose no precision on large windows.
    """
    out = values
    for axis in (-1, -2):
        n = out.shape[axis]
        total = np.concatenate([np.zeros_like(out.take([0], axis)), out.cumsum(axis)], axis)
        index = np.arange(n)
        upper = np.minimum(index + HALO_PX + 1, n)
        lower = np.maximum(index - HALO_PX, 0)
        out = total.take(upper, axis) - total.take(lower, axis)
    return out


def normalise(
    pixels: NDArray[np.float32], valid: NDArray[np.bool_], stats: Sequence[BandStats]
) -> NDArray[np.float32]:
    """Locally normalised pixels.

    Args:
        pixels: float32 (bands, height, width); any unit.
        valid: bool (height, width).
        stats: one entry a band, of the whole scene.

    Returns:
        float32 (bands, height, width), clipped to +-6; invalid pixels are 0. The outer `HALO_PX` pixels of a
        window inside a scene see fewer surroundings: read that much more than is needed.
    """
    mask = valid.astype(np.float64)
    count = np.maximum(box_sum(mask), 1.0)
    out = np.zeros(pixels.shape, dtype=np.float32)
    for b, stat in enumerate(stats):
        spread = stat.spread if stat.spread > 0 else 1.0
        band = (pixels[b].astype(np.float64) - stat.median) / spread * mask
        mean = box_sum(band) / count
        variance = np.maximum(box_sum(band * band) / count - mean * mean, 0.0)
        scaled = (band - mean) / np.sqrt(variance + FLAT**2)
        out[b] = (np.clip(scaled, -CLIP, CLIP) * mask).astype(np.float32)
    return out
