"""Scores become chances: monotone, whatever the order, with the curve that made the data; where it holds."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_scene import card, degrees, memory_scene

from detection.bundle import Calibration, Card, Domain
from detection.calibrate import fit_calibration, logit, probability, standard_errors
from detection.domain import calibration_for, calibrations_at
from detection.review_reliability import (
    blocks_of,
    calibration_error,
    expected_calibration_error,
    folds_of,
    held_out_chances,
)

SCORES = st.lists(st.floats(0.05, 0.999), min_size=2, max_size=60)


def simulated(n: int, slope: float, intercept: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score = rng.uniform(0.05, 0.97, n)
    chance = 1 / (1 + np.exp(-slope * logit(score) - intercept))
    return score, rng.random(n) < chance


@settings(deadline=None)
@given(SCORES, st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_the_fit_does_not_depend_on_the_order(scores, bits, rng):
    kilns = [bool(bits >> k & 1) for k in range(len(scores))]
    pairs = list(zip(scores, kilns, strict=True))
    mixed = rng.sample(pairs, len(pairs))
    one, other = (
        fit_calibration(np.array(s), np.array(k), "")
        for s, k in (zip(*pairs, strict=True), zip(*mixed, strict=True))
    )
    assert (one.slope, one.intercept) == (other.slope, other.intercept)


@settings(deadline=None)
@given(SCORES, st.integers(0, 2**32 - 1))
def test_chances_are_finite_and_keep_the_order_of_scores_or_turn_it_whole(scores, bits):
    kilns = np.array([bool(bits >> k & 1) for k in range(len(scores))])
    fit = fit_calibration(np.array(scores), kilns, "")
    chance = probability(fit, np.sort(scores)).astype(np.float64)
    assert np.isfinite(chance).all() and ((chance >= 0) & (chance <= 1)).all()
    assert (np.diff(chance) * np.sign(fit.slope) >= 0).all()


@settings(deadline=None)
@given(st.lists(st.floats(0.05, 0.45), min_size=1), st.lists(st.floats(0.55, 0.99), min_size=1))
def test_scores_that_part_kilns_from_the_rest_give_a_rising_finite_curve(low, high):
    scores, kilns = np.array(low + high), np.array([False] * len(low) + [True] * len(high))
    fit = fit_calibration(scores, kilns, "")
    assert 0 < fit.slope < 1e3 and abs(fit.intercept) < 1e4


@settings(max_examples=25, deadline=None)
@given(st.floats(0.3, 4.0), st.floats(-2.0, 2.0), st.integers(0, 10_000))
def test_the_curve_that_made_the_data_is_found_within_its_standard_errors(slope, intercept, seed):
    score, kiln = simulated(4000, slope, intercept, seed)
    fit = fit_calibration(score, kiln, "")
    slope_error, intercept_error = standard_errors(fit, score)
    # six of them: no example of hundreds may fail by chance; with 4,000 items an error is some hundredths
    assert abs(fit.slope - slope) < 6 * slope_error + 0.01
    assert abs(fit.intercept - intercept) < 6 * intercept_error + 0.01
    assert slope_error < 0.3 and intercept_error < 0.3


@pytest.mark.parametrize("slopes", [(1.3, 5.0), (3.0, 1.0), (2.0, 2.0)])
def test_beta_finds_a_slope_of_its_own_for_high_scores(slopes):
    rng = np.random.default_rng(5)
    score = rng.uniform(0.02, 0.98, 20_000)
    chance = 1 / (1 + np.exp(-slopes[0] * np.log(score) + slopes[1] * np.log(1 - score) + 1))
    kiln = rng.random(len(score)) < chance
    fit = fit_calibration(score, kiln, "", "beta")
    assert fit.slope_high is not None
    # the two pull against each other, so that they are known less well than the curve
    assert abs(fit.slope - slopes[0]) < 0.8 and abs(fit.slope_high - slopes[1]) < 0.8
    np.testing.assert_allclose(probability(fit, score), chance, atol=0.03)


def test_one_slope_for_both_is_platts_scaling():
    score = np.linspace(0.01, 0.99, 50)
    one = Calibration(slope=1.7, intercept=-0.4, n=500, method="")
    both = Calibration(slope=1.7, slope_high=1.7, intercept=-0.4, n=500, method="")
    np.testing.assert_allclose(
        probability(one, score), 1 / (1 + np.exp(-1.7 * logit(score) + 0.4)), rtol=1e-5
    )
    np.testing.assert_array_equal(probability(one, score), probability(both, score))


def test_beta_never_lets_a_higher_score_mean_less():
    rng = np.random.default_rng(2)
    score = rng.uniform(0.02, 0.98, 4000)
    kiln = rng.random(4000) < np.where(score > 0.7, 0.1, score)  # falls at the top
    fit = fit_calibration(score, kiln, "", "beta")
    assert fit.slope_high is None or min(fit.slope, fit.slope_high) > 0


def test_standard_errors_cover_as_often_as_they_say():
    inside = 0
    for seed in range(100):
        score, kiln = simulated(250, 1.5, -0.4, seed)
        fit = fit_calibration(score, kiln, "")
        inside += abs(fit.slope - 1.5) < 1.96 * standard_errors(fit, score)[0]
    assert 88 <= inside <= 100


def test_drawing_more_where_scores_are_high_does_not_bend_the_curve():
    """Why the fit needs no weights: the draw depends on the score alone."""
    score, kiln = simulated(40_000, 1.5, -2.0, 3)
    rng = np.random.default_rng(4)
    drawn = rng.random(len(score)) < np.where(score > 0.5, 0.5, 0.02)
    fit = fit_calibration(score[drawn], kiln[drawn], "")
    assert fit.slope == pytest.approx(1.5, abs=0.15) and fit.intercept == pytest.approx(-2.0, abs=0.15)


def test_smoothed_targets_keep_a_sure_curve_from_certainty():
    scores = np.array([0.1] * 10 + [0.9] * 10)
    fit = fit_calibration(scores, scores > 0.5, "")
    assert probability(fit, np.array([0.1, 0.9])) == pytest.approx([1 / 12, 11 / 12], abs=1e-4)


def test_ece_is_nought_where_shares_are_the_chances_and_the_gap_where_they_are_not():
    chance = np.repeat([0.2, 0.8], 50)
    kiln = np.array(([True] * 10 + [False] * 40) + ([True] * 40 + [False] * 10))
    ones = np.ones(100)
    assert expected_calibration_error(np.full(100, 0.5), kiln, ones) == pytest.approx(0.5, abs=0.15)
    assert expected_calibration_error(np.full(100, 0.9), kiln[::-1], ones) >= 0.4
    block = np.array([str(k % 20) for k in range(100)])
    error = calibration_error(chance, kiln, ones, block)
    assert error.low <= error.ece + 0.05 and error.ece <= error.high and error.n == 100


def test_a_perfect_score_stays_below_what_is_called_perfect_nine_times_in_ten():
    rng = np.random.default_rng(5)
    below = 0
    for _ in range(20):
        chance = rng.uniform(0.05, 0.95, 120)
        kiln = rng.random(120) < chance
        block = np.array([str(k % 12) for k in range(120)])
        error = calibration_error(chance, kiln, np.ones(120), block)
        below += error.ece <= error.perfect
    assert 14 <= below <= 20


def test_weights_say_how_many_each_stands_for():
    chance, kiln = np.array([0.5, 0.5, 0.9, 0.9]), np.array([True, False, False, False])
    assert expected_calibration_error(chance, kiln, np.array([1.0, 1, 0, 0])) == pytest.approx(0.5)
    assert expected_calibration_error(chance, kiln, np.array([0.0, 0, 1, 1])) == pytest.approx(0.9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=200))
def test_what_lies_in_one_block_is_in_one_fold(tiles):
    block = blocks_of(tiles)
    assert len(block) == len(tiles)
    if len(set(block)) < 2:
        with pytest.raises(ValueError, match="one block"):
            folds_of(block)
        return
    fold = folds_of(block)
    assert all(len(set(fold[block == name])) == 1 for name in block)
    assert len(set(fold)) == min(5, len(set(block)))


def test_a_held_out_chance_does_not_know_its_own_block():
    score, kiln = simulated(300, 1.5, 0.0, 1)
    block = np.array([str(k % 15) for k in range(300)])
    before = held_out_chances(score, kiln, block)
    turned = np.where(block == "3", ~kiln, kiln)
    after = held_out_chances(score, turned, block)
    assert (before[block == "3"] == after[block == "3"]).all() and (before != after).any()


# --- where a calibration holds ---------------------------------------------------------------------------

NOVEMBER = datetime(2023, 11, 15, tzinfo=UTC)
HERE = replace(memory_scene(np.ones((3, 64, 64)), degrees(64, 64), at=NOVEMBER).info, product="S2-L1C")
ELSEWHERE = replace(HERE, grid=degrees(64, 64, 20.0, 50.0), product="S2-L2A")
AROUND = Domain(area=((19, 49), (21, 49), (21, 51), (19, 51)), months=(11,), products=("S2-L2A",))


def fitted(slope: float, domain: Domain | None = None) -> Calibration:
    return Calibration(slope=slope, intercept=0, n=300, method="test", domain=domain)


def test_a_calibration_without_a_domain_has_the_cards():
    own = card(calibration=fitted(1.0))
    assert calibration_for(own, HERE, 1.0) == fitted(1.0)
    assert calibration_for(own, ELSEWHERE, 1.0) is None
    assert calibration_for(card(calibration=None), HERE, 1.0) is None


def test_a_scene_uses_the_first_calibration_whose_domain_it_lies_in():
    local, older = fitted(2.0, AROUND), fitted(3.0, AROUND)
    both = card(calibration=fitted(1.0), local_calibrations=(local, older))
    assert calibration_for(both, ELSEWHERE, 1.0) == local
    assert calibration_for(both, HERE, 1.0) == fitted(1.0)
    assert calibration_for(both, replace(ELSEWHERE, acquired_at=None), 1.0) is None
    assert calibration_for(both, replace(ELSEWHERE, acquired_at=NOVEMBER.replace(month=5)), 1.0) is None


def test_a_calibrations_own_domain_may_be_smaller_than_the_cards():
    assert calibration_for(card(calibration=fitted(1.0, AROUND)), HERE, 1.0) is None


def test_at_another_zoom_a_calibration_does_not_hold():
    enlarged = fitted(2.0, AROUND).model_copy(update={"zoom": 1.25})
    both = card(calibration=fitted(1.0), local_calibrations=(enlarged, fitted(3.0, AROUND)))
    assert calibration_for(both, ELSEWHERE, 1.25) == enlarged
    assert calibration_for(both, ELSEWHERE, 1.0) == fitted(3.0, AROUND)
    assert calibration_for(both, HERE, 1.25) is None
    assert calibrations_at(both, ELSEWHERE) == [enlarged, fitted(3.0, AROUND)]


def test_cards_of_before_load_and_new_ones_come_back():
    old = card(calibration=None).model_dump(mode="json")
    del old["local_calibrations"]
    old["calibration"] = {"slope": 1.0, "intercept": 0.0, "n": 500, "method": "Platt"}
    read = Card.model_validate(old)
    assert read.local_calibrations == () and read.calibration is not None and read.calibration.domain is None
    new = card(local_calibrations=(fitted(2.0, AROUND),))
    assert Card.model_validate_json(new.model_dump_json()) == new
