"""detection.merge.detector: what the detector says of a site, as one witness; knows nothing of votes."""

import math
from collections.abc import Sequence

from detection.merge.evidence import SceneScore

UNCALIBRATED_WEIGHT = 0.5
"""A net's raw score is too sure of itself; without calibration its log-odds count half."""

_MOST = 0.98
"""Chances are kept within [0.02, 0.98]: no witness is surer than 49 to 1."""


def logit(p: float) -> float:
    """Log-odds of a chance, cut at +-log(49)."""
    p = min(max(p, 1 - _MOST), _MOST)
    return math.log(p / (1 - p))


def witness_log_odds(scores: Sequence[SceneScore], not_found_log_odds: float) -> tuple[float, bool]:
    """The detector's log-odds for a site, and whether they rest on calibrated chances alone.

    One model that sees a place on five dates is one witness, not five: its errors (a red roof) come back on
    every date. So log-odds are **averaged**: first over the scenes of a model (the best detection of each),
    then over models, which learnt from the same labels. Candidates below the threshold count only where
    nothing reached it, so that a faint trace never weakens a site more than no trace would.
    """
    sure = [s for s in scores if not s.is_candidate] or list(scores)
    if not sure:
        return not_found_log_odds, False
    best: dict[tuple[str, str], float] = {}
    for s in sure:
        key = (s.model_id, s.scene_id)
        best[key] = max(best.get(key, -math.inf), _log_odds(s))
    by_model: dict[str, list[float]] = {}
    for (model_id, _), value in best.items():
        by_model.setdefault(model_id, []).append(value)
    means = [math.fsum(values) / len(values) for values in by_model.values()]
    return math.fsum(means) / len(means), all(s.probability is not None for s in sure)


def _log_odds(score: SceneScore) -> float:
    if score.probability is not None:
        return logit(score.probability)
    return UNCALIBRATED_WEIGHT * logit(score.score)
