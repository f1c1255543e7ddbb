"""Random samples for review: drawn evenly, kept, and counted only in their order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_project import DAY, THRESHOLD, FakeScene, some_kilns, write_run_folder
from store_helpers import dump

from app.services.importing import ImportRequest, import_into
from app.services.project import Project, open_project
from app.services.review_sample import progress_of
from geodata.store.ranks import RANK_AT_LEAST
from geodata.store.records import SiteFilter
from geodata.store.review_draw import ABOVE, BELOW, Unit, draw_reviews
from geodata.store.review_samples import (
    counting_on,
    latest_sample,
    models_of_evidence,
    record_sample,
    scenes_of_model,
    tiles_of_model,
    units_of,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)
UNITS = st.lists(st.floats(0, 1), max_size=80).map(
    lambda scores: [Unit(f"s{k}", f"scene{k % 3}", score) for k, score in enumerate(scores)]
)


# --- the draw --------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(UNITS, st.integers(1, 100))
def test_a_draw_takes_as_many_as_there_are_half_of_them_above(units: list[Unit], n: int) -> None:
    draw = draw_reviews(units, THRESHOLD, n)
    names = [one.unit for one in draw.drawn]
    assert len(names) == len(set(names)) == min(n, len(units))
    above = [one for one in draw.drawn if one.stratum == ABOVE]
    assert all((one.unit.score >= THRESHOLD) == (one.stratum == ABOVE) for one in draw.drawn)
    below = len(draw.drawn) - len(above)
    assert len(above) <= n / 2 + 1 or below == draw.frame[BELOW]
    assert below <= n / 2 + 1 or len(above) == draw.frame[ABOVE]


@settings(deadline=None)
@given(UNITS, st.integers(1, 100))
def test_chances_add_up_to_the_number_drawn(units: list[Unit], n: int) -> None:
    draw = draw_reviews(units, THRESHOLD, n)
    for stratum, size in draw.frame.items():
        drawn = [one for one in draw.drawn if one.stratum == stratum]
        assert {one.selection_probability for one in drawn} <= {len(drawn) / max(size, 1)}


@settings(deadline=None)
@given(UNITS, st.integers(1, 40), st.integers(0, 40), st.randoms(use_true_random=False))
def test_a_larger_draw_holds_the_smaller_and_the_order_of_the_input_does_not_matter(
    units: list[Unit], n: int, more: int, rng: "object"
) -> None:
    small = draw_reviews(units, THRESHOLD, n)
    mixed = rng.sample(units, len(units))  # type: ignore[attr-defined]  # hypothesis gives a Random
    assert draw_reviews(mixed, THRESHOLD, n) == small
    large = {one.unit for one in draw_reviews(units, THRESHOLD, n + more).drawn}
    assert {one.unit for one in small.drawn} <= large


@settings(deadline=None)
@given(UNITS, st.integers(1, 100), st.integers(0, 100))
def test_any_beginning_of_the_list_is_mixed_evenly(units: list[Unit], n: int, at: int) -> None:
    drawn = draw_reviews(units, THRESHOLD, n).drawn
    beginning = drawn[:at]
    share = sum(one.stratum == ABOVE for one in drawn) / max(len(drawn), 1)
    assert abs(sum(one.stratum == ABOVE for one in beginning) - share * len(beginning)) <= 1


def test_the_draw_does_not_look_at_the_score_within_a_half() -> None:
    rng = np.random.default_rng(1)
    units = [Unit(f"{rng.integers(2**62):x}", "s", float(score)) for score in rng.uniform(0.5, 1, 4000)]
    drawn = [one.unit.score for one in draw_reviews(units, THRESHOLD, 1000).drawn]
    assert np.mean(drawn) == pytest.approx(0.75, abs=4 * 0.144 / np.sqrt(1000))
    assert (np.histogram(drawn, 5, (0.5, 1))[0] > 150).all()


# --- in the store ----------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Project:
    first = FakeScene("first", DAY, some_kilns(20), product="painted")
    second = FakeScene("second", DAY + timedelta(days=5), some_kilns(15), product="painted")
    run = write_run_folder(tmp_path / "run", [first, second])
    opened = open_project(tmp_path / "project", create=True)
    import_into(opened, ImportRequest(runs=(run,)))
    return opened


def drawn(project: Project, n: int, at: datetime = NOW, zoom: float = 1.0) -> None:
    with project.store.writing() as connection:
        draw = draw_reviews(units_of(connection, "model-1"), THRESHOLD, n)
        record_sample(project.store, "model-1", draw, at, zoom)


def sample_of(project: Project, model: str | None = None):
    with project.store.reading() as connection:
        return latest_sample(connection, model)


def test_a_site_is_drawn_as_each_scene_shows_it(project: Project) -> None:
    with project.store.reading() as connection:
        units = units_of(connection, "model-1")
        assert len(units) == 35 and len({unit.site_id for unit in units}) == 20
        assert models_of_evidence(connection) == ["model-1"]
        assert units_of(connection, "model-2") == []
        scenes = scenes_of_model(connection, "model-1")
        assert [(s.scene_id, s.acquired_at, s.product) for s in scenes] == [
            ("first", DAY, "painted"),
            ("second", DAY + timedelta(days=5), "painted"),
        ]
        assert len(tiles_of_model(connection, "model-1", ["first"])) > 8
        assert tiles_of_model(connection, "model-1", []) == []


def test_the_latest_sample_counts_and_is_rebuilt_from_the_log(project: Project) -> None:
    assert sample_of(project) is None
    drawn(project, 6)
    drawn(project, 12, NOW + timedelta(days=1))
    sample = sample_of(project)
    assert sample == sample_of(project, "model-1") and sample_of(project, "model-2") is None
    assert len(sample.items) == 12 and sample.frame[ABOVE] + sample.frame[BELOW] == 35
    site = sample.items[0].drawn.unit.site_id
    assert [entry.kind for entry in project.store.history(site)].count("review_sample_drawn") in (1, 2)
    assert sample.zoom == 1.0
    drawn(project, 12, NOW + timedelta(days=2), zoom=1.2)
    sample = sample_of(project)
    assert sample.zoom == 1.2
    before = dump(project.store)
    project.rebuild()
    assert dump(project.store) == before and sample_of(project) == sample


def test_a_run_counts_on_the_scenes_that_no_later_run_covers(project: Project, tmp_path: Path) -> None:
    with project.store.reading() as connection:
        (both,) = counting_on(connection, "model-1", ["first", "second"]).items()
    assert both[1] == {"first", "second"}
    again = write_run_folder(
        tmp_path / "again", [FakeScene("second", DAY + timedelta(days=5), some_kilns(15), product="painted")]
    )
    import_into(project, ImportRequest(runs=(again,)))
    with project.store.reading() as connection:
        found = counting_on(connection, "model-1", ["first", "second"])
        assert found[both[0]] == {"first"} and sorted(map(sorted, found.values())) == [["first"], ["second"]]
        assert counting_on(connection, "model-1", ["second"]).keys() == found.keys() - {both[0]}
        assert counting_on(connection, "model-2", ["first"]) == {}


def test_verdicts_count_up_to_the_first_gap_whenever_they_were_given(project: Project) -> None:
    drawn(project, 10)
    items = sample_of(project).items
    sites = list(dict.fromkeys(item.drawn.unit.site_id for item in items))
    verdicts = ["kiln", "unsure", "not_kiln", None, "gone", *["kiln"] * 20]
    for site, verdict in zip(sites, verdicts, strict=False):
        if verdict:
            project.store.add_review(site, verdict, "", "me", NOW)
    sample = sample_of(project)
    state = progress_of(sample)
    assert state.next_site == sites[3]
    assert (state.places, state.done, state.counted) == (len(sites), len(sites) - 1, 2)
    assert {item.drawn.unit.site_id for item in sample.reviewed()} <= set(sites[:3])
    project.store.undo_review(sites[0], "me", NOW)
    assert progress_of(sample_of(project)).counted == 0


# --- ranks -----------------------------------------------------------------------------------------------


def ranks(project: Project) -> dict[str, tuple[float, float | None]]:
    """Score and rank of each site."""
    sites = project.store.sites(SiteFilter(above_threshold_only=False))
    return {site.site_id: (site.score, site.rank) for site in sites}


def test_ranks_are_shares_among_one_models_possible_kilns(project: Project) -> None:
    found = ranks(project)
    above = [score for score, _ in found.values() if score >= THRESHOLD]
    assert len(above) >= RANK_AT_LEAST
    for score, rank in found.values():
        if score < THRESHOLD:
            assert rank is None
        else:
            assert rank == pytest.approx(1 - sum(other > score for other in above) / len(above))


def test_another_models_scores_are_ranked_by_themselves(project: Project, tmp_path: Path) -> None:
    far = (68.5, 15.5)
    kilns = tuple(kiln for kiln in some_kilns(30, seed=5) if kiln.score >= THRESHOLD)
    moved = tuple(type(k)(k.east_m + 50_000, k.north_m + 50_000, k.score) for k in kilns)
    run = write_run_folder(tmp_path / "other", [FakeScene("far", DAY, moved)], "model-2", around=far)
    before = ranks(project)
    import_into(project, ImportRequest(runs=(run,)))
    after = ranks(project)
    assert {site: after[site] for site in before} == before
    others = [rank for site, (_, rank) in after.items() if site not in before]
    assert len(others) == len(kilns) and max(others) == 1.0


def test_a_handful_is_not_ranked(tmp_path: Path) -> None:
    run = write_run_folder(tmp_path / "run", [FakeScene("first", DAY, some_kilns(6))])
    with open_project(tmp_path / "project", create=True) as opened:
        import_into(opened, ImportRequest(runs=(run,)))
        assert {site.rank for site in opened.store.sites()} == {None}


def test_a_store_of_before_gets_ranks_and_loses_chances_that_nothing_backs(project: Project) -> None:
    """What migration 0002 does to a store that was written by the first schema."""
    before = ranks(project)
    path = project.store.path
    with project.store.writing() as connection:
        connection.exec_driver_sql("UPDATE sites SET probability = 0.7")
        connection.exec_driver_sql("ALTER TABLE sites DROP COLUMN rank")
        for later in ("round", "chance"):
            connection.exec_driver_sql(f"ALTER TABLE queue DROP COLUMN {later}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    project.close()
    with open_project(path.parent) as again:
        assert ranks(again) == before
        sites = again.store.sites(SiteFilter(above_threshold_only=False))
        assert {site.probability for site in sites} == {None}
