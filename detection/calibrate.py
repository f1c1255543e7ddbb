"""detection.calibrate: from the model's score to a chance, where the card allows one."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detection.bundle import Calibration
from geodata.grid import Floats

EDGE = 1e-6
_MOST_STEPS = 100
_RIDGE = 1e-9

Form = Literal["platt", "beta"]


def logit(score: NDArray[np.floating]) -> Floats:
    """Log-odds of scores, kept finite."""
    s = np.clip(np.asarray(score, dtype=np.float64), EDGE, 1 - EDGE)
    return np.log(s / (1 - s))


def probability(
    calibration: Calibration | None, scores: NDArray[np.floating], in_domain: bool = True
) -> NDArray[np.float32]:
    """Calibrated chances, float32 (n,); NaN without a calibration that holds (`domain.calibration_for`)."""
    if calibration is None or not in_domain:
        return np.full(len(scores), np.nan, dtype=np.float32)
    high = calibration.slope if calibration.slope_high is None else calibration.slope_high
    z = _design(scores, "beta") @ np.array([calibration.slope, high, calibration.intercept])
    return _sigmoid(z).astype(np.float32)


def fit_calibration(
    scores: NDArray[np.floating], is_kiln: NDArray[np.bool_], method: str, form: Form = "platt"
) -> Calibration:
    """Slopes and intercept by Newton's method on the log-loss, with Platt's smoothed targets.

    Platt 1999, "Probabilistic outputs for support vector machines", section 2.2; steps are halved until the
    loss falls, as Lin, Lin and Weng 2007 ("A note on Platt's probabilistic outputs") show to be needed.

    No weights: where detections were drawn with chances that depend on nothing but their score, the share of
    kilns *at a score* is that of all detections, and weights would only add noise.

    The form `beta` has a slope of its own where scores are high (Kull, Silva Filho and Flach 2017, "Beta
    calibration", AISTATS); if a slope comes out negative, a higher score would mean less, and it is `platt`.

    Args:
        scores: of detections that the model has not learnt from (n,).
        is_kiln: whether each is a kiln.
        method: said in the card, after the form's name.
        form: one slope or two.
    """
    beta = _newton(_design(scores, form), np.asarray(is_kiln, dtype=np.bool_))
    if form == "beta" and min(beta[:2]) <= 0:
        return fit_calibration(scores, is_kiln, method)
    slopes = (float(beta[0]), float(beta[1]) if form == "beta" else None)
    return Calibration(
        slope=slopes[0],
        slope_high=slopes[1],
        intercept=float(beta[-1]),
        n=len(scores),
        method=method,
    )


def _newton(x: Floats, is_kiln: NDArray[np.bool_]) -> Floats:
    # in one order, so that rounding does not depend on the order of the input
    order = np.lexsort((is_kiln, x[:, 0]))
    x, is_kiln = x[order], is_kiln[order]
    hits, misses = int(is_kiln.sum()), int((~is_kiln).sum())
    target = np.where(is_kiln, (hits + 1) / (hits + 2), 1 / (misses + 2))
    beta = np.zeros(x.shape[1])
    beta[-1] = np.log((hits + 1) / (misses + 1))
    loss = _loss(x, target, beta)
    for _ in range(_MOST_STEPS):
        p = _sigmoid(x @ beta)
        step = np.linalg.solve(_information(x, p), x.T @ (p - target))
        after = beta - step
        while (new := _loss(x, target, after)) > loss + 1e-12 and np.abs(step).max() > 1e-12:
            step /= 2
            after = beta - step
        beta, loss = after, new
        if np.abs(step).max() < 1e-9:
            break
    return beta


def standard_errors(calibration: Calibration, scores: NDArray[np.floating]) -> tuple[float, float]:
    """Standard errors of slope and intercept (of the form `platt`), from the inverse Fisher information."""
    x = _design(scores, "platt")
    p = _sigmoid(x @ np.array([calibration.slope, calibration.intercept]))
    slope, intercept = np.sqrt(np.diag(np.linalg.inv(_information(x, p))))
    return float(slope), float(intercept)


def _design(scores: NDArray[np.floating], form: Form) -> Floats:
    s = np.clip(np.asarray(scores, dtype=np.float64), EDGE, 1 - EDGE)
    one = np.ones(len(s))
    return np.stack([logit(s), one] if form == "platt" else [np.log(s), -np.log1p(-s), one], -1)


def _information(x: Floats, p: Floats) -> Floats:
    return np.asarray((x * (p * (1 - p))[:, None]).T @ x + _RIDGE * np.eye(x.shape[1]))


def _loss(x: Floats, target: Floats, beta: Floats) -> float:
    """Cross-entropy with soft targets, without overflow."""
    z = x @ beta
    return float((np.logaddexp(0, z) - target * z).sum())


def _sigmoid(z: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -z)))
