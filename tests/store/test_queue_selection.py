"""What a volunteer sees next: mostly doubtful tiles, some at random, each with the chance it had."""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.queueing import doubt, plan_queue
from geodata.store.boxes import OrientedBox
from geodata.store.incoming import IncomingDetection, IncomingRun, IncomingScene, IncomingTile
from geodata.store.places import tile_at
from geodata.store.selection import RANDOM_AT_LEAST, Candidate, Shown, draw

MANY = [Candidate(f"d{k}", (k + 1) / 50, False, k % 3) for k in range(50)] + [
    Candidate(f"r{k}", 0.5 if k < 5 else 0.0, True, 0) for k in range(40)
]


def test_at_least_one_in_twenty_is_random_at_every_moment() -> None:
    for seed in range(20):
        items = draw(MANY, Shown(), 60, random.Random(seed))
        random_so_far = 0
        for number, item in enumerate(items, start=1):
            random_so_far += item.reason == "random"
            assert random_so_far >= RANDOM_AT_LEAST * number
        assert Counter(item.reason for item in items)["doubtful"] > 30, "mostly the doubtful ones"


def test_share_is_kept_over_several_requests() -> None:
    rng, left, shown = random.Random(3), list(MANY), Shown()
    for _ in range(40):
        (item,) = draw(left, shown, 1, rng)
        left = [candidate for candidate in left if candidate.token != item.token]
        shown = Shown(shown.total + 1, shown.at_random + (item.reason == "random"))
        assert shown.at_random >= RANDOM_AT_LEAST * shown.total


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, 5)), min_size=1, max_size=12),
    st.integers(0, 30),
    st.integers(0, 2**32),
)
@settings(max_examples=100, deadline=None)
def test_draws_are_without_repeats_and_chances_are_chances(
    tiles: list[tuple[float, bool, int]], seen: int, seed: int
) -> None:
    candidates = [Candidate(f"t{k}", *tile) for k, tile in enumerate(tiles)]
    items = draw(candidates, Shown(seen, seen // 10), 20, random.Random(seed))
    assert len({item.token for item in items}) == len(items)
    reachable = sum(candidate.sampled or candidate.weight > 0 for candidate in candidates)
    assert len(items) == reachable
    assert all(0 < item.selection_probability <= 1 + 1e-9 for item in items)


def test_chance_is_how_often_a_tile_is_drawn() -> None:
    candidates = [Candidate("a", 1.0, False, 0), Candidate("b", 0.5, True, 0), Candidate("c", 0.0, True, 0)]
    shown, rng, n = Shown(100, 50), random.Random(5), 20_000
    drawn: Counter[str] = Counter()
    chance: dict[str, float] = {}
    for _ in range(n):
        (item,) = draw(candidates, shown, 1, rng)
        drawn[item.token] += 1
        chance[item.token] = item.selection_probability
    assert sum(chance.values()) == pytest.approx(1)
    for token, p in chance.items():
        assert drawn[token] / n == pytest.approx(p, abs=0.015)


def test_doubt_is_greatest_at_the_threshold() -> None:
    assert doubt(0.4, 0.4) == 1
    assert doubt(0.3, 0.4) < doubt(0.38, 0.4) > doubt(0.5, 0.4) > 0
    assert doubt(0.999, 0.4) == doubt(0.01, 0.4) == 0


def _run(scores: list[float], n_tiles: int, share: float) -> IncomingRun:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    detections = tuple(
        IncomingDetection(
            f"d{k}",
            "s",
            "m",
            score,
            None,
            score < 0.4,
            OrientedBox(68 + k * 0.02, 15, 100, 50, 0),
            (),
            "brick_kiln",
            "unknown",
        )
        for k, score in enumerate(scores)
    )
    tiles = tuple(IncomingTile(tile_at(68 + k * 0.011, 15.2), "s", share) for k in range(n_tiles))
    scenes = (IncomingScene("s", "s", "0", at, "unknown", True),)
    return IncomingRun("r", "m", at, 0.4, scenes, detections, tiles)


def test_queue_holds_doubtful_tiles_and_a_random_sample() -> None:
    run = _run([0.41, 0.99, 0.3, 0.01], n_tiles=100, share=1.0)
    numbers = iter(range(1000))
    queued = plan_queue(run, random.Random(1), lambda: f"t{next(numbers)}")
    assert sum(tile.doubt > 0 for tile in queued) == 2
    assert sum(tile.sampled for tile in queued) == 20
    assert len({tile.token for tile in queued}) == len({tile.tile_id for tile in queued}) == len(queued)
    again = plan_queue(run, random.Random(2), lambda: "t")
    assert {t.tile_id for t in again if t.sampled} != {t.tile_id for t in queued if t.sampled}


def test_sample_grows_with_the_doubtful_tiles() -> None:
    queued = plan_queue(_run([0.4] * 400, 1000, 1.0), random.Random(1), lambda: "t")
    assert sum(tile.sampled for tile in queued) == 40


def test_tiles_that_nobody_observed_are_not_sampled() -> None:
    assert plan_queue(_run([], 50, 0.0), random.Random(1), lambda: "t") == []
    partly = plan_queue(_run([], 50, 0.4), random.Random(1), lambda: "t")
    assert len(partly) == 20, "small scenes fill no tile: then those seen in part"
