"""detection.evaluate.intervals: how far the figures can be believed; knows nothing of models or files."""

import numpy as np

from detection.evaluate.blocks import DRAWS, Blocks, Interval, Scored, between, draw_blocks, weighted_medians
from detection.evaluate.estimate import TAIL, exact_share
from detection.evaluate.matching import Found, Matching, Truth, match
from geodata.grid import Floats


def intervals(
    found: Found, truth: Truth, area_km2: float, threshold: float, matching: Matching | None = None
) -> dict[str, Interval]:
    """95 % intervals of the figures of `metrics.Scores`, by their names there; repeatable.

    A bootstrap over places (`blocks.Blocks`). What is never finite is left out, and so are F1 and
    average precision where no draw changes them.

    Args:
        found: detections, candidates below the threshold too where the average precision is to use them.
        truth: kilns.
        area_km2: observed area.
        threshold: of the score.
        matching: of `found` and `truth`, where it is not that at 100 m.
    """
    scored = (found, truth, matching or match(found, truth))
    drawn = figure_draws(scored, area_km2, threshold, draw_blocks([scored])[0])
    ranges = {name: between(values) for name, values in drawn.items()}
    out = {name: interval for name, interval in ranges.items() if interval is not None}
    for name in ("f1", "average_precision"):
        if name in out and out[name][0] == out[name][1]:
            del out[name]  # without a hit, or without a mistake, every draw is the same: that is no certainty
    return out | _where_nothing_varies(scored, area_km2, threshold)


def _where_nothing_varies(scored: Scored, area_km2: float, threshold: float) -> dict[str, Interval]:
    """Exact limits where there is no false alarm, no miss or no hit: drawing anew would show no doubt at all.

    No event leaves an upper limit of -ln .025 = 3.7 events (Garwood 1936); shares: `estimate.exact_share`.
    """
    found, truth, matching = scored
    above = found.score >= threshold
    hits, alarms = int((matching.hit & above).sum()), int((matching.false_alarm & above).sum())
    out: dict[str, Interval] = {}
    if alarms == 0 and area_km2 > 0:
        out["false_per_1000_km2"] = (0.0, float(-1000 * np.log(TAIL) / area_km2))
    if hits and alarms == 0:
        out["precision"] = exact_share(hits, hits)
    if hits and hits == truth.kilns:
        out["recall"] = exact_share(hits, hits)
    if alarms and not hits:
        out["precision"] = exact_share(0, alarms)
    if truth.kilns and not hits:
        out["recall"] = exact_share(0, truth.kilns)
    return out


def figure_draws(scored: Scored, area_km2: float, threshold: float, blocks: Blocks) -> dict[str, Floats]:
    """The figures of `metrics.Scores`, by their names there, in each draw of places, (draws,) each."""
    found, truth, matching = scored
    above = found.score >= threshold
    hit = matching.hit & above
    hits, alarms = blocks.found_sums(hit), blocks.found_sums(matching.false_alarm & above)
    kilns = blocks.kiln_sums(~truth.kiln_ignored)
    centre = weighted_medians(matching.distance_m[hit], blocks.found[hit], blocks.weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "precision": hits / (hits + alarms),
            "recall": hits / kilns,
            "f1": 2 * hits / (hits + alarms + kilns),
            "average_precision": _average_precisions(scored, blocks, kilns),
            "false_per_1000_km2": 1000 * alarms / area_km2 if area_km2 > 0 else np.full(DRAWS, np.nan),
            "centre_error_m": centre,
        }


def _average_precisions(scored: Scored, blocks: Blocks, kilns: Floats) -> Floats:
    """As `metrics.average_precision`, each detection counted as often as its place."""
    found, _truth, matching = scored
    counted = np.flatnonzero(~matching.excused)
    order = counted[np.argsort(-found.score[counted], kind="stable")]
    hit = matching.hit[order]
    out = np.full(len(kilns), np.nan)
    for k in np.flatnonzero(kilns):
        times = blocks.weights[k, blocks.found[order]]
        hits, seen = np.cumsum(times * hit), np.cumsum(times)
        precision = hits / np.maximum(seen, 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        out[k] = (times * hit * envelope).sum() / kilns[k]
    return out
