"""geodata.painter.statistics: the measured colours, as values; knows nothing of painting.

Colours are natural logarithms of grey levels (1..255) in the order red, green, blue. The land is measured on
three axes: brightness (the bands' mean), red less green, green less blue.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from geodata.grid import Floats

NORMAL_POINTS = np.array(
    [0.0005, 0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.995, 0.9995]
)
"""Where the land's distributions are read."""
SIZE_POINTS = np.array([0.01, 0.05, 0.16, 0.5, 0.84, 0.95, 0.99])
"""Where the distributions of kilns' sizes and distances are read."""


@dataclass(frozen=True)
class Gaussian:
    """Mean (3,) and covariance (3, 3) of log colours."""

    mean: Floats
    cov: Floats

    def draw(self, rng: np.random.Generator, n: int) -> Floats:
        """Draw n colours, shape (n, 3)."""
        return rng.multivariate_normal(self.mean, self.cov, n, method="cholesky")


@dataclass(frozen=True)
class Statistics:
    """What was measured on the real scenes."""

    zone_m: Floats
    """(z,): distances from the nearest kiln at which the land's distributions were read."""
    land_quantiles: Floats
    """(z, 3 axes, points)."""
    land_palette: Floats
    """(n, 3): equally common triples of the axes' normal scores, from means of 5 x 5 pixels."""
    land_frequency: Floats
    """Cycles per pixel at which the power of the normal scores was read."""
    land_power: Floats
    """(3 axes, frequencies)."""
    pixel_sd: Floats
    """(3,): deviation from pixel to pixel per band."""
    kiln_mean: Floats
    """(3, along, across): mean log colour at nodes over a kiln and `kiln_rim_m` beyond its sides."""
    kiln_parts: Floats
    """(k, 3, along, across): its main variations, each one deviation high."""
    kiln_rim_m: Floats
    kiln_grain_cov: Floats
    """(3, 3): what these variations leave, from pixel to pixel."""
    length_m: Floats
    """At `SIZE_POINTS`; likewise the next two."""
    width_m: Floats
    neighbour_m: Floats
    yard: Gaussian
    """Palest ground beside kilns."""
    built: Gaussian
    shed: Gaussian
    """Brightest ground far from kilns."""
    red: Gaussian
    """Reddest ground far from kilns."""


@cache
def load() -> Statistics:
    """The statistics that are shipped with the package."""
    text = resources.files("geodata.painter").joinpath("statistics.json").read_text("utf-8")
    values: dict[str, Any] = {}
    for name, value in json.loads(text)["painter"].items():
        values[name] = (
            Gaussian(np.array(value["mean"]), np.array(value["cov"]))
            if isinstance(value, dict)
            else np.array(value)
        )
    return Statistics(**values)


def draw_sizes(rng: np.random.Generator, points: Floats, n: int) -> Floats:
    """Draw n values between the outer points of a measured distribution."""
    return np.interp(rng.uniform(SIZE_POINTS[0], SIZE_POINTS[-1], n), SIZE_POINTS, points)
