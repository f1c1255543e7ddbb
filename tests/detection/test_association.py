"""Whose marks lie on which site, who saw it and did not mark it, and what becomes of marks on no site."""

from datetime import UTC, datetime

import mercantile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.merge import StrayMark, Vote, associate, propose_sites
from detection.sites import Sites
from geodata.grid import metres_per_degree
from geodata.looks import Look
from geodata.obb import Boxes, offsets_m

TILE = mercantile.tile(77.3, 28.5, 15)
BOUNDS = mercantile.bounds(TILE)
LON, LAT = (BOUNDS.west + BOUNDS.east) / 2, (BOUNDS.south + BOUNDS.north) / 2
EAST, NORTH = (float(v) for v in metres_per_degree(LAT))
AT = datetime(2026, 3, 1, tzinfo=UTC)


def place(east_m: float, north_m: float = 0.0) -> tuple[float, float]:
    return LON + east_m / EAST, LAT + north_m / NORTH


def kilns(*east_north_m: tuple[float, float], angle: float = 0.0) -> Sites:
    """Sites A, B, ... of 120 x 60 m, the long side east-west, at metres from the tile's middle."""
    lon, lat = np.array([place(*one) for one in east_north_m]).reshape(-1, 2).T
    n = len(lon)
    boxes = Boxes(lon, lat, np.full(n, 120.0), np.full(n, 60.0), np.full(n, angle))
    return Sites(tuple("ABCDEFGH"[:n]), boxes)


def look(who: str, answer: str, *points: tuple[float, float], tile=TILE) -> Look:
    return Look(who, f"15/{tile.x}/{tile.y}", answer, AT, tuple(place(*p) for p in points))


ONE = kilns((0, 0))


@pytest.mark.parametrize(
    ("east", "north", "counts"),
    [(0, 0, True), (119, 0, True), (121, 0, False), (0, 89, True), (0, 91, False), (110, 80, False)],
)
def test_a_mark_counts_up_to_sixty_metres_from_the_outline(east: float, north: float, counts: bool) -> None:
    result = associate([look("v", "kiln", (east, north))], ONE)
    assert result.votes["A"] == (Vote("v", counts),)
    assert bool(result.stray) is not counts


def test_the_outline_is_turned_with_the_site() -> None:
    turned = kilns((0, 0), angle=90.0)
    assert associate([look("v", "kiln", (0, 119))], turned).votes["A"] == (Vote("v", True),)
    assert associate([look("v", "kiln", (119, 0))], turned).votes["A"] == (Vote("v", False),)


@pytest.mark.parametrize(
    ("answer", "votes"), [("none", (Vote("v", False),)), ("unsure", ()), ("bad_image", ())]
)
def test_who_saw_and_marked_nothing_is_against_and_who_could_not_tell_has_no_vote(
    answer: str, votes: tuple
) -> None:
    assert associate([look("v", answer)], ONE).votes.get("A", ()) == votes


def test_a_kiln_elsewhere_in_the_tile_is_a_vote_against() -> None:
    result = associate([look("v", "kiln", (300, 300))], ONE)
    assert result.votes["A"] == (Vote("v", False),)
    assert [mark.volunteer_id for mark in result.stray] == ["v"]


def test_another_tile_says_nothing() -> None:
    other = mercantile.tile(77.4, 28.5, 15)
    assert associate([look("v", "none", tile=other)], ONE).votes == {}


def test_a_mark_from_the_next_tile_outweighs_none_on_its_own() -> None:
    half = (BOUNDS.east - LON) * EAST
    edge, next_tile = kilns((half - 5, 0)), mercantile.Tile(TILE.x + 1, TILE.y, 15)
    looks = [look("v", "none"), look("v", "kiln", (half + 5, 0), tile=next_tile)]
    assert associate(looks, edge).votes["A"] == associate(looks[::-1], edge).votes["A"] == (Vote("v", True),)


def test_two_marks_on_neighbouring_kilns_find_their_own() -> None:
    pair = kilns((0, 0), (0, 74))
    both = associate([look("v", "kiln", (0, 30), (0, 45))], pair)
    assert both.votes == {"A": (Vote("v", True),), "B": (Vote("v", True),)}
    assert both.stray == ()


def test_a_second_click_on_one_kiln_is_neither_a_vote_nor_a_stray_mark() -> None:
    result = associate([look("v", "kiln", (0, 5), (10, 0))], ONE)
    assert result.votes == {"A": (Vote("v", True),)}
    assert result.stray == ()


points = st.lists(st.tuples(st.integers(-400, 400), st.integers(-400, 400)), max_size=4)
looks_of_people = st.lists(
    st.one_of(
        st.sampled_from(["none", "unsure", "bad_image"]).map(lambda a: (a, [])),
        points.map(lambda p: ("kiln", p)),
    ),
    max_size=6,
).map(lambda said: [look(f"v{k}", answer, *where) for k, (answer, where) in enumerate(said)])


@settings(deadline=None, max_examples=60)
@given(looks=looks_of_people, where=points, seed=st.randoms(use_true_random=False))
def test_the_order_of_looks_and_sites_does_not_matter(looks: list[Look], where: list, seed) -> None:
    sites = kilns(*where)
    order = list(range(len(sites.ids)))
    seed.shuffle(order)
    mixed = list(looks)
    seed.shuffle(mixed)
    shuffled = Sites(tuple(sites.ids[k] for k in order), sites.boxes.take(np.array(order, dtype=np.intp)))
    one, other = associate(looks, sites), associate(mixed, shuffled)
    assert one.stray == other.stray
    # sites at the very same place are told apart by their order only
    if len(set(where)) == len(where):
        assert {k: len(v) for k, v in one.votes.items()} == {k: len(v) for k, v in other.votes.items()}


@settings(deadline=None, max_examples=60)
@given(looks=looks_of_people, where=points)
def test_everyone_has_at_most_one_vote_per_site(looks: list[Look], where: list) -> None:
    for votes in associate(looks, kilns(*where)).votes.values():
        assert len({vote.volunteer_id for vote in votes}) == len(votes)


def stray(*rows: tuple[str, float, float]) -> list[StrayMark]:
    return [StrayMark(who, *place(east, north)) for who, east, north in rows]


def test_marks_that_lie_close_make_one_proposal_in_their_middle() -> None:
    boxes = propose_sites(stray(("a", 0, 0), ("b", 30, 0), ("c", 0, 30), ("d", 500, 0)))
    assert len(boxes) == 2
    east, north = offsets_m(boxes.lon, boxes.lat, LON, LAT)
    assert [round(float(v)) for v in east] == [10, 500]
    assert [round(float(v)) for v in north] == [10, 0]


def test_a_row_of_marks_does_not_grow_into_one_proposal() -> None:
    row = propose_sites(stray(*((f"v{k}", 50.0 * k, 0) for k in range(10))))
    assert len(row) >= 4


@settings(deadline=None, max_examples=60)
@given(
    where=st.lists(st.tuples(st.integers(-300, 300), st.integers(-300, 300)), max_size=15), seed=st.randoms()
)
def test_proposals_do_not_depend_on_order_and_take_in_every_mark(where: list, seed) -> None:
    marks = stray(*((f"v{k}", *p) for k, p in enumerate(where)))
    mixed = list(marks)
    seed.shuffle(mixed)
    one, other = propose_sites(marks), propose_sites(mixed)
    assert one.corners().tolist() == other.corners().tolist()
    for mark in marks:
        assert float(np.min(np.hypot(*offsets_m(one.lon, one.lat, mark.lon, mark.lat)))) <= 2 * 60


def test_a_proposal_becomes_a_site_that_its_marks_are_for() -> None:
    looks = [look("a", "kiln", (0, 0)), look("b", "kiln", (20, 20)), look("c", "none")]
    none = Sites((), propose_sites([]))
    boxes = propose_sites(associate(looks, none).stray)
    again = associate(looks, Sites(("new",), boxes))
    assert again.votes == {"new": (Vote("a", True), Vote("b", True), Vote("c", False))}
    assert again.stray == ()
