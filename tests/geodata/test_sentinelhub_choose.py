"""Grouping granules into acquisitions and choosing those that cover an area."""

from datetime import UTC, datetime, timedelta

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.sources.sentinelhub.acquisitions import (
    Acquisition,
    Granule,
    acquisitions_of,
    granule_of,
    inseparable,
)
from geodata.sources.sentinelhub.choose import SLIVER, choose

DAY = datetime(2024, 1, 15, 5, 42, 1, tzinfo=UTC)
AREA = shapely.box(0, 0, 10, 10)


def granule(tile="43RGM", seen_at=DAY, bounds=(0, 0, 10, 10), cloud=0.0, satellite="S2B"):
    start = f"{seen_at:%Y%m%dT0531}19"
    name = f"{satellite}_MSIL2A_{start}_N0510_R105_T{tile}_{seen_at:%Y%m%d}T081122"
    return Granule(name, f"sentinel-{satellite[1:].lower()}", seen_at, cloud, shapely.box(*bounds))


def acquisition(day=0, bounds=(0, 0, 10, 10), cloud=0.0):
    return Acquisition((granule(seen_at=DAY + timedelta(days=day), bounds=bounds, cloud=cloud),))


def test_granules_of_one_pass_are_one_acquisition_and_other_passes_are_not():
    one, two = granule("43RGM"), granule("43RHM", DAY + timedelta(seconds=15))
    later, other = granule(seen_at=DAY + timedelta(days=5)), granule(satellite="S2A")
    found = acquisitions_of([later, two, other, one, one])
    assert sorted(a.product_ids for a in found) == sorted(
        [(other.product_id,), (one.product_id, two.product_id), (later.product_id,)]
    )


def test_an_acquisition_has_the_products_time_and_the_narrowest_span():
    both = Acquisition((granule(), granule("43RHM", DAY + timedelta(seconds=15))))
    assert both.acquired_at == datetime(2024, 1, 15, 5, 31, 19, tzinfo=UTC)
    assert both.interval == (DAY - timedelta(seconds=1), DAY + timedelta(seconds=16))
    assert both.name == "S2B_MSIL2A_20240115T053119_N0510_R105"
    assert Acquisition((granule(),)).name == granule().product_id


def test_names_of_products_from_before_2016_work_too():
    old = Granule("S2A_OPER_PRD/x.SAFE", "sentinel-2a", DAY, 0, AREA)
    assert Acquisition((old,)).acquired_at == DAY
    assert Acquisition((old,)).name == "S2A_OPER_PRD_x"


def test_cloud_is_weighted_by_the_share_of_the_area():
    both = Acquisition(
        (granule(bounds=(0, 0, 5, 10), cloud=10), granule("43RHM", bounds=(5, 0, 20, 10), cloud=50))
    )
    assert both.cloud_percent(AREA) == pytest.approx(30)
    assert both.cloud_percent(shapely.box(50, 50, 51, 51)) == 100


def test_two_satellites_over_one_place_at_once_cannot_be_told_apart_by_time():
    one, other = Acquisition((granule(),)), Acquisition((granule(satellite="S2C"),))
    elsewhere = Acquisition((granule(satellite="S2A", bounds=(40, 0, 50, 10)),))
    assert inseparable([one, other, elsewhere]) == [one, other]
    assert inseparable([one, elsewhere, acquisition(5)]) == []


def test_one_clear_scene_is_taken_of_many_that_cover_all():
    scenes = [acquisition(0, cloud=20), acquisition(5, cloud=3), acquisition(10, cloud=8)]
    assert choose(scenes, AREA, 100).acquisitions == (scenes[1],)


def test_the_fewest_come_before_the_clearest():
    whole = acquisition(0, cloud=20)
    halves = [acquisition(5, (0, 0, 5, 10)), acquisition(6, (5, 0, 10, 10))]
    assert choose([*halves, whole], AREA, 100).acquisitions == (whole,)
    assert choose([*halves, whole], AREA, 10).acquisitions == tuple(halves)


def test_of_equally_clear_scenes_the_latest_is_taken():
    assert choose([acquisition(0), acquisition(5)], AREA, 100).acquisitions == (acquisition(5),)


def test_what_others_make_superfluous_is_dropped():
    middle = acquisition(0, (2, 0, 8.5, 10))
    sides = [acquisition(5, (0, 0, 6, 10)), acquisition(6, (5, 0, 10, 10))]
    assert choose([middle, *sides], AREA, 100).acquisitions == tuple(sides)


def test_a_gap_is_told():
    choice = choose([acquisition(0, (0, 0, 4, 10))], AREA, 100)
    assert choice.covered_share == pytest.approx(0.4)
    assert choose([], AREA, 100).acquisitions == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 9), st.floats(0, 100)), max_size=12
    )
)
@settings(max_examples=60, deadline=None)
def test_the_choice_covers_what_all_clear_scenes_do_and_holds_nothing_useless(boxes):
    scenes = [acquisition(n, (x, y, x + s, y + s), cloud) for n, (x, y, s, cloud) in enumerate(boxes)]
    choice = choose(scenes, AREA, 60)
    clear = [scene for scene in scenes if scene.cloud_percent(AREA) <= 60]
    assert set(choice.acquisitions) <= set(clear)
    possible = shapely.union_all([scene.footprint for scene in clear]).intersection(AREA).area
    assert choice.covered_share >= (1 - 2 * SLIVER) * possible / AREA.area - 1e-9
    for scene in choice.acquisitions:
        rest = [other.footprint for other in choice.acquisitions if other is not scene]
        assert shapely.union_all(rest).intersection(AREA).area < choice.covered_share * AREA.area
    assert choose(scenes[::-1], AREA, 60) == choice


@pytest.mark.parametrize(
    "broken", [{}, {"id": "x", "properties": {}}, {"id": "x", "properties": {"datetime": "?"}}]
)
def test_a_broken_feature_is_one_sentence(broken):
    with pytest.raises(InputError, match="unreadable scene"):
        granule_of(broken)
