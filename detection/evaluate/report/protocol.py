"""detection.evaluate.report.protocol: how the figures came about, in sentences for page and JSON."""

from detection.evaluate.blocks import DRAWS
from detection.evaluate.matching import HIT_RADIUS_M, PLACE_RADIUS_M
from detection.evaluate.report.content import Report

_MATCHING = (
    f"Detections and kilns are matched one to one by their centres, within {HIT_RADIUS_M:.0f} m: by falling "
    "score each detection takes the nearest kiln that is still free; what is left over is a false alarm.",
    "Wall to wall: everything that was observed counts, empty land too, so that precision and its curve are "
    "those at the true prevalence of kilns on this land.",
    f"A detection within {PLACE_RADIUS_M:.0f} m of an unverified place, or within {HIT_RADIUS_M:.0f} m of a "
    "kiln that a scene's edge cuts or that cannot be seen, is excused: neither right nor wrong, unless it is "
    "a second box on a verified kiln. The figures are also given with no unverified place excused.",
    f"Intervals are 95 %: percentiles of {DRAWS:,} draws of 1 km tiles with replacement (block bootstrap). "
    "They tell what other land of the same kind would give, not another region, season or labeller.",
)
_MANY = 30
_FEW = (
    f"There are fewer than {_MANY} kilns: a bootstrap of so few is too sure of itself, and these intervals "
    "are too narrow."
)
_FOLDS = (
    "Each part was scored by a net that had not learnt from it nor from what lies beside it. The threshold "
    "was chosen on the pool, which flatters a little; under “Folds” stands what each fold shows "
    "at the threshold of the others.",
)


def protocol(report: Report) -> tuple[str, ...]:
    """How the figures came about, one sentence or two each."""
    folds = _FOLDS if report.folds else ()
    few = (_FEW,) if report.subject.sample.truth.kilns < _MANY else ()
    return (*report.subject.notes, *folds, *_MATCHING, *few)


def ground_sentence(report: Report) -> str:
    """What is known of training ground under the scenes."""
    if report.folds:
        return "The scenes are training data: each part was held out from the net that is scored on it."
    trained = report.trained_regions
    if trained:
        parts = ", ".join(f"{region.scene} ({_percent(region.trained_share)})" for region in trained)
        return (
            "NOT A TEST: the model was trained on ground that is scored here, so the figures flatter. "
            f"Training ground: {parts}."
        )
    if not report.subject.model.says_ground:
        return (
            "The card does not say on what ground the model was trained: nobody has checked that these "
            "scenes are new to it."
        )
    return "By its card, the model was not trained on any of this ground."


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{100 * share:.0f} %"
