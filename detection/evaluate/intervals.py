"""detection.evaluate.intervals: how far the figures can be believed; knows nothing of models or files."""

import numpy as np
from numpy.typing import NDArray

from detection.evaluate.matching import Found, Matching, Truth, match
from geodata.grid import Floats
from geodata.tiles import tile_ids

DRAWS = 1000
LEVEL = (2.5, 97.5)
"""Percentiles: a 95 % interval."""
SEED = 20_240_115

Interval = tuple[float, float]


def intervals(
    found: Found, truth: Truth, area_km2: float, threshold: float, matching: Matching | None = None
) -> dict[str, Interval]:
    """95 % intervals of the figures of `metrics.Scores`, by their names there; repeatable.

    A bootstrap over places: what lies in one tile of the labelling grid (about 1 km) is kept or repeated
    together, since a bad field gives several false alarms. Each tile counts as often as a Poisson variable of
    mean 1 says, which is drawing tiles with replacement when they are many, and needs no list of empty ones
    (Hanley and MacGibbon 2006, "Creating non-parametric bootstrap samples using Poisson frequencies").
    What is never finite is left out.

    Args:
        found: detections, candidates below the threshold too where the average precision is to use them.
        truth: kilns.
        area_km2: observed area.
        threshold: of the score.
        matching: of `found` and `truth`, where it is not that at 100 m.
    """
    matching = matching or match(found, truth)
    weights, of_found, of_kiln = _draw(found, truth, matching)
    above = found.score >= threshold
    hit, alarm = matching.hit & above, matching.false_alarm & above
    hits, alarms = weights @ _sums(of_found, hit, weights), weights @ _sums(of_found, alarm, weights)
    kilns = weights @ _sums(of_kiln, ~truth.kiln_ignored, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = {
            "precision": hits / (hits + alarms),
            "recall": hits / kilns,
            "f1": 2 * hits / (hits + alarms + kilns),
            "average_precision": _average_precisions(found, matching, weights, of_found, kilns),
            "false_per_1000_km2": 1000 * alarms / area_km2 if area_km2 > 0 else np.full(DRAWS, np.nan),
            "centre_error_m": _medians(matching.distance_m[hit], weights[:, of_found[hit]]),
        }
    return {name: _between(values) for name, values in drawn.items() if np.isfinite(values).any()}


def _draw(
    found: Found, truth: Truth, matching: Matching
) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """How often each place counts, (draws, places), and the place of each detection and kiln.

    A hit lies where its kiln lies, so that the two are never parted.
    """
    kiln_tiles = np.array(tile_ids(truth.kiln_lon, truth.kiln_lat), dtype="U16")
    tiles = np.array(tile_ids(found.lon, found.lat), dtype="U16")
    tiles[matching.hit] = kiln_tiles[matching.kiln[matching.hit]]
    names, place = np.unique(np.concatenate([tiles, kiln_tiles]), return_inverse=True)
    weights = np.random.default_rng(SEED).poisson(1.0, (DRAWS, len(names))).astype(np.float64)
    return weights, place[: len(tiles)], place[len(tiles) :]


def _sums(place: NDArray[np.intp], counted: NDArray[np.bool_], weights: Floats) -> Floats:
    return np.bincount(place[counted], minlength=weights.shape[1]).astype(np.float64)


def _average_precisions(
    found: Found, matching: Matching, weights: Floats, of_found: NDArray[np.intp], kilns: Floats
) -> Floats:
    """As `metrics.average_precision`, each detection counted as often as its place."""
    counted = np.flatnonzero(~matching.excused)
    order = counted[np.argsort(-found.score[counted], kind="stable")]
    hit = matching.hit[order]
    out = np.full(len(weights), np.nan)
    for k in np.flatnonzero(kilns):
        times = weights[k, of_found[order]]
        hits, seen = np.cumsum(times * hit), np.cumsum(times)
        precision = hits / np.maximum(seen, 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        out[k] = (times * hit * envelope).sum() / kilns[k]
    return out


def _medians(values: Floats, weights: Floats) -> Floats:
    out = np.full(len(weights), np.nan)
    for k, times in enumerate(weights.astype(np.intp)):
        if times.any():
            out[k] = np.median(np.repeat(values, times))
    return out


def _between(values: Floats) -> Interval:
    low, high = np.percentile(values[np.isfinite(values)], LEVEL)
    return float(low), float(high)
