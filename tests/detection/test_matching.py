"""One-to-one matching and the figures that come from it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.evaluate.matching import Found, Truth, match
from detection.evaluate.metrics import (
    average_precision,
    best_threshold,
    curve,
    score_detections,
)
from geodata.grid import metres_per_degree
from geodata.near import pairs_within
from geodata.obb import offsets_m

LON, LAT = 77.2, 28.6
EAST, NORTH = (float(v) for v in metres_per_degree(LAT))


def degrees(points_m):
    points = np.asarray(points_m, dtype=float).reshape(-1, 2)
    return LON + points[:, 0] / EAST, LAT + points[:, 1] / NORTH


def found(points_m, scores):
    return Found(*degrees(points_m), np.asarray(scores, dtype=float))


def truth(kilns_m, ignored=None, places_m=()):
    mask = np.zeros(len(kilns_m), bool) if ignored is None else np.asarray(ignored, bool)
    return Truth(*degrees(kilns_m), mask, *degrees(places_m))


def test_each_kiln_is_hit_once_and_the_second_box_is_a_false_alarm():
    matching = match(found([(0, 0), (20, 0)], [0.5, 0.9]), truth([(5, 0)]))
    assert matching.hit.tolist() == [False, True]
    assert matching.false_alarm.tolist() == [True, False]
    assert matching.distance_m[1] == pytest.approx(15, abs=0.01)


def test_neighbours_74_m_apart_are_both_found():
    matching = match(found([(3, 0), (70, 0)], [0.4, 0.9]), truth([(0, 0), (74, 0)]))
    assert matching.kiln.tolist() == [0, 1]


def test_a_candidate_swallows_no_hit_and_excuses_no_second_box():
    matching = match(found([(0, 0), (30, 0)], [0.9, 0.8]), truth([(0, 0)], places_m=[(25, 0)]))
    assert matching.hit.tolist() == [True, False]
    assert matching.false_alarm.tolist() == [False, True]


def test_a_candidate_excuses_what_lies_within_80_m_of_it():
    scores = score_detections(
        found([(0, 79), (0, 81), (5000, 0)], [0.9, 0.9, 0.9]),
        truth([(5000, 0)], places_m=[(0, 0)]),
        500.0,
        0.5,
    )
    assert (scores.hits, scores.false_alarms, scores.excused) == (1, 1, 1)
    assert scores.false_per_1000_km2 == pytest.approx(2.0)


def test_a_kiln_cut_by_an_edge_is_neither_missed_nor_required():
    cut = truth([(0, 0), (3000, 0)], ignored=[True, False])
    with_box = score_detections(found([(10, 0), (3000, 5)], [0.9, 0.9]), cut, 100.0, 0.5)
    without = score_detections(found([(3000, 5)], [0.9]), cut, 100.0, 0.5)
    for scores in (with_box, without):
        assert (scores.kilns, scores.hits, scores.false_alarms, scores.f1) == (1, 1, 0, 1.0)


def test_without_places_the_same_box_is_a_false_alarm():
    places = truth([(5000, 0)], places_m=[(0, 0)])
    box = found([(10, 0)], [0.9])
    assert score_detections(box, places, 1.0, 0.5).false_alarms == 0
    assert score_detections(box, places.without_places(), 1.0, 0.5).false_alarms == 1


def test_nothing_found_and_nothing_there():
    nothing, empty = found([], []), truth([])
    scores = score_detections(nothing, truth([(0, 0)]), 10.0, 0.5)
    assert scores.recall == 0 and scores.f1 == 0 and scores.average_precision == 0
    assert np.isnan(scores.precision) and np.isnan(scores.centre_error_m)
    assert np.isnan(score_detections(nothing, empty, 0.0, 0.5).f1)


def test_average_precision_of_a_known_ranking():
    # hit, false, hit: envelope 1 to recall .5, 2/3 to recall 1
    boxes, kilns = found([(0, 0), (9000, 0), (3000, 0)], [0.9, 0.8, 0.7]), truth([(0, 0), (3000, 0)])
    assert average_precision(boxes, match(boxes, kilns), 2) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_best_threshold_lies_between_the_scores_that_it_parts():
    boxes = found([(0, 0), (3000, 0), (9000, 0)], [0.9, 0.6, 0.2])
    points = curve(boxes, match(boxes, truth([(0, 0), (3000, 0)])), 2)
    assert best_threshold(points) == pytest.approx(0.4)


metres = st.tuples(st.floats(-600, 600), st.floats(-600, 600))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(metres, max_size=12),
    st.lists(metres, max_size=8),
    st.randoms(use_true_random=False),
    st.floats(0, 1),
)
def test_matching_is_one_to_one_in_reach_and_blind_to_lower_scores(points, kilns, random, threshold):
    scores = [random.random() for _ in points]
    boxes, there = found(points, scores), truth(kilns)
    matching = match(boxes, there)
    hit = matching.kiln[matching.hit]
    assert len(set(hit.tolist())) == len(hit)
    assert (matching.distance_m[matching.hit] <= 100).all()
    above = boxes.score >= threshold
    assert (match(boxes.above(threshold), there).kiln == matching.kiln[above]).all()
    assert not (matching.hit & matching.excused).any()


@settings(max_examples=40, deadline=None)
@given(st.lists(metres, max_size=15), st.lists(metres, max_size=15), st.floats(1, 400))
def test_pairs_within_are_all_pairs_within(points, places, radius):
    one, two = degrees(points), degrees(places)
    i, j, distance = pairs_within(one, two, radius)
    full = np.hypot(*offsets_m(one[0][:, None], one[1][:, None], two[0][None], two[1][None]))
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == [
        tuple(p) for p in np.argwhere(full <= radius).tolist()
    ]
    assert (distance <= radius).all()
