"""Filters, order, columns and coverage: what map, table and exports share."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.columns import MISSING, pack
from app.services.coverage_layer import coverage_geojson, state_at
from app.services.selection import VERDICT_CODES, Selection, by_doubt, doubt, from_query, select
from geodata.errors import InputError
from geodata.store.records import Site, Tile
from geodata.tiles import tile_from_id, tile_ring

DAY = datetime(2024, 1, 10, 5, 30, tzinfo=UTC)
RING = ((77.0, 28.0), (77.001, 28.0), (77.001, 28.001), (77.0, 28.001), (77.0, 28.0))


def site(site_id: str = "s1", **changes: object) -> Site:
    base = Site(
        *(
            site_id,
            77.123456789,
            28.0005,
            120.04,
            60.0,
            179.94,
            RING,
            "brick_kiln",
            "unknown",
            0.5,
            0.5,
            False,
        ),
        *(DAY, DAY, None, 0, 0, 0, None, None, False, True, None),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # names and values are the test's own


SHARES = st.none() | st.integers(0, 10_000).map(lambda n: n / 10_000)
DATES = st.none() | st.dates(date(2015, 1, 1), date(2030, 1, 1))
SELECTIONS = st.builds(
    lambda measure, band, verdicts, first, last, candidates: Selection(
        measure, min(band), max(band), tuple(verdicts), first, last, candidates
    ),
    st.sampled_from(["score", "probability", "rank"]),
    st.tuples(st.integers(0, 100).map(lambda n: n / 100), st.integers(0, 100).map(lambda n: n / 100)),
    st.lists(st.sampled_from(VERDICT_CODES), unique=True),
    DATES,
    DATES,
    st.booleans(),
)


@given(SELECTIONS)
def test_a_selection_goes_through_an_address(selection: Selection) -> None:
    read = from_query(selection.query())
    assert replace(read, verdicts=tuple(filter(None, read.verdicts))) == selection


@pytest.mark.parametrize(
    "query",
    [
        "low=x",
        "low=0.9&high=0.1",
        "low=-1",
        "high=2",
        "low=nan",
        "measure=age",
        "verdicts=slave",
        "seen_from=soon",
    ],
)
def test_a_broken_address_gets_one_sentence(query: str) -> None:
    with pytest.raises(InputError, match="open it from the map"):
        from_query(query)


@given(SHARES, st.integers(0, 100), st.integers(0, 100))
def test_the_band_includes_its_ends(value: float | None, low: int, high: int) -> None:
    chosen = Selection(low=low / 100, high=high / 100)
    shown = bool(select([site(score=value)], chosen))
    assert shown == (low * 100 <= round((value or 0) * 10_000) <= high * 100)


def test_the_band_follows_its_measure() -> None:
    one = site(score=0.9, probability=0.1)
    assert select([one], Selection("score", 0.8, 1.0))
    assert not select([one], Selection("probability", 0.8, 1.0))


@pytest.mark.parametrize(
    ("seen_from", "seen_to", "shown"),
    [
        (None, None, True),
        (date(2024, 1, 10), None, True),
        (date(2024, 1, 21), None, False),
        (None, date(2024, 1, 10), True),
        (None, date(2024, 1, 9), False),
        (date(2024, 1, 12), date(2024, 1, 14), True),
    ],
)
def test_dates_meet_the_span_in_which_a_site_was_seen(
    seen_from: date | None, seen_to: date | None, shown: bool
) -> None:
    one = site(first_seen=DAY, last_seen=DAY + timedelta(days=10))
    assert bool(select([one], Selection(seen_from=seen_from, seen_to=seen_to))) == shown


def test_an_undated_site_shows_only_without_dates() -> None:
    one = site(first_seen=None, last_seen=None)
    assert select([one], Selection())
    assert not select([one], Selection(seen_from=date(2000, 1, 1)))


def test_candidates_and_verdicts() -> None:
    sites = [site("c", is_candidate=True), site("g", object_verdict="gone"), site("n")]
    assert [s.site_id for s in select(sites, Selection())] == ["g", "n"]
    assert [s.site_id for s in select(sites, Selection(candidates=True))] == ["c", "g", "n"]
    assert [s.site_id for s in select(sites, Selection(verdicts=("none",)))] == ["n"]
    assert select(sites, Selection(verdicts=())) == []


@given(st.lists(st.tuples(SHARES, SHARES), max_size=12))
def test_the_most_doubtful_come_first(values: list[tuple[float | None, float | None]]) -> None:
    sites = [site(str(k), probability=p, score=s) for k, (p, s) in enumerate(values)]
    doubts = [doubt(one) for one in by_doubt(sites)]
    known = [value for value in doubts if value is not None]
    assert known == sorted(known, reverse=True)
    assert doubts[len(known) :] == [None] * (len(doubts) - len(known))


def test_columns_hold_what_the_map_needs() -> None:
    sites = [
        site("a", score=None, object_verdict="gone", first_seen=None, last_seen=None),
        site("b", is_candidate=True),
    ]
    block = pack(sites)
    start = block.index(b"\n") + 1
    header = json.loads(block[:start])
    assert start % 4 == 0 and header["ids"] == ["a", "b"] and header["n"] == 2
    columns, at = {}, start
    for name, kind in header["columns"]:
        columns[name] = np.frombuffer(block, dtype=f"<{kind}", count=2, offset=at)
        assert at % columns[name].itemsize == 0
        at += columns[name].nbytes
    assert at == len(block)
    assert columns["lon"][0] == 771234568 and columns["angle"][0] == 1799
    assert columns["score"].tolist() == [MISSING, 5000]
    assert columns["last"].tolist() == [MISSING, 19732]
    assert columns["verdict"].tolist() == [3, 0] and columns["flags"].tolist() == [2, 3]


def tile(name: str, state: str) -> Tile:
    return Tile(name, tile_ring(tile_from_id(name)), 1.0, state, "scene", DAY)


@given(st.lists(st.sampled_from(["kiln", "none", "not_observed", ""]), min_size=1, max_size=20))
def test_coverage_rectangles_cover_the_same_tiles(states: list[str]) -> None:
    tiles = [tile(f"15/{23000 + k}/13600", state) for k, state in enumerate(states) if state]
    layer = coverage_geojson(tiles)
    width = 360 / 2**15
    for k, state in enumerate(states):
        lon = -180 + (23000 + k + 0.5) * width
        here = [
            feature["properties"]["state"]
            for feature in layer["features"]
            if feature["geometry"]["coordinates"][0][0][0] < lon < feature["geometry"]["coordinates"][0][1][0]
        ]
        assert here == ([state] if state else [])
    kilns = [f for f in layer["features"] if f["properties"]["state"] == "kiln"]
    assert len(kilns) == states.count("kiln")


def test_a_place_without_a_tile_is_not_observed() -> None:
    tiles = [tile("15/23000/13600", "none")]
    (west, south), _, (east, north), *_ = tiles[0].ring
    assert state_at(tiles, (west + east) / 2, (south + north) / 2) == "none"
    assert state_at(tiles, east + 0.001, north) == "not_observed"
    assert state_at([], 0, 0) == "not_observed"
