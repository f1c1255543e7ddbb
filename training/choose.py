"""training.choose: threshold, calibration and figures from held-out detections; no torch, no files."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.bundle import Calibration, Figure
from detection.calibrate import fit_calibration
from detection.evaluate.crossfit import ENOUGH
from detection.evaluate.intervals import intervals
from detection.evaluate.matching import HIT_RADIUS_M, Look, match_looks
from detection.evaluate.metrics import best_threshold, curve, scores_of
from geodata.errors import InputError

NAMES = {
    "f1": "F1 at 100 m",
    "precision": "precision at 100 m",
    "recall": "recall at 100 m",
    "average_precision": "average precision at 100 m",
    "false_per_1000_km2": "false alarms per 1,000 km²",
    "centre_error_m": "median centre error in m",
}


UNSEEN = "each part seen by a net that has not learnt from it"


@dataclass(frozen=True)
class Told:
    """What figures say of where they come from."""

    command: str = "kilnlight train RUN.toml"
    unseen: str = UNSEEN


@dataclass(frozen=True)
class Chosen:
    """What the held-out parts decided."""

    threshold: float
    how: str
    calibration: Calibration | None = None
    figures: tuple[Figure, ...] = ()


def choose(looks: Sequence[Look], folds: int, told: Told = Told()) -> Chosen:
    """Threshold from the pooled F1 at 100 m, calibration and figures.

    Args:
        looks: every held-out part, seen by a net that has not learnt from it; or, without folds, the training
            scenes themselves.
        folds: how many folds they come from; 0 for the training scenes.
        told: what the figures are to say of themselves.

    Raises:
        InputError: if nothing was found that counts, or there is no kiln to find.
    """
    found, truth, matching = match_looks(looks)
    if not truth.kilns:
        raise InputError(
            "No threshold can be chosen: no labelled kiln can be seen on what was held back; check the "
            "labels, and for cloud or nodata there."
        )
    if matching.excused.all():  # of none at all, too
        raise InputError(
            "No threshold can be chosen: the net found nothing that counts; train longer or check the labels."
        )
    threshold = best_threshold(curve(found, matching, truth.kilns))
    if not folds:
        return Chosen(threshold, "best F1 on the training scenes themselves (no folds), which flatters")
    counted = ~matching.excused
    calibration = None
    if counted.sum() >= ENOUGH:
        method = "beta calibration of held-out scores; a hit is a kiln within 100 m"
        calibration = fit_calibration(found.score[counted], matching.hit[counted], method, "beta")
    return Chosen(
        threshold,
        f"best F1 at 100 m, pooled over {_held_out(folds)}",
        calibration,
        figures(looks, threshold, folds, told),
    )


def _held_out(folds: int) -> str:
    return "1 held-out fold" if folds == 1 else f"{folds} held-out folds"


def figures(looks: Sequence[Look], threshold: float, folds: int, told: Told = Told()) -> tuple[Figure, ...]:
    """F1, precision, recall, AP, false alarms and centre error with 95 % intervals."""
    found, truth, matching = match_looks(looks)
    area_km2 = sum(look.area_km2 for look in looks)
    values = scores_of(found, truth, matching, area_km2, threshold, HIT_RADIUS_M)
    ranges = intervals(found, truth, area_km2, threshold, matching)
    protocol = (
        f"{_held_out(folds)} of the training scenes ({truth.kilns} kilns, {area_km2:,.0f} km²); "
        f"{told.unseen}; threshold chosen on the pool; "
        "95 % intervals by a bootstrap over 1 km tiles"
    )
    out = []
    for name, label in NAMES.items():
        value, (low, high) = getattr(values, name), ranges.get(name, (None, None))
        if np.isfinite(value):
            out.append(
                Figure(name=label, value=value, low=low, high=high, protocol=protocol, command=told.command)
            )
    return tuple(out)
