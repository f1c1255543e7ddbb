"""detection.evaluate.report.errors: how far places, sizes and angles of hits are off; pure."""

import numpy as np

from detection.evaluate.blocks import Blocks, weighted_medians
from detection.evaluate.estimate import Estimate, estimate, share_estimate
from detection.evaluate.matching import Matching
from detection.evaluate.oriented import BoxErrors, box_errors
from detection.evaluate.sample import Index, Sample
from geodata.grid import Floats

TURNED_DEG = 30.0
"""A box that is turned by more shows another axis."""


def hit_errors(sample: Sample, matching: Matching, threshold: float) -> BoxErrors:
    """The errors of every hit at a threshold."""
    return box_errors(sample, matching, _hits(sample, matching, threshold))


def error_estimates(
    sample: Sample, matching: Matching, threshold: float, blocks: Blocks
) -> dict[str, Estimate]:
    """Medians over the hits, by name: a plain name is the median difference (the bias), `abs_` its size."""
    hits = _hits(sample, matching, threshold)
    errors = box_errors(sample, matching, hits)
    place = blocks.found[hits]
    medians = {
        "centre_error_m": errors.centre_m,
        "length_error_m": errors.length_m,
        "abs_length_error_m": np.abs(errors.length_m),
        "length_ratio": errors.length_ratio,
        "width_error_m": errors.width_m,
        "abs_width_error_m": np.abs(errors.width_m),
        "width_ratio": errors.width_ratio,
    }
    out = {name: _median(values, place, blocks) for name, values in medians.items()}
    longish = np.isfinite(errors.angle_deg)
    turn, turn_place = errors.angle_deg[longish], place[longish]
    out["angle_error_deg"] = _median(turn, turn_place, blocks)
    out["turned_share"] = _share(turn > TURNED_DEG, turn_place, blocks)
    return out


def _hits(sample: Sample, matching: Matching, threshold: float) -> Index:
    return np.flatnonzero(matching.hit & (sample.detections.score >= threshold))


def _median(values: Floats, place: Index, blocks: Blocks) -> Estimate:
    known = np.isfinite(values)
    values, place = values[known], place[known]
    if not len(values):
        return Estimate(float("nan"))
    return estimate(float(np.median(values)), weighted_medians(values, place, blocks.weights))


def _share(true: np.ndarray, place: Index, blocks: Blocks) -> Estimate:
    if not len(true):
        return Estimate(float("nan"))
    size = blocks.weights.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = (blocks.weights @ np.bincount(place, true, size)) / (
            blocks.weights @ np.bincount(place, minlength=size)
        )
    return share_estimate(int(true.sum()), len(true), draws)
