"""detection.calibrate: from the model's score to a chance, where the card allows one."""

import numpy as np
from numpy.typing import NDArray

from detection.bundle import Calibration
from geodata.grid import Floats

EDGE = 1e-6


def logit(score: NDArray[np.floating]) -> Floats:
    """Log-odds of scores, kept finite."""
    s = np.clip(np.asarray(score, dtype=np.float64), EDGE, 1 - EDGE)
    return np.log(s / (1 - s))


def probability(
    calibration: Calibration | None, scores: NDArray[np.floating], in_domain: bool
) -> NDArray[np.float32]:
    """Calibrated chances, float32 (n,); NaN where the card gives no calibration for this scene's domain."""
    if calibration is None or not in_domain:
        return np.full(len(scores), np.nan, dtype=np.float32)
    z = calibration.slope * logit(scores) + calibration.intercept
    return (1 / (1 + np.exp(-z))).astype(np.float32)


def fit_calibration(scores: NDArray[np.floating], is_kiln: NDArray[np.bool_], method: str) -> Calibration:
    """Slope and intercept by Newton's method on the log-loss, with Platt's smoothed targets.

    Platt 1999, "Probabilistic outputs for support vector machines", section 2.2.

    Args:
        scores: out-of-fold scores (n,).
        is_kiln: whether each matched a kiln.
        method: said in the card.
    """
    x = np.stack([logit(scores), np.ones(len(scores))], -1)
    hits, misses = int(is_kiln.sum()), int((~is_kiln).sum())
    target = np.where(is_kiln, (hits + 1) / (hits + 2), 1 / (misses + 2))
    beta = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-(x @ beta)))
        gradient = x.T @ (p - target)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        beta -= step
        if np.abs(step).max() < 1e-9:
            break
    return Calibration(slope=float(beta[0]), intercept=float(beta[1]), n=len(scores), method=method)
