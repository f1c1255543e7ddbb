"""What must hold of the report's figures, whatever the model: perfect, moved, shuffled, compared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import perfect, sample

from detection.evaluate.blocks import draw_blocks
from detection.evaluate.crossfit import cross_fitted_probability, pooled_at_others, travels
from detection.evaluate.groups import by_land, by_region, by_size
from detection.evaluate.intervals import intervals
from detection.evaluate.metrics import average_precision, scores_of
from detection.evaluate.oriented import box_errors, match_overlaps
from detection.evaluate.paired import Judged, compare
from detection.evaluate.reliability import reliability
from detection.evaluate.sample import Sample, join_samples, match_sample


def figures(one: Sample) -> list[float]:
    """F1, AP, rotated AP50, false alarms and centre error at .5."""
    matching, turned = match_sample(one), match_overlaps(one)
    scores = scores_of(one.found, one.truth, matching, one.area_km2, 0.5, 100.0)
    return [
        scores.f1,
        scores.average_precision,
        average_precision(one.found, turned, one.truth.kilns),
        scores.false_per_1000_km2,
        scores.centre_error_m,
    ]


def test_perfect_detections_score_one():
    one = perfect()
    one = replace(one, detections=replace(one.detections, score=np.full(len(one.detections), 0.9)))
    f1, ap, ap50, alarms, centre = figures(one)
    assert (f1, ap, ap50, alarms) == (1.0, 1.0, 1.0, 0.0) and centre == pytest.approx(0, abs=1e-6)
    matching = match_sample(one)
    errors = box_errors(one, matching, np.flatnonzero(matching.hit))
    assert errors.length_ratio == pytest.approx(1) and errors.angle_deg == pytest.approx(0, abs=1e-6)


def test_where_nothing_went_wrong_the_interval_is_not_a_point():
    one = perfect()
    n, ranges = len(one.kilns), intervals(one.found, one.truth, one.area_km2, 0.0)
    assert ranges["recall"] == (pytest.approx(0.025 ** (1 / n)), 1.0)
    assert ranges["false_per_1000_km2"] == (0.0, pytest.approx(3689 / one.area_km2, rel=1e-3))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 20), st.floats(-150, 90))
def test_moving_all_scenes_east_changes_no_figure(seed, lon):
    assert figures(sample(seed, lon=lon)) == pytest.approx(figures(sample(seed)), rel=1e-4, nan_ok=True)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 20), st.randoms(use_true_random=False))
def test_the_order_of_the_detections_changes_no_figure(seed, random):
    one = sample(seed)
    order = list(range(len(one.detections)))
    random.shuffle(order)
    d = one.detections
    index = np.array(order, dtype=np.intp)
    turned = replace(one, detections=type(d)(d.boxes.take(index), d.score[index], d.region[index]))
    assert figures(turned) == pytest.approx(figures(one))


def test_a_box_turned_by_a_right_angle_is_a_hit_by_place_and_none_by_overlap():
    one = perfect()
    d = one.detections
    boxes = replace(d.boxes, angle_deg=(d.boxes.angle_deg + 90) % 180)
    turned = replace(one, detections=replace(d, boxes=boxes))
    assert match_sample(turned).hit.all()
    assert match_overlaps(turned).false_alarm.all()
    matching = match_sample(turned)
    errors = box_errors(turned, matching, np.flatnonzero(matching.hit))
    assert errors.angle_deg == pytest.approx(90)


def test_regions_add_up_to_the_whole():
    one = sample(4)
    one = replace(one, regions=tuple(replace(r, land="ab"[r.look % 2]) for r in one.regions))
    matching = match_sample(one)
    whole = scores_of(one.found, one.truth, matching, one.area_km2, 0.5, 100.0)
    for groups in (by_region(one, matching, 0.5), by_land(one, matching, 0.5)):
        for name in ("kilns", "hits", "false_alarms", "area_km2"):
            assert sum(getattr(g.scores, name) for g in groups) == pytest.approx(getattr(whole, name))
    sizes = by_size(one, matching, 0.5)
    assert sum(g.scores.hits for g in sizes) == whole.hits and len(sizes) == 3


def test_land_without_kilns_has_false_alarms_and_no_f1():
    one = sample(4)
    empty = replace(one, kilns=replace(one.kilns, ignored=one.kilns.region == 0))
    first = by_region(empty, match_sample(empty), 0.2)[0]
    assert first.scores.kilns == 0 and first.scores.false_alarms > 0
    assert np.isnan(first.scores.f1) and "f1" not in first.intervals
    assert first.intervals["false_per_1000_km2"][1] > first.scores.false_per_1000_km2


def test_joined_samples_are_matched_each_by_itself():
    one = sample(1)
    both = join_samples([one, one])
    assert match_sample(both).hit.sum() == 2 * match_sample(one).hit.sum()
    assert both.area_km2 == 2 * one.area_km2 and len(both.looks()) == 6


def places(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A place for each, and draws of them."""
    return np.arange(n), np.random.default_rng(0).poisson(1.0, (200, n)).astype(float)


def test_scores_that_are_calibrated_perfectly_lie_in_the_band():
    rng = np.random.default_rng(8)
    within = []
    for _ in range(20):
        p = rng.beta(0.5, 2, 800)
        one = reliability(p, rng.random(800) < p, *places(800))
        within.append(one.within_perfect)
        assert one.perfect_median < one.perfect_p90
    # nine of ten are expected; fewer than 14 of 20 happens once in 400 times
    assert sum(within) >= 14


def test_scores_that_boast_lie_outside_the_band():
    rng = np.random.default_rng(8)
    p = rng.uniform(0, 1, 1500)
    one = reliability(p, rng.random(1500) < p**2, *places(1500))
    assert not one.within_perfect and one.perfect_share == 0
    assert one.ece.value == pytest.approx(1 / 6, abs=0.03)  # the integral of p - p²
    assert {b.n for b in one.bins} == {100} and len(one.bins) == 15
    assert one.expected_hits > one.hits


def test_no_probability_gives_no_reliability():
    assert reliability(np.empty(0), np.empty(0, bool), np.empty(0, np.intp), np.ones((5, 0))) is None


def test_a_model_against_itself_differs_in_nothing():
    one = Judged(sample(2), 0.5)
    result = compare(one, one)
    for one_figure in result.differences:
        apart = one_figure.difference
        assert (apart.value, apart.low, apart.high, one_figure.p) == (0, 0, 0, 1)
    assert len(result.only_first) == len(result.only_second) == 0


def test_the_other_way_round_only_the_sign_differs():
    one, two = Judged(sample(2), 0.5), Judged(sample(5, recall=0.6), 0.55)
    there, back = compare(one, two), compare(two, one)
    for a, b in zip(there.differences, back.differences, strict=True):
        assert (a.first, a.second, a.p) == (b.second, b.first, b.p)
        assert a.difference.value == -b.difference.value
        assert (a.difference.low, a.difference.high) == pytest.approx((-b.difference.high, -b.difference.low))
    assert there.only_first.tolist() == back.only_second.tolist() != []


def test_a_model_that_misses_a_third_is_worse_for_sure():
    sides = (sample(1, scenes=8, recall=share) for share in (1.1, 0.5))
    result = compare(*(Judged(one, 0.4) for one in sides))
    recall = next(d for d in result.differences if d.name == "recall")
    assert recall.difference.low > 0 and recall.p < 0.01


def test_other_kilns_cannot_be_compared():
    with pytest.raises(ValueError, match="kilns"):
        compare(Judged(sample(1), 0.5), Judged(sample(1, scenes=2), 0.5))


def test_each_fold_is_judged_by_the_others():
    one = sample(6, folds=True, alarms=600)
    matching = match_sample(one)
    journeys = travels(one, matching)
    assert [t.fold for t in journeys] == [1, 2, 3]
    for t in journeys:
        # its own best threshold is the best for it
        assert t.at_home.scores.f1 >= t.there.scores.f1
        assert t.there.scores.threshold == t.threshold
    pooled = pooled_at_others(one, matching, journeys)
    assert pooled.scores.hits == sum(t.there.scores.hits for t in journeys)
    assert pooled.scores.false_alarms == sum(t.there.scores.false_alarms for t in journeys)


def test_a_folds_own_outcomes_do_not_move_its_probabilities():
    one = sample(6, folds=True, alarms=600)
    matching = match_sample(one)
    before = cross_fitted_probability(one, matching)
    mine = one.detections.region == 0
    flipped = replace(matching, kiln=np.where(mine, -1, matching.kiln))
    after = cross_fitted_probability(one, flipped)
    assert np.isfinite(before).all()
    assert before[mine] == pytest.approx(after[mine]) and not np.allclose(before[~mine], after[~mine])


def test_kilns_without_a_size_are_left_out_where_boxes_are_compared():
    one = perfect()
    sized = np.arange(len(one.kilns)) % 2 == 0
    # boxes taken for the points are all wrong
    boxes = replace(one.kilns.boxes, length_m=np.where(sized, one.kilns.boxes.length_m, 20.0))
    points = replace(one, kilns=replace(one.kilns, boxes=boxes, sized=sized))
    assert match_sample(points).hit.all()
    turned = match_overlaps(points)
    assert turned.hit.sum() == sized.sum() and not turned.false_alarm.any()
    assert average_precision(points.found, turned, points.sized_truth.kilns) == 1
    matching = match_sample(points)
    ratio = box_errors(points, matching, np.flatnonzero(matching.hit)).length_ratio
    assert ratio[np.isfinite(ratio)] == pytest.approx(1) and np.isfinite(ratio).sum() == sized.sum()
    assert sum(group.scores.kilns for group in by_size(points, matching, 0.0)) == sized.sum()


def test_draws_serve_both_models_alike():
    one, two = sample(1), sample(2)
    sides = [(s.found, s.truth, match_sample(s)) for s in (one, two)]
    first, second = draw_blocks(sides)
    assert first.weights is second.weights
    assert (first.kiln == second.kiln).all()
