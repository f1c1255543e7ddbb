"""detection.evaluate.crossfit: what each fold shows at what the *other* folds have chosen; pure.

A threshold or a calibration that was chosen on the scores that it is then judged on flatters. Here each fold
is judged by the threshold and the calibration of the others (Platt 1999, section 2.1, fits his sigmoid to
held-out scores for the same reason).
"""

from dataclasses import dataclass

import numpy as np

from detection.calibrate import fit_calibration, probability
from detection.evaluate.blocks import Scored
from detection.evaluate.groups import Group, figures_of, region_of_found, scored_part
from detection.evaluate.matching import Found, Matching
from detection.evaluate.metrics import Curve, best_threshold, curve
from detection.evaluate.sample import Mask, Sample
from geodata.grid import Floats

ENOUGH = 200
"""Fewer held-out detections than this calibrate nothing."""


@dataclass(frozen=True)
class Travel:
    """One fold at the others' threshold, and at its own best one."""

    fold: int
    threshold: float
    own_threshold: float
    there: Group
    at_home: Group

    @property
    def recall_lost(self) -> float:
        """How much recall the journey costs; below 0 where it gains some."""
        return self.at_home.scores.recall - self.there.scores.recall

    @property
    def false_alarms_times(self) -> float:
        """How many times its own false alarms it gets; NaN where it has none of its own."""
        own = self.at_home.scores.false_alarms
        return self.there.scores.false_alarms / own if own else float("nan")


def travels(sample: Sample, matching: Matching) -> list[Travel]:
    """Each fold at the threshold that the others choose; empty with fewer than two that can choose."""
    scored = sample.found, sample.truth, matching
    out = []
    for fold in sample.folds:
        of_found, of_kiln = _of_fold(sample, matching, fold)
        mine, others = scored_part(scored, of_found, of_kiln), scored_part(scored, ~of_found, ~of_kiln)
        if not (_can_choose(mine) and _can_choose(others)):
            continue
        area = sum(region.area_km2 for region in sample.regions if region.fold == fold)
        there, own = best_threshold(_curve(others)), best_threshold(_curve(mine))
        name = f"fold {fold}"
        out.append(
            Travel(fold, there, own, figures_of(name, mine, area, there), figures_of(name, mine, area, own))
        )
    return out


def pooled_at_others(sample: Sample, matching: Matching, journeys: list[Travel]) -> Group | None:
    """The pool with each fold at the others' threshold; None where a fold has none.

    Its average precision means nothing, since only which side of its threshold a score lies on is kept.
    """
    if not journeys or len(journeys) < len(sample.folds):
        return None
    above = np.zeros(len(sample.detections), dtype=np.float64)
    for one in journeys:
        of_found, _of_kiln = _of_fold(sample, matching, one.fold)
        above[of_found] = sample.detections.score[of_found] >= one.threshold
    boxes = sample.detections.boxes
    scored = Found(boxes.lon, boxes.lat, above), sample.truth, matching
    return figures_of("each fold at the threshold of the others", scored, sample.area_km2, 0.5)


def cross_fitted_probability(sample: Sample, matching: Matching) -> Floats:
    """Chances by a beta calibration on the other folds' scores, (n,); NaN where those are too few."""
    score, counted = sample.detections.score, ~matching.excused
    out = np.full(len(score), np.nan)
    for fold in sample.folds:
        mine, _of_kiln = _of_fold(sample, matching, fold)
        learnt = counted & ~mine
        if learnt.sum() >= ENOUGH:
            fitted = fit_calibration(
                score[learnt], matching.hit[learnt], "beta calibration on the other folds", "beta"
            )
            out[mine] = probability(fitted, score[mine], in_domain=True)
    return out


def _of_fold(sample: Sample, matching: Matching, fold: int) -> tuple[Mask, Mask]:
    folds = np.array([region.fold for region in sample.regions])
    return folds[region_of_found(sample, matching)] == fold, folds[sample.kilns.region] == fold


def _can_choose(scored: Scored) -> bool:
    found, truth, matching = scored
    return bool(truth.kilns and (~matching.excused).any() and len(found))


def _curve(scored: Scored) -> Curve:
    found, truth, matching = scored
    return curve(found, matching, truth.kilns)
