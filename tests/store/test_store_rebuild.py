"""The state is rebuilt from the log of events, and is then the very same."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from make_project import DAY, FakeScene, draw_pictures, some_kilns, two_dates, write_run_folder
from store_helpers import dump
from test_store_people import Say

from app.services.importing import ImportRequest, import_into
from app.services.labelling import LabellingDesk
from app.services.project import Project, open_project
from app.services.sites import record_verdict, undo_verdict
from geodata.errors import InputError
from geodata.looks import Mark
from geodata.store.records import PictureMark, SiteFilter
from geodata.tables.columns import ANSWERS, VERDICTS
from geodata.tables.marks import write_marks

EVERYTHING = SiteFilter(above_threshold_only=False)


def live_a_little(project: Project, rng: random.Random, acts: int) -> None:
    """Random acts of volunteers and reviewers."""
    desk = LabellingDesk(project, rng=rng)
    answers: list[tuple[str, str]] = []
    for act in range(acts):
        who = f"v{rng.randrange(4)}"
        choice = rng.random()
        sites = project.store.sites(EVERYTHING)
        if choice < 0.6 and (tokens := desk.next_tokens(who, 1, frozenset())):
            answer = rng.choice(ANSWERS)
            marks = [PictureMark(rng.random(), rng.random()) for _ in range(rng.randrange(1, 3))]
            at = DAY + timedelta(minutes=rng.randrange(10_000))
            assert desk.answer(
                who, Say(f"k{act}", tokens[0], answer, tuple(marks if answer == "kiln" else ()), at)
            )
            answers.append((who, f"k{act}"))
        elif choice < 0.75 and answers:
            who, key = rng.choice(answers)
            assert desk.undo(who, Say(f"u{act}", undoes=key))
        elif choice < 0.9:
            record_verdict(project, rng.choice(sites).site_id, rng.choice(VERDICTS), "note", who)
        else:
            try:
                undo_verdict(project, rng.choice(sites).site_id, who)
            except InputError:
                pass


@pytest.mark.parametrize("seed", [1, 2])
def test_rebuilt_equals_live(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    first, second = two_dates(12)
    with open_project(tmp_path / "project", create=True) as project:
        for number, scenes in enumerate([(first,), (second,), (FakeScene("first", DAY, some_kilns(12, 2)),)]):
            run = write_run_folder(tmp_path / f"run-{number}", scenes, f"model-{number}")
            import_into(project, ImportRequest(runs=(run,)))
            draw_pictures(project)
            live_a_little(project, rng, 16)
        site = project.store.sites(EVERYTHING)[0]
        tile = project.store.tiles()[0]
        (west, south), (east, north) = tile.ring[0], tile.ring[2]
        marks = [
            Mark("filer", tile.tile_id, "kiln", (west + east) / 2, (south + north) / 2, DAY),
            Mark("filer", tile.tile_id, "kiln", west + (east - west) / 5, south + (north - south) / 5, DAY),
        ]
        write_marks(marks, tmp_path / "marks.csv")
        assert import_into(project, ImportRequest(marks=(tmp_path / "marks.csv",))).looks_new == 1
        assert import_into(project, ImportRequest(marks=(tmp_path / "marks.csv",))).looks_new == 0
        live, seen = dump(project.store), project.store.sites(EVERYTHING)
        history = project.store.history(site.site_id)
        assert all(live[name] for name in ("answers", "marks", "votes", "reviews", "exposures", "site_boxes"))
        assert project.rebuild() > 30
        assert dump(project.store) == live
        assert project.store.sites(EVERYTHING) == seen
        assert project.store.history(site.site_id) == history
        assert project.rebuild() > 30 and dump(project.store) == live


def test_rebuild_mends_a_damaged_state(tmp_path: Path) -> None:
    with open_project(tmp_path / "project", create=True) as project:
        import_into(project, ImportRequest(runs=(write_run_folder(tmp_path / "run", two_dates(6)),)))
        live = dump(project.store)
        with project.store.writing() as connection:
            connection.exec_driver_sql("UPDATE sites SET score = 0.123, probability = NULL")
            connection.exec_driver_sql("DELETE FROM coverage")
        assert dump(project.store) != live
        project.rebuild()
        assert dump(project.store) == live


def test_rebuild_that_breaks_leaves_the_old_state(tmp_path: Path) -> None:
    with open_project(tmp_path / "project", create=True) as project:
        import_into(project, ImportRequest(runs=(write_run_folder(tmp_path / "run", two_dates(6)),)))
        live = dump(project.store)
        (run,) = project.runs.iterdir()
        run.rename(tmp_path / "elsewhere")
        with pytest.raises(InputError, match="no finished run"):
            project.rebuild()
        assert dump(project.store) == live
