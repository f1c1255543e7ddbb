"""Intervals hold their figure, are repeatable, and widen where errors come in clumps."""

import numpy as np
import pytest

from detection.evaluate.estimate import Estimate, estimate, exact_share, share_estimate
from detection.evaluate.intervals import intervals
from detection.evaluate.matching import Found, Look, Truth, match, match_looks
from detection.evaluate.metrics import score_detections
from detection.evaluate.summary import outcomes, report

NONE = np.empty(0)


def case(clumped: bool, n: int = 200) -> tuple[Found, Truth]:
    """Kilns on a lattice of 3 km, 90 % found; a tenth as many false alarms, spread or in one tile."""
    rng = np.random.default_rng(0)
    lon = 77 + 0.03 * (np.arange(n) % 20)
    lat = 28 + 0.03 * (np.arange(n) // 20)
    hit = rng.random(n) < 0.9
    alarms = n // 10
    step = 0.0012 if clumped else 0.03
    more_lon, more_lat = 77.015 + step * (np.arange(alarms) % 5), 28.015 + step * (np.arange(alarms) // 5)
    found = Found(
        np.concatenate([lon[hit], more_lon]),
        np.concatenate([lat[hit], more_lat]),
        np.concatenate([rng.uniform(0.5, 1, hit.sum()), rng.uniform(0.4, 0.8, alarms)]),
    )
    return found, Truth(lon, lat, np.zeros(n, bool), NONE, NONE)


def test_intervals_hold_their_figures_and_are_repeatable():
    found, truth = case(clumped=False)
    scores = score_detections(found, truth, 1000.0, 0.45)
    ranges = intervals(found, truth, 1000.0, 0.45)
    assert ranges == intervals(found, truth, 1000.0, 0.45)
    names = {"precision", "recall", "f1", "average_precision", "false_per_1000_km2", "centre_error_m"}
    assert set(ranges) == names
    for name, (low, high) in ranges.items():
        assert low <= getattr(scores, name) <= high
    # about that of a binomial share
    low, high = ranges["recall"]
    assert 0.06 < high - low < 0.11


def test_clumped_false_alarms_are_less_certain():
    spread, clumped = (intervals(*case(c), 1000.0, 0.45)["false_per_1000_km2"] for c in (False, True))
    assert clumped[1] - clumped[0] > 1.5 * (spread[1] - spread[0])


def test_nothing_at_all_gives_no_interval():
    nothing = Found(NONE, NONE, NONE), Truth(NONE, NONE, NONE.astype(bool), NONE, NONE)
    assert set(intervals(*nothing, 0.0, 0.5)) == set()
    assert len(report([Look(*nothing, 0.0)], 0.5)) == 6
    assert outcomes([Look(*nothing, 0.0)], 0.5) == []


def test_what_no_draw_changes_is_told_by_exact_limits_or_not_at_all():
    found, truth = case(clumped=False)
    kilns = truth.kilns
    # nothing wrong: Clopper and Pearson's lower limit for n of n; nothing is said of F1
    perfect = intervals(Found(truth.kiln_lon, truth.kiln_lat, np.full(kilns, 0.9)), truth, 1000.0, 0.5)
    assert perfect["recall"] == perfect["precision"] == (0.025 ** (1 / kilns), 1.0)
    assert not {"f1", "average_precision"} & set(perfect)
    # nothing right: their upper limit for none of n
    away = intervals(Found(found.lon, found.lat + 1, found.score), truth, 1000.0, 0.0)
    assert away["recall"] == (0.0, 1 - 0.025 ** (1 / kilns))
    assert away["precision"] == (0.0, 1 - 0.025 ** (1 / len(found)))
    assert not {"f1", "average_precision", "centre_error_m"} & set(away)


def test_a_share_of_all_or_none_has_exact_limits_and_a_figure_that_no_draw_changes_has_none():
    same = np.full(9, 1.0)
    assert share_estimate(10, 10, same) == Estimate(1.0, 0.025**0.1, 1.0)
    assert share_estimate(0, 38, 0 * same) == Estimate(0.0, 0.0, 1 - 0.025 ** (1 / 38))
    drawn = share_estimate(3, 10, np.linspace(0.1, 0.5, 101))
    assert drawn.value == 0.3 and 0.1 < drawn.low < 0.3 < drawn.high < 0.5
    assert np.isnan([estimate(1.0, same).low, estimate(1.0, same).high]).all()
    with pytest.raises(ValueError, match="3 events of 10"):
        exact_share(3, 10)


def test_looks_are_matched_each_by_itself():
    found, truth = case(clumped=False)
    both, all_truth, matching = match_looks([Look(found, truth, 1.0)] * 2)
    one = match(found, truth)
    assert len(both) == 2 * len(found) and all_truth.kilns == 2 * truth.kilns
    assert matching.kiln.tolist() == [*one.kiln, *np.where(one.kiln < 0, -1, one.kiln + truth.kilns)]
