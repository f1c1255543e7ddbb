"""Sites: one place one id, whatever the order; no creeping; a look never gives a site two detections."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.sites import Found, Sites, group
from geodata.grid import metres_per_degree
from geodata.obb import Boxes
from geodata.overlap import overlapping_pairs

EAST, NORTH = (float(v) for v in metres_per_degree(28.5))
DAY = datetime(2026, 1, 1, tzinfo=UTC)
NO_SITES = Sites((), Boxes(*(np.empty(0) for _ in range(5))))


def boxes(*east_north_m: tuple[float, float], angle: float = 0.0) -> Boxes:
    """Kilns of 120 x 60 m at places in metres from one corner."""
    east, north = np.array(east_north_m, dtype=float).reshape(-1, 2).T
    n = len(east)
    return Boxes(
        77 + east / EAST, 28.5 + north / NORTH, np.full(n, 120.0), np.full(n, 60.0), np.full(n, angle)
    )


def found(*rows: tuple[str, str, int | None, float, tuple[float, float]], known=None, model="m") -> Found:
    """Detections as (id, scene, day or None, score, place)."""
    at = [None if r[2] is None else DAY + timedelta(days=r[2]) for r in rows]
    return Found(
        [r[0] for r in rows],
        [r[1] for r in rows],
        [model] * len(rows),
        at,
        np.array([r[3] for r in rows]),
        boxes(*(r[4] for r in rows)),
        known or {},
    )


def minter() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"S{next(numbers)}"


def together(result: tuple[str, ...], ids: list[str]) -> set[frozenset[str]]:
    """The partition: which detections share a site."""
    by_site: dict[str, set[str]] = {}
    for one, site in zip(ids, result, strict=True):
        by_site.setdefault(site, set()).add(one)
    return {frozenset(v) for v in by_site.values()}


def test_two_dates_of_one_kiln_are_one_site_and_its_neighbour_another() -> None:
    result = group(
        NO_SITES,
        found(("a", "s1", 0, 0.9, (0, 0)), ("b", "s2", 5, 0.8, (10, 5)), ("c", "s2", 5, 0.7, (0, 74))),
        minter(),
    )
    assert result.site_ids == ("S1", "S1", "S2")
    assert result.founded.ids == ("S1", "S2")
    assert result.founders == (0, 2)
    assert result.founded.boxes.lat[1] > result.founded.boxes.lat[0]


def test_sites_do_not_creep_along_a_chain() -> None:
    # each box overlaps the one before with an IoU of .5, but the third the first with only .2
    chain = [(f"d{k}", f"s{k}", k, 0.9, (40.0 * k, 0.0)) for k in range(6)]
    result = group(NO_SITES, found(*chain), minter())
    first = {site: k for k, site in reversed(list(enumerate(result.site_ids)))}
    assert len(first) == 3
    for k, site in enumerate(result.site_ids):
        assert abs(k - first[site]) <= 1


def test_a_look_gives_a_site_one_detection_the_best_fitting() -> None:
    old = Sites(("old",), boxes((0, 0)))
    result = group(old, found(("far", "s", 0, 0.9, (35, 0)), ("near", "s", 0, 0.5, (5, 0))), minter())
    assert result.site_ids == ("S1", "old")


def test_two_models_on_one_scene_meet_in_one_site() -> None:
    first = group(NO_SITES, found(("a", "s", 0, 0.9, (0, 0)), model="m1"), minter())
    second = group(first.founded, found(("b", "s", 0, 0.9, (5, 0)), model="m2"), minter())
    assert second.site_ids == first.site_ids
    assert not second.founded.ids


def test_undated_looks_come_last() -> None:
    result = group(NO_SITES, found(("a", "s1", None, 0.9, (0, 0)), ("b", "s2", 5, 0.3, (20, 0))), minter())
    assert result.site_ids == ("S1", "S1")
    assert result.founded.boxes.lon[0] == pytest.approx(77 + 20 / EAST)


def test_a_known_detection_keeps_its_site_even_where_a_better_one_lies() -> None:
    sites = Sites(("old", "better"), boxes((40, 0), (0, 0)))
    result = group(sites, found(("a", "s", 0, 0.9, (0, 0)), known={"a": "old"}), minter())
    assert result.site_ids == ("old",)


def test_nothing_found_founds_nothing() -> None:
    result = group(Sites(("old",), boxes((0, 0))), found(), minter())
    assert result.site_ids == ()
    assert len(result.founded.boxes) == 0


def test_ids_and_outlines_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 site ids for 1"):
        Sites(("a", "b"), boxes((0, 0)))


places = st.tuples(st.floats(0, 200), st.floats(0, 200))
rows = st.lists(
    st.tuples(st.sampled_from(["s1", "s2", "s3", "s4"]), st.floats(0.125, 1.0, width=32), places), max_size=14
).map(
    lambda found_rows: [
        (f"d{k}", scene, {"s4": None}.get(scene, int(scene[1])), score, place)
        for k, (scene, score, place) in enumerate(found_rows)
    ]
)


@settings(deadline=None, max_examples=60)
@given(rows=rows, seed=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list, seed) -> None:
    shuffled = list(rows)
    seed.shuffle(shuffled)
    one, other = group(NO_SITES, found(*rows), minter()), group(NO_SITES, found(*shuffled), minter())
    assert together(one.site_ids, [r[0] for r in rows]) == together(other.site_ids, [r[0] for r in shuffled])
    assert dict(zip([r[0] for r in rows], one.site_ids, strict=True)) == dict(
        zip([r[0] for r in shuffled], other.site_ids, strict=True)
    )


@settings(deadline=None, max_examples=60)
@given(rows=rows, more=rows)
def test_grouping_again_changes_nothing_whatever_came_between(rows: list, more: list) -> None:
    mint = minter()
    first = group(NO_SITES, found(*rows), mint)
    later = [(f"x{r[0]}", f"x{r[1]}", *r[2:]) for r in more]
    between = group(first.founded, found(*later), mint)
    sites = Sites(
        first.founded.ids + between.founded.ids,
        Boxes(*(np.concatenate([a, b]) for a, b in zip(columns(first), columns(between), strict=True))),
    )
    known = dict(zip([r[0] for r in rows], first.site_ids, strict=True))
    again = group(sites, found(*rows, known=known), mint)
    assert again.site_ids == first.site_ids
    assert again.founded.ids == ()


def columns(result) -> tuple[np.ndarray, ...]:
    b = result.founded.boxes
    return b.lon, b.lat, b.length_m, b.width_m, b.angle_deg


@settings(deadline=None, max_examples=60)
@given(rows=rows)
def test_members_overlap_their_sites_first_outline_and_looks_stay_one_to_one(rows: list) -> None:
    detections = found(*rows)
    result = group(NO_SITES, detections, minter())
    outline = {site: k for k, site in enumerate(result.founded.ids)}
    one, two, _ = overlapping_pairs(detections.boxes, result.founded.boxes, 0.3)
    enough = set(zip(one.tolist(), two.tolist(), strict=True))
    assert all((k, outline[site]) in enough for k, site in enumerate(result.site_ids))
    looks = list(zip(detections.scene_id, result.site_ids, strict=True))
    assert len(looks) == len(set(looks))


@settings(deadline=None, max_examples=40)
@given(a=places, b=places, angle=st.floats(0, 180), other=st.floats(0, 180))
def test_overlap_is_the_same_in_degrees_as_in_metres(a, b, angle: float, other: float) -> None:
    import shapely
    from shapely import affinity

    def metres(place, turn):
        return affinity.rotate(shapely.box(place[0] - 60, place[1] - 30, place[0] + 60, place[1] + 30), turn)

    p, q = metres(a, angle), metres(b, other)
    expected = p.intersection(q).area / p.union(q).area
    *_, iou = overlapping_pairs(boxes(a, angle=angle), boxes(b, angle=other), 1e-9)
    assert (iou[0] if len(iou) else 0.0) == pytest.approx(expected, abs=2e-3)
