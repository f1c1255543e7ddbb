"""training.disturb: a crop as another season, soil, haze, sensor or stretch would show it.

Pixels are normalised already (`detection.normalise`), so that strengths are in standard deviations.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.scenes import NORMALISATION

GREYER = (-0.2, 0.4)
"""Range of the share of each band that the mean of all bands takes: colours stronger, or paler."""
BEND = 0.15
"""Largest curvature of a band's tones; a gamma of 1.3 on ordinary land is about half of it."""
VEIL = 0.6
"""Thickest haze: the share of the light that comes from it."""
HAZE_LIGHT = 2.5
"""Brightest haze."""


@dataclass(frozen=True)
class Disturbance:
    """How crops are disturbed; chances are 0-1."""

    blur_chance: float = 0.25
    soil_chance: float = 0.25
    """Chance of other colours: bands mixed, and their tones bent."""
    haze_chance: float = 0.25
    """Chance of a veil, thicker here and thinner there."""
    gain: float = 0.2
    shift: float = 0.15
    noise: float = 0.1
    renormalise_chance: float = 0.2
    """Chance that a crop is normalised on its own, as a picture without surroundings would be."""


def disturb(pixels: Tensor, rng: np.random.Generator, o: Disturbance) -> Tensor:
    """A disturbed copy.

    Args:
        pixels: (bands, s, s), normalised.
        rng: all chance comes from here.
        o: how often and how much.
    """
    x = pixels
    if rng.random() < o.blur_chance:
        kernel = torch.tensor([0.25, 0.5, 0.25])
        x = F.conv2d(x[:, None], torch.outer(kernel, kernel)[None, None], padding=1)[:, 0]
    # without a chance nothing is drawn, so that runs from before there was one can be made again
    if o.soil_chance and rng.random() < o.soil_chance:
        x = other_soil(x, rng)
    if o.haze_chance and rng.random() < o.haze_chance:
        x = hazy(x, rng)
    if rng.random() < o.renormalise_chance:
        x = as_scene(x)
    bands = x.shape[0]
    gain = torch.from_numpy(np.exp(rng.uniform(-o.gain, o.gain, (bands, 1, 1))).astype(np.float32))
    shift = torch.from_numpy(rng.uniform(-o.shift, o.shift, (bands, 1, 1)).astype(np.float32))
    x = x * gain + shift
    if rng.random() < 0.5:
        amount = rng.uniform(0, o.noise)
        x = x + amount * torch.from_numpy(rng.standard_normal(x.shape, dtype=np.float32))
    return x.clamp(-NORMALISATION.clip, NORMALISATION.clip)


def as_scene(x: Tensor) -> Tensor:
    """A crop (bands, s, s) as `detection.normalise` would show it if it were a scene of its own."""
    low, high = torch.quantile(x.flatten(1), torch.tensor([0.16, 0.84]), dim=1)
    spread = NORMALISATION.scene_weight * (high - low)[:, None, None] / 2
    mean, variance = x.mean((1, 2), keepdim=True), x.var((1, 2), keepdim=True)
    return (x - mean) / torch.sqrt(variance + spread**2 + 1e-6)


def other_soil(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Bands mixed with their mean, and dark and bright tones spread otherwise in each band; 0 stays 0."""
    share = rng.uniform(*GREYER)
    x = (1 - share) * x + share * x.mean(0, keepdim=True)
    curvature = rng.uniform(-BEND, BEND, (x.shape[0], 1, 1))
    # at none at all the quotient below would be 0 / 0
    bend = torch.from_numpy(np.where(abs(curvature) < 1e-3, 1e-3, curvature).astype(np.float32))
    return torch.expm1(bend * x) / bend


def hazy(x: Tensor, rng: np.random.Generator) -> Tensor:
    """A bright veil whose thickness changes over the crop: less contrast where there is more of it."""
    coarse = torch.from_numpy(rng.random((1, 1, 3, 3), dtype=np.float32))
    field = F.interpolate(coarse, size=x.shape[1:], mode="bilinear", align_corners=True)[0]
    veil = field * rng.uniform(0, VEIL)
    light = rng.uniform(0, HAZE_LIGHT) + rng.uniform(-0.3, 0.3, (x.shape[0], 1, 1))
    return x * (1 - veil) + torch.from_numpy(light.astype(np.float32)) * veil
