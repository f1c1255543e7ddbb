"""Tiles for people: as many as asked for, some at random, each with the chance it had, and spread out."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.tile_sample import Pool, draw_tiles, inclusion_chances, local_pivotal

uncertainties = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1)), min_size=1, max_size=40)
shares = st.floats(0.05, 1)


def pool_of(values: list[float], seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)
    return Pool(
        tuple(f"15/{k}/7" for k in range(len(values))),
        np.array(values),
        rng.standard_normal((len(values), 3)),
    )


@given(uncertainties, st.integers(1, 50), shares, st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_budget_share_and_chances_hold(values: list[float], budget: int, share: float, seed: int) -> None:
    drawn = draw_tiles(pool_of(values), budget, share, random.Random(seed))
    assert len(drawn) == min(budget, len(values))
    assert len({one.tile_id for one in drawn}) == len(drawn)
    assert sum(one.at_random for one in drawn) >= share * len(drawn) > 0
    assert all(0 < one.chance <= 1 + 1e-12 for one in drawn)
    assert all(one.uncertainty > 0 or one.at_random for one in drawn)
    assert [one.uncertainty for one in drawn] == sorted((one.uncertainty for one in drawn), reverse=True)
    if len(drawn) == len(values):
        assert all(one.chance == pytest.approx(1) and one.at_random for one in drawn)


@given(uncertainties, st.integers(1, 50), shares, st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_tiles_changes_nothing(
    values: list[float], budget: int, share: float, seed: int
) -> None:
    pool = pool_of(values)
    other = np.random.default_rng(seed).permutation(len(values))
    shuffled = Pool(tuple(pool.tile_ids[k] for k in other), pool.uncertainty[other], pool.features[other])
    drawn = draw_tiles(pool, budget, share, random.Random(seed))
    assert draw_tiles(shuffled, budget, share, random.Random(seed)) == drawn


def test_the_stated_chance_is_how_often_a_tile_is_chosen_and_the_random_part_is_even() -> None:
    values = [1.0, 0.9, 0.9, 0.5, 0.5, 0.4, 0.2, 0.1, 0.0, 0.0, 0.0, 0.0]
    pool, rng, times = pool_of(values), random.Random(1), 3000
    chosen: Counter[str] = Counter()
    at_random: Counter[str] = Counter()
    stated: dict[str, float] = {}
    for _ in range(times):
        for one in draw_tiles(pool, 6, 0.3, rng):
            chosen[one.tile_id] += 1
            at_random[one.tile_id] += one.at_random
            assert stated.setdefault(one.tile_id, one.chance) == one.chance
    assert sum(stated.values()) == pytest.approx(6)
    for name in pool.tile_ids:
        assert chosen[name] / times == pytest.approx(stated[name], abs=0.035)
        # 2 of the 8 tiles that doubt leaves, so every tile counts as random with the same chance
        assert at_random[name] / times == pytest.approx(2 / 8, abs=0.035)
    assert stated["15/0/7"] > stated["15/7/7"] > stated["15/9/7"]


@given(uncertainties, st.data())
@settings(max_examples=100, deadline=None)
def test_chances_follow_weights_up_to_one_and_sum_to_the_size(
    values: list[float], data: st.DataObject
) -> None:
    weights = np.array(values)
    size = data.draw(st.integers(0, int((weights > 0).sum())))
    chances = inclusion_chances(weights, size)
    assert chances.sum() == pytest.approx(size)
    assert ((chances >= 0) & (chances <= 1)).all() and (chances[weights == 0] == 0).all()
    free = (chances > 0) & (chances < 1)
    if free.any():
        ratio = chances[free] / weights[free]
        assert ratio == pytest.approx(np.full(free.sum(), ratio[0]))
    with pytest.raises(ValueError, match="cannot be drawn"):
        inclusion_chances(weights, int((weights > 0).sum()) + 1)


def test_neighbours_seldom_come_together() -> None:
    """Ten pairs of twins far apart, half the chances each: pivots take one of each pair, always."""
    places = np.repeat(np.arange(10.0) * 100, 2)[:, None] + np.tile([0.0, 1.0], 10)[:, None]
    for seed in range(30):
        taken = local_pivotal(np.full(20, 0.5), places, random.Random(seed))
        assert sorted(k // 2 for k in taken) == list(range(10))


def test_a_spread_sample_lies_farther_apart_than_a_plain_one() -> None:
    rng = np.random.default_rng(3)
    places = rng.uniform(0, 1, (200, 2))

    def least_gap(taken: list[int]) -> float:
        return float(
            np.mean([min(np.hypot(*(places[a] - places[b])) for b in taken if b != a) for a in taken])
        )

    spread = np.mean(
        [least_gap(local_pivotal(np.full(200, 0.1), places, random.Random(s))) for s in range(20)]
    )
    plain = np.mean([least_gap(random.Random(s).sample(range(200), 20)) for s in range(20)])
    assert spread > 1.25 * plain


@pytest.mark.parametrize(("budget", "share"), [(0, 0.1), (5, 0.04), (5, 1.1)])
def test_senseless_wishes_are_refused(budget: int, share: float) -> None:
    with pytest.raises(ValueError):
        draw_tiles(pool_of([0.5] * 5), budget, share, random.Random(0))


def test_an_empty_pool_gives_nothing() -> None:
    assert draw_tiles(Pool((), np.empty(0), np.empty((0, 2))), 5, 0.1, random.Random(0)) == []
