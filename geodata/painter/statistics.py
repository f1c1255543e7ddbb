"""geodata.painter.statistics: the measured colours, as values; knows nothing of painting.

Colours are natural logarithms of grey levels (1..255) in the order red, green, blue.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from geodata.grid import Floats


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

    land: Gaussian
    """Mean colour of kiln country and its variation over kilometres."""
    land_points: Floats
    land_quantiles: Floats
    """(3, n): brightness, red - green and green - blue of the land at those points of their distribution."""
    field_cov: Floats
    """Variation from field to field."""
    pixel_sd: Floats
    """Variation from pixel to pixel inside a field, per band."""
    kiln_surroundings: Floats
    """Mean colour of the ground 130-220 m from kilns, (3,)."""
    kiln_line: Floats
    """(4, 3): constant, then the share of the surroundings' red, green and blue in a kiln's colour."""
    kiln_left_over: Gaussian
    """A kiln's colour beside that line."""
    kiln_profile: Floats
    """(3, 7, 5): log ratio to the kiln's mean by |along| and |across|, out to `kiln_reach` half-sides."""
    kiln_reach: float
    kiln_midline: Gaussian
    """Middle minus sides of a kiln."""
    kiln_pixel_sd: Floats
    length_m: Floats
    """5, 16, 50, 84 and 95 % points; likewise the next two."""
    width_m: Floats
    neighbour_m: Floats
    yard_share: float
    """Share of the ground 90-350 m from a kiln that is pale yard."""
    yard: Gaussian
    dug: Gaussian
    built: Gaussian
    shed: Gaussian
    red: Gaussian
    """Reddest ground farther than 500 m from any kiln."""


@cache
def load() -> Statistics:
    """The statistics that are shipped with the package."""
    raw = json.loads(resources.files("geodata.painter").joinpath("statistics.json").read_text("utf-8"))
    kiln, land = raw["kiln"], raw["land"]

    def gaussian(of: dict[str, list[float]]) -> Gaussian:
        return Gaussian(np.array(of["mean"]), np.array(of["cov"]))

    line = kiln["colour_from_surroundings"]
    return Statistics(
        land=Gaussian(np.array(land["mean"]), np.array(land["regional_cov"])),
        land_points=np.array(raw["land_axes"]["points"]),
        land_quantiles=np.array(raw["land_axes"]["quantiles"]),
        field_cov=np.array(land["field_cov"]),
        pixel_sd=np.array(land["pixel_sd"]),
        kiln_surroundings=np.array(kiln["colour"]["mean"]) - np.array(kiln["contrast"]["mean"]),
        kiln_line=np.array(line["constant_then_red_green_blue"]),
        kiln_left_over=Gaussian(np.zeros(3), np.array(line["left_over_cov"])),
        kiln_profile=np.array(kiln["profile"]["log_ratio"]),
        kiln_reach=float(kiln["profile"]["reach"]),
        kiln_midline=gaussian(kiln["midline"]),
        kiln_pixel_sd=np.array(kiln["pixel_sd"]),
        length_m=np.array(raw["kiln_length_m"]["q05_16_50_84_95"]),
        width_m=np.array(raw["kiln_width_m"]["q05_16_50_84_95"]),
        neighbour_m=np.array(raw["kiln_neighbour_m"]["q05_16_50_84_95"]),
        yard_share=float(raw["yard_share"]),
        **{name: gaussian(raw[name]) for name in ("yard", "dug", "built", "shed", "red")},
    )


def draw_from_quantiles(rng: np.random.Generator, points: Floats, n: int) -> Floats:
    """Draw n values between the 5 and the 95 % point of a measured distribution."""
    return np.interp(rng.uniform(0.05, 0.95, n), [0.05, 0.16, 0.5, 0.84, 0.95], points)
