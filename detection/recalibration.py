"""detection.recalibration: reviews of a random sample -> a calibration and how much better it is; pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.bundle import Calibration, Card, Figure
from detection.calibrate import fit_calibration, probability
from detection.review_reliability import CalibrationError, calibration_error, held_out_chances
from geodata.errors import InputError
from geodata.grid import Floats

ABOVE_THRESHOLD = "at or above the threshold"
ALL = "all from the candidate floor up"


@dataclass(frozen=True)
class Reviewed:
    """The reviews that count, as columns of equal length."""

    score: Floats
    is_kiln: NDArray[np.bool_]
    above: NDArray[np.bool_]
    """At or above the model's threshold."""
    weight: Floats
    """How many detections each stands for: 1 / chance of being drawn and judged."""
    block: NDArray[np.str_]
    """The square of land that each lies in."""


@dataclass(frozen=True)
class Reliability:
    """Calibration error before and after, over one group of detections."""

    group: str
    before: CalibrationError
    after: CalibrationError
    """Each chance by a fit on the other blocks."""


def recalibration(found: Reviewed, drawn_on: str) -> Calibration:
    """The calibration of the reviews, without a domain yet.

    Raises:
        InputError: a higher score does not mean more kilns.
    """
    n, above = len(found.score), int(found.above.sum())
    method = (
        f"Platt scaling of {n} reviews of a random sample drawn on {drawn_on}, {above} of them at or above "
        "the threshold; no weights, since the draw depended on nothing but the score"
    )
    fit = fit_calibration(found.score, found.is_kiln, method)
    if fit.slope <= 0:
        raise InputError(
            f"Among the {n} reviewed places a higher score does not mean more kilns (slope {fit.slope:.2f}), "
            "so no chance can be made of it; train the model on labels from there."
        )
    return fit


def words_of_before(card: Card) -> str:
    """What the chances before were."""
    if card.local_calibrations:
        return "the card's latest local calibration"
    return "the raw score" if card.calibration is None else "the card's own calibration"


def reliability(found: Reviewed, card: Card) -> tuple[Reliability, ...]:
    """Calibration errors by the card as it was and, cross-validated by block, as it becomes.

    Raises:
        InputError: all reviews lie in one block.
    """
    if len(np.unique(found.block)) < 2:
        raise InputError(
            "All reviews lie in one square of the labelling grid, so that nothing can be held out; review "
            "more land."
        )
    first = next(iter((*card.local_calibrations, card.calibration)))
    was = found.score if first is None else probability(first, found.score).astype(np.float64)
    becomes = held_out_chances(found.score, found.is_kiln, found.block)
    rows = []
    for group, mask in ((ABOVE_THRESHOLD, found.above), (ALL, np.ones_like(found.above))):
        if mask.any():
            rest = found.is_kiln[mask], found.weight[mask], found.block[mask]
            before, after = calibration_error(was[mask], *rest), calibration_error(becomes[mask], *rest)
            rows.append(Reliability(group, before, after))
    return tuple(rows)


def figures(rows: tuple[Reliability, ...], found: Reviewed, before: str) -> tuple[Figure, ...]:
    """The calibration errors as figures of the card."""
    after = f"cross-validated over {len(np.unique(found.block))} blocks of land"
    return tuple(
        _figure(error, row.group, what)
        for row in rows
        for error, what in ((row.before, before), (row.after, after))
    )


def _figure(error: CalibrationError, group: str, what: str) -> Figure:
    return Figure(
        name=f"calibration error (ECE), {group}",
        value=error.ece,
        low=error.low,
        high=error.high,
        protocol=(
            f"{error.n} reviews of a random sample, weighted to all detections; {what}; ten bins of equal "
            f"count; a perfect score stays below {error.perfect:.3f} nine times in ten; 95 % by a bootstrap "
            "over blocks"
        ),
        command="kilnlight calibrate",
    )
