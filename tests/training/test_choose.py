"""Threshold, calibration and figures come from what was held out."""

import numpy as np
import pytest

from detection.calibrate import probability
from detection.evaluate.matching import Found, Look, Truth
from geodata.errors import InputError
from training.choose import ENOUGH, choose

STEP = 0.01
"""Degrees between places, about a kilometre."""


def look(scores: list[float], right: list[bool], missed: int = 0) -> Look:
    """One detection per place; kilns at those that are right and at `missed` more places."""
    lon = 77 + STEP * np.arange(len(scores) + missed)
    kiln = np.array([*right, *[True] * missed])
    truth = Truth(lon[kiln], np.full(kiln.sum(), 28.0), np.zeros(kiln.sum(), bool), np.empty(0), np.empty(0))
    found = Found(lon[: len(scores)], np.full(len(scores), 28.0), np.array(scores))
    return Look(found, truth, 100.0)


def test_the_threshold_is_that_of_the_best_pooled_f1() -> None:
    # alone, the first part wants to end above .5 and the second below .3; together .3 is the last good one
    parts = [look([0.9, 0.5, 0.4], [True, False, True]), look([0.8, 0.3, 0.2], [True, True, False])]
    chosen = choose(parts, folds=2)
    assert 0.2 < chosen.threshold < 0.3 and "pooled over 2 held-out folds" in chosen.how
    values = {figure.name: figure.value for figure in chosen.figures}
    assert values["F1 at 100 m"] == pytest.approx(8 / 9)
    assert values["precision at 100 m"] == pytest.approx(4 / 5) and values["recall at 100 m"] == 1
    assert values["false alarms per 1,000 km²"] == pytest.approx(1000 * 1 / 200)


def test_kilns_that_nothing_found_count_as_missed() -> None:
    chosen = choose([look([0.9], [True], missed=3)], folds=4)
    assert next(f.value for f in chosen.figures if f.name.startswith("recall")) == pytest.approx(0.25)


def test_the_training_scenes_themselves_give_a_threshold_but_no_figure() -> None:
    chosen = choose([look([0.9, 0.2], [True, False])], folds=0)
    assert 0.2 <= chosen.threshold < 0.9 and "flatters" in chosen.how
    assert chosen.calibration is None and chosen.figures == ()


def test_few_detections_calibrate_nothing_and_many_are_calibrated() -> None:
    rng = np.random.default_rng(2)
    scores = rng.uniform(0.05, 0.95, 4 * ENOUGH)
    # the score flatters: the true chance is its square
    right = rng.uniform(size=len(scores)) < scores**2
    assert choose([look(list(scores[: ENOUGH - 1]), list(right[: ENOUGH - 1]))], folds=4).calibration is None
    calibration = choose([look(list(scores), list(right))], folds=4).calibration
    assert calibration is not None and calibration.n == len(scores)
    chance = probability(calibration, np.array([0.3, 0.8]), in_domain=True)
    assert chance == pytest.approx([0.09, 0.64], abs=0.08)


def test_a_net_that_found_nothing_gives_no_threshold() -> None:
    with pytest.raises(InputError, match="train longer"):
        choose([look([], [], missed=2)], folds=2)


def test_all_that_was_found_may_lie_where_nobody_knows() -> None:
    one = look([0.9], [False], missed=1)
    truth = Truth(one.truth.kiln_lon, one.truth.kiln_lat, np.zeros(1, bool), one.found.lon, one.found.lat)
    with pytest.raises(InputError, match="nothing that counts"):
        choose([Look(one.found, truth, 100.0)], folds=2)
    with pytest.raises(InputError, match="no labelled kiln"):
        choose([look([0.9], [False])], folds=2)
