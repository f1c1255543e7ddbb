"""training.crops: which crops to look at, and how they are turned, zoomed and disturbed."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from training.cut import Crop, warp
from training.disturb import Disturbance, disturb
from training.false_alarms import FalseAlarmMemory
from training.scenes import PixelBoxes, TrainingScene

SMALLER = 1.25
"""A crop of which a pixel spans so many of the scene's shows the land smaller."""


@dataclass(frozen=True)
class CropOptions(Disturbance):
    """How crops are drawn; shares and chances are 0-1."""

    size_px: int = 128
    kiln_share: float = 0.5
    hard_share: float = 0.25
    """Share of crops around remembered false alarms, once there are any."""
    zoom_near: float = 1.15
    """Most crops show kilns at 1/1.15 to 1.15 times their size ..."""
    zoom_wide_share: float = 0.35
    """... and this share of them at `zoom_min` to `zoom_max`, for other regions."""
    zoom_min: float = 0.6
    zoom_max: float = 1.3
    stretch: float = 0.15
    """Largest relative difference between the zooms along the two axes."""
    averaged_chance: float = 0.5
    """Chance that a crop that shows land smaller is averaged, as by a coarser sensor; else it stays sharp,
    as smaller kilns are."""
    blank_share: float = 0.02
    """Share of crops of pure noise, which hold no kiln."""


class CropSampler:
    """Draws crops from scenes; all chance comes from the generator that is given."""

    def __init__(self, scenes: list[TrainingScene], options: CropOptions, memory: FalseAlarmMemory) -> None:
        self.scenes, self.options, self.memory = scenes, options, memory
        area = np.array([s.weight.sum() for s in scenes], dtype=np.float64)
        self._area = area / area.sum()
        self._kilns = [(k, i) for k, s in enumerate(scenes) for i in range(len(s.kilns.col))]

    def place(self, rng: np.random.Generator) -> tuple[int, float, float]:
        """Scene, column and row of the next crop's centre."""
        o, u = self.options, rng.random()
        jitter = rng.uniform(-0.4, 0.4, 2) * o.size_px
        if u < o.kiln_share and self._kilns:
            k, i = self._kilns[int(rng.integers(len(self._kilns)))]
            kilns = self.scenes[k].kilns
            return k, kilns.col[i] + jitter[0], kilns.row[i] + jitter[1]
        if u < o.kiln_share + o.hard_share:
            hard = self.memory.draw(rng)
            if hard is not None:
                return hard[0], hard[1] + jitter[0] / 2, hard[2] + jitter[1] / 2
        k = int(rng.choice(len(self.scenes), p=self._area))
        height, width = self.scenes[k].weight.shape
        return k, rng.uniform(0, width), rng.uniform(0, height)

    def draw(self, rng: np.random.Generator) -> Crop:
        """One crop."""
        if rng.random() < self.options.blank_share:
            return self._blank(rng)
        k, col, row = self.place(rng)
        o, matrix = self.options, random_matrix(rng, self.options)
        smaller = o.averaged_chance > 0 and abs(np.linalg.det(matrix)) > SMALLER**2
        fine = 2 if smaller and rng.random() < o.averaged_chance else 1
        crop = warp(self.scenes[k], k, (col, row), matrix, o.size_px, fine)
        return replace(crop, pixels=disturb(crop.pixels, rng, o))

    def _blank(self, rng: np.random.Generator) -> Crop:
        size, bands = self.options.size_px, self.scenes[0].pixels.shape[0]
        noise = torch.from_numpy(rng.standard_normal((bands, size, size)).astype(np.float32))
        if rng.random() < 0.5:
            noise = F.avg_pool2d(noise[None], 3, 1, 1)[0] * 3
        none = np.zeros((0, 2))
        return Crop(
            noise,
            torch.ones(size, size),
            PixelBoxes(none[:, 0], none[:, 0], none, none),
            -1,
            (0.0, 0.0),
            np.eye(2),
        )


def random_matrix(rng: np.random.Generator, o: CropOptions) -> NDArray[np.float64]:
    """From crop pixels to scene pixels: turn, flip, zoom (a kiln shows `zoom` times its size)."""
    t = rng.uniform(0, 2 * np.pi) if rng.random() < 0.7 else rng.integers(4) * np.pi / 2
    turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    wide = rng.random() < o.zoom_wide_share
    low, high = (o.zoom_min, o.zoom_max) if wide else (1 / o.zoom_near, o.zoom_near)
    zoom = np.exp(rng.uniform(np.log(low), np.log(high)))
    uneven = 1 + rng.uniform(-o.stretch, o.stretch)
    flip = rng.choice([-1.0, 1.0])
    return np.asarray(turn @ np.diag([flip / zoom, 1 / (zoom * uneven)]))
