"""detection.evaluate.estimate: a figure with its interval; pure."""

from dataclasses import dataclass
from math import nan

from detection.evaluate.blocks import between
from geodata.grid import Floats


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval from drawing places anew; NaN where it could not be worked out."""

    value: float
    low: float = nan
    high: float = nan


def estimate(value: float, draws: Floats) -> Estimate:
    """A figure with the interval of its draws (draws,)."""
    return Estimate(float(value), *(between(draws) or (nan, nan)))
