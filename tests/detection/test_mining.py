"""What fires beside the labels is sorted: look-alikes to learn, possible kilns to be looked at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.evaluate.matching import Found, Look, Truth
from detection.mining import MineOptions, SceneFinds, mine
from geodata.labels.kilns import NO_PLACES, Places
from geodata.labels.mined import HARD, POSSIBLE

THRESHOLD = 0.4
NONE = np.empty(0)


def at(metres: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Places on a line in open sea, by metres east."""
    return 68 + np.array(metres, dtype=float) / 107_550, np.full(len(metres), 15.0)


def scene(
    name: str, found: list[tuple[float, float]], kilns: list[float], places: list[float] | None = None
) -> SceneFinds:
    """`found` are (metres east, score)."""
    lon, lat = at([m for m, _ in found])
    kiln_lon, kiln_lat = at(kilns)
    place_lon, place_lat = at(places or [])
    truth = Truth(kiln_lon, kiln_lat, np.zeros(len(kilns), bool), place_lon, place_lat)
    return SceneFinds(name, Look(Found(lon, lat, np.array([s for _, s in found])), truth, 100.0))


HITS = [(1000.0 * k, 0.5 + 0.05 * k) for k in range(7)]
"""Scores .50 to .80, median .65."""
KILNS = [1000.0 * k for k in range(7)]


def test_finds_above_the_median_hit_go_to_people_and_the_others_are_hard() -> None:
    others = [(20_000, 0.9), (21_000, 0.65), (22_000, 0.64), (23_000, 0.21), (24_000, 0.19)]
    done = mine([scene("a.tif", HITS + others, KILNS)], MineOptions(THRESHOLD))
    assert done.possible_from == pytest.approx(0.65) and done.hits == 7 and done.at_least == 0.2
    assert done.mined.score.tolist() == [0.9, 0.65, 0.64, 0.21]
    assert done.mined.kind.tolist() == [POSSIBLE, POSSIBLE, HARD, HARD]
    assert done.mined.hard.sum() == 2
    assert done.per_1000_km2(HARD) == done.per_1000_km2(POSSIBLE) == 20


def test_kilns_second_boxes_on_them_and_unverified_places_are_left_alone() -> None:
    found = [*HITS, (90, 0.5), (30_000, 0.9), (30_500, 0.5)]
    done = mine([scene("a.tif", found, KILNS, places=[30_020])], MineOptions(THRESHOLD))
    assert done.mined.score.tolist() == [0.5], "only the find far from kilns and unverified places"
    assert done.mined.lon == pytest.approx(at([30_500])[0])


def test_where_people_saw_no_kiln_even_the_strongest_is_hard() -> None:
    found = [*HITS, (30_000, 0.95)]
    known = Places(*at([30_010]))
    done = mine([scene("a.tif", found, KILNS)], MineOptions(THRESHOLD, known_negative=known))
    assert done.mined.kind.tolist() == [HARD]


def test_with_few_hits_all_above_the_threshold_go_to_people() -> None:
    found = [(0, 0.9), (20_000, 0.45), (21_000, 0.35)]
    done = mine([scene("a.tif", found, [0])], MineOptions(THRESHOLD))
    assert done.possible_from == THRESHOLD
    assert done.mined.kind.tolist() == [POSSIBLE, HARD]


def test_limits_can_be_given() -> None:
    found = [*HITS, (30_000, 0.7), (31_000, 0.3), (32_000, 0.1)]
    done = mine([scene("a.tif", found, KILNS)], MineOptions(THRESHOLD, at_least=0.05, possible_from=0.2))
    assert done.mined.kind.tolist() == [POSSIBLE, POSSIBLE, HARD]


def test_nothing_found_on_nothing_seen() -> None:
    empty = SceneFinds(
        "a", Look(Found(NONE, NONE, NONE), Truth(NONE, NONE, NONE.astype(bool), NONE, NONE), 0)
    )
    done = mine([empty], MineOptions(THRESHOLD, known_negative=NO_PLACES))
    assert len(done.mined) == 0 and np.isnan(done.per_1000_km2(HARD))
    assert len(mine([], MineOptions(THRESHOLD)).mined) == 0


@given(
    st.lists(st.tuples(st.floats(0, 50_000), st.floats(0.05, 1)), max_size=20),
    st.lists(st.floats(0, 50_000), max_size=8),
    st.integers(0, 2**32),
)
@settings(max_examples=80, deadline=None)
def test_no_find_is_lost_or_named_twice_and_order_does_not_matter(
    found: list[tuple[float, float]], kilns: list[float], seed: int
) -> None:
    options = MineOptions(THRESHOLD)
    done = mine([scene("a", found, kilns)], options)
    mixed = [found[k] for k in np.random.default_rng(seed).permutation(len(found))]
    again = mine([scene("a", mixed, kilns)], options)
    if len({score for _, score in found}) == len(found):
        assert again.mined.lon.tolist() == done.mined.lon.tolist()
        assert again.mined.kind.tolist() == done.mined.kind.tolist()
    assert (np.diff(done.mined.score) <= 0).all()
    gap = np.abs(done.mined.lon[:, None] - at(kilns)[0][None]) * 107_550 if kilns else np.full((1, 1), 1e9)
    assert (gap > 99).all()
    far = [s for m, s in found if all(abs(m - k) > 101 for k in kilns) and s >= done.at_least]
    assert len(done.mined) >= len(far)
