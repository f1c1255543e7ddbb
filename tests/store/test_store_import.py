"""Runs come into a project: once, in place of older evidence, with sites that keep their ids."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from make_project import (
    DAY,
    THRESHOLD,
    FakeScene,
    Kiln,
    some_kilns,
    two_dates,
    write_run_folder,
)
from store_helpers import dump

from app.services.importing import ImportRequest, import_into
from app.services.project import Project, open_project
from geodata.errors import InputError, KilnlightError, ProblemsError
from geodata.store.records import Site, SiteFilter
from geodata.store.store import Store

EVERYTHING = SiteFilter(above_threshold_only=False)
ONE = Kiln(2000, 2000, 0.9)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(tmp_path / "project", create=True)


def bring(project: Project, *scenes: FakeScene, model_id: str = "model-1") -> None:
    folder = project.folder.parent / f"run-{len(list(project.folder.parent.glob('run-*')))}"
    import_into(project, ImportRequest(runs=(write_run_folder(folder, scenes, model_id),)))


def only(project: Project) -> Site:
    (site,) = project.store.sites(EVERYTHING)
    return site


def test_two_dates_of_a_place_make_one_set_of_sites(project: Project) -> None:
    first, second = two_dates(20)
    bring(project, first, second)
    sites = project.store.sites(EVERYTHING)
    assert len(sites) == 20
    strong = project.store.sites()
    assert {site.is_candidate for site in strong} == {False}
    assert len(strong) == sum(kiln.score >= THRESHOLD for kiln in first.kilns)
    seen_twice = [site for site in sites if site.first_seen != site.last_seen]
    assert len(seen_twice) == len(second.kilns)
    assert all(len(project.store.evidence(site.site_id)) == 2 for site in seen_twice)
    assert all(site.made_up and site.log_odds is not None for site in sites)
    assert not any(site.calibrated or site.probability is not None for site in sites)


def test_chances_of_a_calibrated_model_come_through_and_are_called_so(project: Project) -> None:
    bring(project, *two_dates(20, chances=True))
    sites = project.store.sites(EVERYTHING)
    assert all(site.calibrated and site.probability is not None for site in sites)
    once = [site for site in sites if site.first_seen == site.last_seen and 0.05 < site.score < 0.95]
    assert once and all(site.probability == pytest.approx(site.score, abs=0.02) for site in once)


def test_one_scene_without_a_chance_takes_it_from_the_site(project: Project) -> None:
    first, second = two_dates(20, chances=True)
    blank = tuple(replace(kiln, probability=float("nan")) for kiln in second.kilns)
    bring(project, first, replace(second, kilns=blank))
    for site in project.store.sites(EVERYTHING):
        known = [one.probability is not None for one in project.store.evidence(site.site_id)]
        assert (site.probability is not None) == all(known)


def test_sites_are_ranked_by_log_odds(project: Project) -> None:
    bring(project, two_dates()[0])
    chances = [site.log_odds for site in project.store.sites()]
    assert chances == sorted(chances, reverse=True)


def test_same_run_twice_changes_nothing(project: Project, tmp_path: Path) -> None:
    run = write_run_folder(tmp_path / "run", two_dates())
    assert import_into(project, ImportRequest(runs=(run,))).runs_new == 1
    before = dump(project.store)
    files = sorted(path.relative_to(project.folder) for path in project.runs.rglob("*"))
    again = import_into(project, ImportRequest(runs=(run, run)))
    assert (again.runs_new, again.runs_known) == (0, 2)
    assert dump(project.store) == before
    assert sorted(path.relative_to(project.folder) for path in project.runs.rglob("*")) == files
    with project.store.reading() as connection:
        kinds = connection.exec_driver_sql("SELECT kind FROM events").scalars().all()
    assert kinds.count("run_imported") == 1


def test_same_run_in_another_folder_is_the_same_run(project: Project, tmp_path: Path) -> None:
    for name in ("one", "two"):
        import_into(project, ImportRequest(runs=(write_run_folder(tmp_path / name, two_dates()),)))
    assert project.store.counts().runs == 1


def test_newer_model_replaces_the_evidence_and_the_site_stays(project: Project) -> None:
    bring(project, FakeScene("s", DAY, (ONE,)))
    before = only(project)
    project.store.add_review(before.site_id, "kiln", "seen it", "anna", DAY)
    bring(project, FakeScene("s", DAY, (replace(ONE, east_m=2008, score=0.6),)), model_id="model-2")
    after = only(project)
    assert after.site_id == before.site_id
    assert after.outline == before.outline, "sites do not creep"
    assert after.score == pytest.approx(0.6)
    assert after.object_verdict == "kiln"
    evidence = {one.model_id: one.superseded for one in project.store.evidence(after.site_id)}
    assert evidence == {"model-1": True, "model-2": False}
    kinds = [entry.kind for entry in project.store.history(after.site_id)]
    assert kinds == ["run_imported", "reviewed", "run_imported"]


def test_newer_model_that_finds_nothing_takes_the_site_off_the_list(project: Project) -> None:
    bring(project, FakeScene("s", DAY, (ONE,)))
    site_id = only(project).site_id
    bring(project, FakeScene("s", DAY, ()), model_id="model-2")
    assert project.store.sites(EVERYTHING) == []
    site = project.store.site(site_id)
    assert site is not None and site.score is None and site.is_candidate
    assert project.store.history(site_id)[-1].detail["scores"] == {}
    bring(project, FakeScene("s", DAY, (ONE,)), model_id="model-3")
    assert only(project).site_id == site_id, "the id waits for it"


def test_reviewed_site_stays_on_the_list(project: Project) -> None:
    bring(project, FakeScene("s", DAY, (ONE,)))
    project.store.add_review(only(project).site_id, "gone", "", "anna", DAY)
    bring(project, FakeScene("s", DAY, ()), model_id="model-2")
    assert only(project).object_verdict == "gone"


def test_later_valid_scene_that_does_not_show_a_site(project: Project) -> None:
    later = DAY + timedelta(days=100)
    bring(project, FakeScene("a", DAY, (ONE,)))
    assert only(project).not_seen_on is None
    bring(project, FakeScene("cloudy", later + timedelta(days=1), (), observed_share=0.5))
    assert only(project).not_seen_on is None, "what was not observed says nothing"
    bring(project, FakeScene("b", later, ()))
    assert only(project).not_seen_on == later
    assert only(project).last_seen == DAY
    bring(project, FakeScene("c", later + timedelta(days=9), (ONE,)))
    assert only(project).not_seen_on is None, "it is there again"


def test_earlier_scene_without_it_says_nothing(project: Project) -> None:
    bring(project, FakeScene("a", DAY, (ONE,)), FakeScene("before", DAY - timedelta(days=9), ()))
    assert only(project).not_seen_on is None


def test_undated_scenes_work(project: Project) -> None:
    bring(project, FakeScene("a", None, (ONE,)), FakeScene("b", DAY, ()))
    site = only(project)
    assert (site.first_seen, site.last_seen, site.not_seen_on, site.attribution_year) == (None,) * 4


def test_candidate_becomes_a_site_when_a_better_date_comes(project: Project) -> None:
    bring(project, FakeScene("a", DAY, (replace(ONE, score=0.2),)))
    assert only(project).is_candidate and project.store.sites() == []
    bring(project, FakeScene("b", DAY + timedelta(days=5), (ONE,)))
    site = only(project)
    assert not site.is_candidate
    assert site.first_seen == site.last_seen == DAY + timedelta(days=5), (
        "a faint trace does not stretch the span"
    )


def test_tiles_speak_for_the_latest_scene_that_observed_them(project: Project) -> None:
    bring(project, FakeScene("a", DAY, (ONE,)))
    assert [tile.state for tile in project.store.tiles()].count("kiln") == 1
    bring(project, FakeScene("cloudy", DAY + timedelta(days=9), (), observed_share=0.3))
    assert {tile.scene_id for tile in project.store.tiles()} == {"a"}
    bring(project, FakeScene("b", DAY + timedelta(days=10), ()))
    states = sorted((tile.scene_id, tile.state) for tile in project.store.tiles())
    assert states[0] == ("a", "kiln"), "its site is on the map still"
    assert set(states[1:]) == {("b", "none")}
    bring(project, FakeScene("a", DAY, (replace(ONE, score=0.2),)), model_id="model-2")
    assert {(tile.scene_id, tile.state) for tile in project.store.tiles()} == {("b", "none")}


def test_nothing_but_clouds_is_not_observed(project: Project) -> None:
    bring(project, FakeScene("a", DAY, (), observed_share=0.0))
    assert {tile.state for tile in project.store.tiles()} == {"not_observed"}
    counts = project.store.counts()
    assert (counts.sites, counts.tiles_observed, counts.queued) == (0, 0, 0)


def test_tiles_of_a_box(project: Project) -> None:
    bring(project, FakeScene("a", DAY, ()))
    tiles = project.store.tiles()
    (west, south), (east, north) = tiles[0].ring[0], tiles[0].ring[2]
    inner = (west + 1e-6, south + 1e-6, east - 1e-6, north - 1e-6)
    assert project.store.tiles(inner) == tiles[:1]
    assert project.store.tiles((0.0, 0.0, 1.0, 1.0)) == []


def test_box_that_only_touches_an_outline_finds_it(project: Project) -> None:
    bring(project, FakeScene("s", DAY, (ONE,)))
    west = min(lon for lon, _ in only(project).outline)
    lat = only(project).lat
    assert len(project.store.sites(SiteFilter(bbox=(west - 1e-3, lat - 1e-3, west + 1e-5, lat + 1e-3)))) == 1
    assert project.store.sites(SiteFilter(bbox=(west - 1e-3, lat, west - 1e-4, lat))) == []


def test_boxes_are_found_through_the_rtree(project: Project) -> None:
    from geodata.store.read_sites import _IN_BOX

    with project.store.reading() as connection:
        query = f"EXPLAIN QUERY PLAN SELECT * FROM sites WHERE {_IN_BOX.text}"
        box = {"west": 0, "south": 0, "east": 1, "north": 1}
        plan = " ".join(row[3] for row in connection.exec_driver_sql(query, box))
    assert "site_boxes VIRTUAL TABLE INDEX" in plan


def test_concern_has_one_value_and_no_other_can_be_written(project: Project) -> None:
    from sqlalchemy.exc import IntegrityError

    bring(project, FakeScene("s", DAY, (ONE,)))
    with project.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT concern FROM concern").scalars().all() == ["none_recorded"]
    with pytest.raises(IntegrityError), project.store.writing() as connection:
        connection.exec_driver_sql("UPDATE concern SET concern = 'forced labour'")


def test_ids_tell_nothing_of_the_place(project: Project, tmp_path: Path) -> None:
    bring(project, FakeScene("s", DAY, (ONE,)))
    with open_project(tmp_path / "other", create=True) as other:
        bring(other, FakeScene("s", DAY, (ONE,)))
        assert only(other).site_id != only(project).site_id


def test_all_problems_are_listed_before_anything_is_written(project: Project, tmp_path: Path) -> None:
    good = write_run_folder(tmp_path / "good", (FakeScene("s", DAY, (ONE,)),))
    broken = write_run_folder(tmp_path / "broken", (FakeScene("t", DAY, (ONE,)),))
    (broken / "coverage.parquet").write_bytes(b"cut")
    request = ImportRequest(runs=(good, broken, tmp_path / "none"), marks=(tmp_path / "none.csv",))
    with pytest.raises(ProblemsError) as error:
        import_into(project, request)
    assert len(error.value.problems) == 3
    assert project.store.counts().runs == 0
    assert list(project.runs.iterdir()) == []


def test_changed_run_in_the_project_is_noticed(project: Project) -> None:
    bring(project, FakeScene("s", DAY, (ONE,)))
    (run,) = project.runs.iterdir()
    (run / "detections.parquet").write_bytes(b"other")
    with pytest.raises(InputError, match="is not the file that run"):
        project.rebuild()
    assert only(project).score == pytest.approx(0.9), "and the state stays"


def test_crash_in_the_middle_of_an_import_leaves_nothing_half(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run_folder(tmp_path / "run", (FakeScene("s", DAY, some_kilns()),))
    before = dump(project.store)
    with monkeypatch.context() as patch:
        patch.setattr("geodata.store.apply_import.refresh_tiles", _power_cut)
        with pytest.raises(KeyboardInterrupt):
            import_into(project, ImportRequest(runs=(run,)))
    assert dump(project.store) == before
    with project.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM events").scalar() == 0
    assert import_into(project, ImportRequest(runs=(run,))).runs_new == 1
    assert isinstance(project.store, Store) and len(project.store.sites(EVERYTHING)) == 20


def _power_cut(*_: object) -> None:
    raise KeyboardInterrupt


def test_full_disk_is_one_sentence_and_leaves_nothing_half(project: Project, tmp_path: Path) -> None:
    run = write_run_folder(tmp_path / "run", (FakeScene("s", DAY, some_kilns()),))
    with project.store.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    before = dump(project.store)
    with pytest.raises(KilnlightError, match=r"disk is full.*make room"):
        import_into(project, ImportRequest(runs=(run,)))
    assert dump(project.store) == before
    with project.store.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert import_into(project, ImportRequest(runs=(run,))).runs_new == 1
