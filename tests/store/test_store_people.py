"""What volunteers and reviewers do: once, undoable, counted once per tile, and never mixed up."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from make_project import DAY, FakeScene, Kiln, draw_pictures, write_run_folder
from sqlalchemy.exc import IntegrityError

from app.services.importing import ImportRequest, import_into
from app.services.labelling import Done, LabellingDesk
from app.services.project import Project, open_project
from app.services.site_book import SiteBook
from app.services.sites import record_verdict, undo_verdict, view_site
from geodata.errors import InputError
from geodata.store.places import place_in_picture, tile_at
from geodata.store.records import PictureMark, Site, SiteFilter
from geodata.tiles import tile_from_id, tile_ring

EVERYTHING = SiteFilter(above_threshold_only=False)
KILN = Kiln(2000, 2000, 0.6)
NOW = DAY + timedelta(days=30)


@dataclass(frozen=True)
class Say:
    """An answer or an undo as the page sends it."""

    key: str
    token: str = ""
    answer: str = "none"
    marks: tuple[PictureMark, ...] = ()
    at: datetime = NOW
    undoes: str = ""

    def picture_marks(self) -> tuple[PictureMark, ...]:
        return self.marks

    def seen(self, now: datetime) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project to copy: making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("template")
    run = write_run_folder(folder / "run", (FakeScene("s", DAY, (KILN,)),))
    with open_project(folder / "project", create=True) as made:
        import_into(made, ImportRequest(runs=(run,)))
        draw_pictures(made)
    return folder / "project"


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(template, tmp_path / "project")
    with open_project(tmp_path / "project") as opened:
        yield opened


@pytest.fixture
def desk(project: Project) -> LabellingDesk:
    numbers = count()
    return LabellingDesk(project, now=lambda: NOW, mint=lambda: f"minted-{next(numbers)}")


def the_site(project: Project) -> Site:
    return next(site for site in project.store.sites(EVERYTHING) if not site.marked_only)


def token_of(project: Project, tile_id: str) -> str:
    with project.store.reading() as connection:
        query = "SELECT token FROM queue WHERE tile_id = ?"
        return str(connection.exec_driver_sql(query, (tile_id,)).scalar_one())


def mark_at(tile_id: str, lon: float, lat: float) -> PictureMark:
    (west, south), (east, north) = (tile_ring(tile_from_id(tile_id))[k] for k in (0, 2))
    return PictureMark((lon - west) / (east - west), (north - lat) / (north - south))


def kiln_answer(project: Project, key: str, metres_east: float = 0.0) -> Say:
    site = the_site(project)
    tile = tile_at(site.lon, site.lat)
    mark = mark_at(tile, site.lon + metres_east / 107_550, site.lat)
    return Say(key, token_of(project, tile), "kiln", (mark,))


def other_answer(project: Project, key: str, answer: str) -> Say:
    site = the_site(project)
    return Say(key, token_of(project, tile_at(site.lon, site.lat)), answer)


def test_place_in_picture_is_the_place() -> None:
    corners = ((10.0, 5.0), (11.0, 5.0), (11.0, 4.0), (10.0, 4.0))
    assert place_in_picture(corners, PictureMark(0.25, 0.5)) == (10.25, 4.5)
    assert place_in_picture(corners, PictureMark(0, 0)) == corners[0]
    assert place_in_picture(corners, PictureMark(1, 1)) == corners[2]


def test_marks_raise_and_looks_without_a_mark_lower_the_chance(project: Project, desk: LabellingDesk) -> None:
    before = the_site(project)
    assert desk.answer("ann", kiln_answer(project, "a", metres_east=20))
    one = the_site(project)
    assert one.votes_kiln == 1 and one.log_odds > before.log_odds
    assert desk.answer("ben", other_answer(project, "b", "none"))
    two = the_site(project)
    assert (two.votes_kiln, two.votes_none) == (1, 1) and two.log_odds < one.log_odds
    assert desk.answer("cid", other_answer(project, "c", "unsure"))
    assert desk.answer("dan", other_answer(project, "d", "bad_image"))
    three = the_site(project)
    assert (three.votes_kiln, three.votes_none, three.votes_unsure) == (1, 1, 1)


def test_map_is_drawn_anew_when_a_site_changed_not_when_a_picture_is_handed_out(
    project: Project, desk: LabellingDesk
) -> None:
    book = SiteBook(project.store)
    before = book.edition()
    assert desk.next_tokens("ann", 2, frozenset())
    assert book.edition() is before
    assert desk.answer("ann", kiln_answer(project, "a", metres_east=20))
    answered = book.edition()
    assert answered.version > before.version
    assert {site.votes_kiln for site in answered.sites} == {1}
    record_verdict(project, the_site(project).site_id, "kiln", "", "anna")
    assert [site.object_verdict for site in book.edition().sites] == ["kiln"]


def test_volunteer_counts_once_per_tile_the_first_by_time(project: Project, desk: LabellingDesk) -> None:
    later = other_answer(project, "a", "none")
    assert desk.answer("ann", later)
    early = kiln_answer(project, "b")
    assert desk.answer("ann", Say(early.key, early.token, "kiln", early.marks, at=NOW - timedelta(hours=1)))
    site = the_site(project)
    assert (site.votes_kiln, site.votes_none) == (1, 0), "the earlier look counts, though it came later"
    assert project.store.counts().answers == 1
    assert desk.done("ann").total == 1


def test_same_answer_sent_again_is_stored_once(project: Project, desk: LabellingDesk) -> None:
    item = kiln_answer(project, "a")
    assert desk.answer("ann", item) and desk.answer("ann", item)
    with project.store.reading() as connection:
        kinds = connection.exec_driver_sql("SELECT count(*) FROM events WHERE kind = 'looked'").scalar()
    assert kinds == 1
    assert desk.answer("ben", item), "another volunteer's key is another key"
    assert the_site(project).votes_kiln == 2


def test_undo_takes_the_vote_back_and_a_new_answer_counts(project: Project, desk: LabellingDesk) -> None:
    before = the_site(project)
    assert desk.answer("ann", kiln_answer(project, "a"))
    undo = Say("u", undoes="a")
    assert desk.undo("ann", undo) and desk.undo("ann", undo)
    assert the_site(project) == before
    assert desk.done("ann").total == 0
    assert desk.answer("ann", other_answer(project, "b", "none"))
    assert the_site(project).votes_none == 1


def test_nobody_undoes_anothers_answer(project: Project, desk: LabellingDesk) -> None:
    assert desk.answer("ann", kiln_answer(project, "a"))
    assert not desk.undo("ben", Say("u", undoes="a"))
    assert not desk.undo("ann", Say("u", undoes="never sent"))
    assert the_site(project).votes_kiln == 1


@pytest.mark.parametrize(
    "item",
    [
        Say("a", "no such token", "none"),
        Say("a", "", "kiln"),
    ],
)
def test_answers_that_cannot_be_taken(project: Project, desk: LabellingDesk, item: Say) -> None:
    assert not desk.answer("ann", item)
    assert project.store.counts().answers == 0


def test_wrong_words_are_refused(project: Project, desk: LabellingDesk) -> None:
    assert not desk.answer("ann", other_answer(project, "a", "perhaps"))
    with_mark = kiln_answer(project, "b")
    assert not desk.answer("ann", Say("b", with_mark.token, "none", with_mark.marks))


def test_mark_where_no_site_is_makes_one_and_a_second_joins(project: Project, desk: LabellingDesk) -> None:
    assert desk.answer("ann", kiln_answer(project, "a", metres_east=300))
    assert desk.answer("ben", kiln_answer(project, "b", metres_east=320))
    sites = project.store.sites(EVERYTHING)
    (marked,) = [site for site in sites if site.marked_only]
    assert marked.site_id == "minted-0"
    assert marked.votes_kiln == 2 and marked.is_candidate and marked.score is None and marked.made_up
    assert marked.picture is not None, "the tile's picture shows it"
    assert the_site(project).votes_none == 2, "both saw the detector's site and did not mark it"
    assert [site.site_id for site in project.store.sites()] == [the_site(project).site_id]


def test_marked_site_whose_mark_is_undone_is_not_listed_and_comes_back(
    project: Project, desk: LabellingDesk
) -> None:
    desk.answer("ann", kiln_answer(project, "a", metres_east=300))
    desk.undo("ann", Say("u", undoes="a"))
    assert len(project.store.sites(EVERYTHING)) == 1
    desk.answer("ben", kiln_answer(project, "b", metres_east=310))
    assert [site.site_id for site in project.store.sites(EVERYTHING) if site.marked_only] == ["minted-0"]


def test_detection_on_a_marked_site_joins_it(project: Project, desk: LabellingDesk, tmp_path: Path) -> None:
    desk.answer("ann", kiln_answer(project, "a", metres_east=300))
    kilns = (KILN, Kiln(2305, 2003, 0.8, angle_deg=0))
    run = write_run_folder(tmp_path / "run2", (FakeScene("s", DAY, kilns),), "model-2")
    import_into(project, ImportRequest(runs=(run,)))
    site = project.store.site("minted-0")
    assert site is not None and site.score == pytest.approx(0.8)
    assert not site.marked_only and not site.is_candidate and site.votes_kiln == 1


def test_exposures_are_kept_with_their_chance(project: Project, desk: LabellingDesk) -> None:
    tokens = desk.next_tokens("ann", 3, frozenset())
    assert len(set(tokens)) == 3
    with project.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT token, selection_probability, reason FROM exposures").all()
    assert [row.token for row in rows] == tokens
    assert all(0 < row.selection_probability <= 1 and row.reason in ("doubtful", "random") for row in rows)


def test_answered_tiles_do_not_come_again(project: Project, desk: LabellingDesk) -> None:
    seen: list[str] = []
    while tokens := desk.next_tokens("ann", 4, frozenset()):
        for token in tokens:
            assert desk.answer("ann", Say(f"key-{token}", token))
        seen += tokens
    assert len(seen) == len(set(seen)) == project.store.counts().queued
    assert desk.done("ann").total == desk.done("ann").today == len(seen)
    assert desk.next_tokens("ben", 4, frozenset()), "another volunteer sees them all"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows cannot change a process's time zone")
def test_a_day_is_one_of_the_machine_not_of_utc(
    project: Project, desk: LabellingDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = desk.next_tokens("ann", 2, frozenset())
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    try:
        assert desk.answer("ann", Say("k1", first, at=NOW - timedelta(hours=6)))
        assert desk.answer("ann", Say("k2", second, at=NOW - timedelta(hours=12)))
        assert NOW.date() != (NOW - timedelta(hours=6)).date()
        assert desk.done("ann") == Done(today=1, total=2)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_tokens_that_wait_in_the_browser_are_not_given_again(desk: LabellingDesk) -> None:
    first = desk.next_tokens("ann", 5, frozenset())
    assert not set(desk.next_tokens("ann", 5, frozenset(first))) & set(first)


def test_tokens_and_pictures_do_not_tell_the_tile(project: Project, desk: LabellingDesk) -> None:
    with project.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT token, tile_id FROM queue").all()
    for token, tile_id in rows:
        assert not any(part in token for part in tile_id.split("/") if len(part) > 2)
        assert desk.picture(token)
    assert desk.picture("../kilnlight.sqlite") is None
    assert desk.picture(the_site(project).site_id) is None, "sites' pictures are not for volunteers"


def test_verdict_stands_beside_the_chance(project: Project) -> None:
    before = the_site(project)
    record_verdict(project, before.site_id, "not_kiln", "a shed", "anna", now=lambda: NOW)
    after = the_site(project)
    assert (after.object_verdict, after.verdict_note) == ("not_kiln", "a shed")
    assert (after.probability, after.log_odds) == (before.probability, before.log_odds)
    record_verdict(project, before.site_id, "kiln", "", "ben", now=lambda: NOW)
    assert the_site(project).object_verdict == "kiln"
    undo_verdict(project, before.site_id, "ben", now=lambda: NOW)
    assert the_site(project).verdict_note == "a shed", "the one before counts again"
    undo_verdict(project, before.site_id, "anna", now=lambda: NOW)
    assert the_site(project) == before
    kinds = [entry.kind for entry in view_site(project, before.site_id).history]
    assert kinds == ["run_imported", "reviewed", "reviewed", "review_undone", "review_undone"]
    with pytest.raises(InputError, match="no verdict to take back"):
        undo_verdict(project, before.site_id, "anna")


def test_reviews_that_cannot_be_taken(project: Project) -> None:
    site_id = the_site(project).site_id
    with pytest.raises(InputError, match="Unknown verdict 'none_recorded'"):
        record_verdict(project, site_id, "none_recorded", "", "anna")
    with pytest.raises(InputError, match="no site 'x'"):
        record_verdict(project, "x", "kiln", "", "anna")
    with pytest.raises(InputError, match="shorten it"):
        record_verdict(project, site_id, "kiln", "a" * 5000, "anna")
    with pytest.raises(InputError, match="no site"):
        view_site(project, "x")


def test_log_cannot_be_changed(project: Project) -> None:
    for statement in ("UPDATE events SET who = 'nobody'", "DELETE FROM events"):
        with pytest.raises(IntegrityError, match="only ever appended"), project.store.writing() as connection:
            connection.exec_driver_sql(statement)


def test_times_without_a_zone_are_refused(project: Project) -> None:
    with pytest.raises(Exception, match="no time zone"):
        record_verdict(
            project, the_site(project).site_id, "kiln", "", "anna", now=lambda: datetime(2024, 1, 1)
        )
    assert the_site(project).object_verdict is None
