"""detection.evaluate.estimate: a figure with its interval; pure."""

from dataclasses import dataclass
from math import nan

from detection.evaluate.blocks import between
from geodata.grid import Floats

TAIL = 0.025
"""Share that a 95 % interval leaves out on either side."""


@dataclass(frozen=True)
class Estimate:
    """A figure and its 95 % interval from drawing places anew; NaN where it could not be worked out."""

    value: float
    low: float = nan
    high: float = nan


def estimate(value: float, draws: Floats) -> Estimate:
    """A figure with the interval of its draws (draws,); with none where no draw changes it: no certainty."""
    low, high = between(draws) or (nan, nan)
    return Estimate(float(value)) if low == high else Estimate(float(value), low, high)


def exact_share(events: int, n: int) -> tuple[float, float]:
    """Exact limits of a share where all of n or none of them are so: drawing anew would show no doubt.

    n events of n leave a lower limit of .025 ** (1 / n), none of n an upper one of 1 less that (Clopper and
    Pearson 1934).

    Raises:
        ValueError: where some are and some are not, or n is 0.
    """
    if n < 1 or events not in (0, n):
        raise ValueError(f"{events} events of {n}: limits for all or none of at least one only")
    limit = float(TAIL ** (1 / n))
    return (limit, 1.0) if events else (0.0, 1 - limit)


def share_estimate(events: int, n: int, draws: Floats) -> Estimate:
    """A share of n > 0 with the interval of its draws (draws,), or exact limits where it is all or none."""
    if events in (0, n):
        return Estimate(events / n, *exact_share(events, n))
    return estimate(events / n, draws)
