"""detection.normalise: the net's input, made the same way for training and detection; numpy only.

Every band is shifted by the mean of its surroundings and scaled by their spread and the scene's together, so
that a band that is scaled or shifted gives the same input. By the surroundings alone, a faint field in even
farmland would look as red as a kiln among bright yards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.scene import BandStats


@dataclass(frozen=True)
class Normalisation:
    """How a net's input is made; the card of a bundle says with which values its net was trained."""

    box_px: int = 257
    """Side of the box of surroundings, odd; 257 px are about 2.5 km."""
    scene_weight: float = 1.0
    """Share of the scene's own spread that is added to that of the surroundings (root of squares)."""
    clip: float = 6.0

    @property
    def halo_px(self) -> int:
        """How far beyond a pixel its surroundings reach."""
        return self.box_px // 2


def box_sum(values: NDArray[np.float64], halo_px: int) -> NDArray[np.float64]:
    """Sums over a square of 2 `halo_px` + 1 around each pixel; the last two axes are rows and columns.

    Running sums go along one axis at a time, so that they stay short and lose no precision on large windows.
    """
    out = values
    for axis in (-1, -2):
        n = out.shape[axis]
        total = np.concatenate([np.zeros_like(out.take([0], axis)), out.cumsum(axis)], axis)
        index = np.arange(n)
        upper = np.minimum(index + halo_px + 1, n)
        lower = np.maximum(index - halo_px, 0)
        out = total.take(upper, axis) - total.take(lower, axis)
    return out


def normalise(
    pixels: NDArray[np.float32],
    valid: NDArray[np.bool_],
    stats: Sequence[BandStats],
    how: Normalisation,
) -> NDArray[np.float32]:
    """Locally normalised pixels.

    Args:
        pixels: float32 (bands, height, width); any unit.
        valid: bool (height, width).
        stats: one entry a band, of the whole scene.
        how: the card's.

    Returns:
        float32 (bands, height, width), clipped; invalid pixels are 0. The outer `halo_px` pixels of a
        window inside a scene see fewer surroundings: read that much more than is needed.
    """
    mask = valid.astype(np.float64)
    count = np.maximum(box_sum(mask, how.halo_px), 1.0)
    out = np.zeros(pixels.shape, dtype=np.float32)
    for b, stat in enumerate(stats):
        spread = stat.spread if stat.spread > 0 else 1.0
        band = (pixels[b].astype(np.float64) - stat.median) / spread * mask
        mean = box_sum(band, how.halo_px) / count
        variance = np.maximum(box_sum(band * band, how.halo_px) / count - mean * mean, 0.0)
        scaled = (band - mean) / np.sqrt(variance + how.scene_weight**2)
        out[b] = (np.clip(scaled, -how.clip, how.clip) * mask).astype(np.float32)
    return out
