"""training.choose: threshold, calibration and figures from out-of-fold detections; no torch, no files."""

from dataclasses import dataclass

import numpy as np

from detection.bundle import Calibration, Figure
from detection.calibrate import fit_calibration
from detection.evaluate.matching import Found, Truth, match
from detection.evaluate.metrics import best_threshold, curve, score_detections
from geodata.errors import InputError
from geodata.grid import Floats
from geodata.obb import Boxes


@dataclass(frozen=True)
class HeldOut:
    """What a net found on a part that it has not learnt from, with the truth there."""

    boxes: Boxes
    scores: Floats
    truth: Truth
    area_km2: float
    """Observed."""


def pool(parts: list[HeldOut]) -> tuple[Found, Truth, float]:
    """All parts as one: detections, truth and observed area."""
    found = Found(
        np.concatenate([p.boxes.lon for p in parts]),
        np.concatenate([p.boxes.lat for p in parts]),
        np.concatenate([p.scores for p in parts]),
    )
    truths = [p.truth for p in parts]
    truth = Truth(
        np.concatenate([t.kiln_lon for t in truths]),
        np.concatenate([t.kiln_lat for t in truths]),
        np.concatenate([t.kiln_ignored for t in truths]),
        np.concatenate([t.place_lon for t in truths]),
        np.concatenate([t.place_lat for t in truths]),
    )
    return found, truth, sum(p.area_km2 for p in parts)


def choose_threshold(found: Found, truth: Truth) -> float:
    """The threshold of the best F1 at 100 m.

    Raises:
        InputError: if nothing was found at all.
    """
    if not len(found) or not truth.kilns:
        raise InputError("No threshold can be chosen: the net found nothing; train longer or check the labels.")
    return best_threshold(curve(found, match(found, truth), truth.kilns))


def calibrate(found: Found, truth: Truth, at_least: int = 200) -> Calibration | None:
    """Score -> chance from out-of-fold detections; None with fewer than `at_least` of them."""
    matching = match(found, truth)
    counted = ~matching.excused
    if counted.sum() < at_least or matching.hit.sum() < at_least / 4:
        return None
    return fit_calibration(
        found.score[counted], matching.hit[counted], "Platt scaling of out-of-fold scores, hits at 100 m"
    )


def figures(found: Found, truth: Truth, area_km2: float, threshold: float, protocol: str, command: str) -> list[Figure]:
    """F1, precision, recall, AP, false alarms and centre error, with block-bootstrap intervals."""
    s = score_detections(found, truth, area_km2, threshold)
    ranges = intervals(found, truth, area_km2, threshold)
    values = {
        "F1 at 100 m": s.f1,
        "precision at 100 m": s.precision,
        "recall at 100 m": s.recall,
        "average precision at 100 m": s.average_precision,
        "false alarms per 1,000 km²": s.false_per_1000_km2,
        "median centre error in m": s.centre_error_m,
    }
    return [
        Figure(
            name=name, value=round(value, 4), low=ranges.get(name, (None, None))[0],
            high=ranges.get(name, (None, None))[1], protocol=protocol, command=command,
        )
        for name, value in values.items()
        if np.isfinite(value)
    ]
