"""detection.merge.calibration: do merged chances agree with what is known? It never changes them."""

import numpy as np

from geodata.grid import Floats

TRUTHS_TO_CALIBRATE = 100
"""With fewer known truths nothing can be said (docs/merging.md)."""

_LEAST_OF_EACH = 20
"""Truths of one kind alone would let any confident method pass."""

_GROUPS = 5
_MOST_ERROR = 0.1


def agrees(log_odds: Floats, is_kiln: Floats) -> bool | None:
    """Whether chances agree with truths, site by site (`is_kiln` 0 or 1); None where too few are known.

    Sites are cut into five equally large groups by chance; the mean difference between a group's mean chance
    and its share of kilns must be at most 0.1. At least 100 truths are needed, and 20 of either kind.
    """
    kilns = int(is_kiln.sum())
    if len(is_kiln) < TRUTHS_TO_CALIBRATE or min(kilns, len(is_kiln) - kilns) < _LEAST_OF_EACH:
        return None
    chance = 1 / (1 + np.exp(-log_odds))
    groups = np.array_split(np.lexsort((is_kiln, log_odds)), _GROUPS)
    errors = [abs(chance[group].mean() - is_kiln[group].mean()) * len(group) for group in groups]
    return float(np.sum(errors)) / len(is_kiln) <= _MOST_ERROR
