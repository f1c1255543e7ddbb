"""Rounds: unlabelled tiles go before volunteers first, with the chance that they had."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from make_project import DAY, FakeScene, draw_pictures, some_kilns, write_run_folder
from PIL import Image
from store_helpers import dump
from test_store_people import Say
from typer.testing import CliRunner

from app.cli.main import build
from app.services.importing import ImportRequest, import_into
from app.services.labelling import LabellingDesk
from app.services.project import Project, open_project
from app.services.rounds import Round, RoundRequest, pool_of, queue_places, queue_round, uncertainty
from app.services.sites import record_verdict
from geodata.errors import InputError
from geodata.store.read_pool import FoundThere, PoolTile, unlabelled_tiles
from geodata.store.records import SiteFilter


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    run = write_run_folder(tmp_path / "run", (FakeScene("s", DAY, some_kilns(20)),), side_m=9000)
    with open_project(tmp_path / "project", create=True) as opened:
        import_into(opened, ImportRequest(runs=(run,), rng=random.Random(1)))
        draw_pictures(opened)
        yield opened


def draw(project: Project, tiles: int = 12, share: float = 0.25, seed: int = 1) -> Round:
    done = queue_round(project, RoundRequest(tiles, share, rng=random.Random(seed)))
    draw_pictures(project)
    return done


def tile_of_token(project: Project) -> dict[str, str]:
    with project.store.reading() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql("SELECT token, tile_id FROM queue")}


def pool(project: Project) -> list[PoolTile]:
    with project.store.reading() as connection:
        return unlabelled_tiles(connection)


def test_a_round_is_shown_before_everything_else(project: Project) -> None:
    done = draw(project)
    assert done.number == 1 and len(done.drawn) == 12
    assert sum(one.at_random for one in done.drawn) >= 3
    assert sum(one.uncertainty > 0 for one in done.drawn) >= 5
    desk = LabellingDesk(project, rng=random.Random(2))
    shown = [tile_of_token(project)[token] for token in desk.next_tokens("v", 20, frozenset())]
    assert set(shown[:12]) == {one.tile_id for one in done.drawn}
    assert len(set(shown)) == 20, "then what the import queued"


def test_labelled_reviewed_and_queued_tiles_are_left_out(project: Project) -> None:
    before = {tile.tile_id for tile in pool(project)}
    desk = LabellingDesk(project, rng=random.Random(2))
    (token,) = desk.next_tokens("v", 1, frozenset())
    answered = tile_of_token(project)[token]
    assert desk.answer("v", Say("k", token))
    site = next(s for s in project.store.sites(SiteFilter()) if s.site_id)
    record_verdict(project, site.site_id, "not_kiln", "", "me")
    first = {one.tile_id for one in draw(project).drawn}
    assert answered in before and answered not in first
    second = draw(project)
    assert second.number == 2 and not first & {one.tile_id for one in second.drawn}
    assert second.pool == len(before) - len(first) - len({answered, _tile(project, site.site_id)})


def _tile(project: Project, site_id: str) -> str:
    with project.store.reading() as connection:
        query = "SELECT tile_id FROM sites WHERE site_id = ?"
        return str(connection.exec_driver_sql(query, (site_id,)).scalar_one())


def test_chances_are_kept_through_later_imports_and_a_rebuild(project: Project, tmp_path: Path) -> None:
    done = draw(project)

    def chances() -> dict[str, tuple[int, float]]:
        with project.store.reading() as connection:
            query = "SELECT tile_id, round, chance FROM queue WHERE round > 0"
            return {row[0]: (row[1], row[2]) for row in connection.exec_driver_sql(query)}

    assert chances() == {one.tile_id: (1, one.chance) for one in done.drawn}
    assert all(0 < chance <= 1 for _, chance in chances().values())
    later = write_run_folder(tmp_path / "later", (FakeScene("s", DAY, some_kilns(20)),), "m2", side_m=9000)
    import_into(project, ImportRequest(runs=(later,), rng=random.Random(3)))
    assert chances() == {one.tile_id: (1, one.chance) for one in done.drawn}
    live = dump(project.store)
    project.rebuild()
    assert dump(project.store) == live


def test_a_log_from_before_rounds_is_still_read(project: Project) -> None:
    with sqlite3.connect(project.store.path) as connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'events'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            "UPDATE events SET payload = json_set(payload, '$.tiles', json(("
            "SELECT json_group_array(json_remove(value, '$.round', '$.chance'))"
            " FROM json_each(payload, '$.tiles')))) WHERE kind = 'tiles_queued'"
        )
    live = dump(project.store)
    project.rebuild()
    assert dump(project.store) == live


def test_certain_places_go_first_and_strange_ones_are_told(project: Project) -> None:
    inside = pool(project)[0].tile_id
    assert queue_places(project, [inside, "15/1/1"], RoundRequest(1)) == (1, 1)
    draw_pictures(project)
    (token,) = LabellingDesk(project).next_tokens("v", 1, frozenset())
    assert tile_of_token(project)[token] == inside


def test_doubt_comes_from_a_calibrated_chance_where_there_is_one() -> None:
    assert uncertainty(()) == 0
    assert uncertainty([FoundThere(0.4, 0.4, None)]) == 1
    assert uncertainty([FoundThere(0.4, 0.4, 0.9)]) == pytest.approx(0.36)
    assert uncertainty([FoundThere(0.9, 0.4, 0.5), FoundThere(0.99, 0.4, None)]) == 1


def test_pictures_that_look_alike_lie_close(tmp_path: Path) -> None:
    found = (FoundThere(0.4, 0.4, None),)
    for name, colour in (("a", (90, 80, 70)), ("b", (92, 82, 71)), ("c", (20, 120, 30))):
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{name}.png")
    tiles = [
        PoolTile(f"15/{2000 + k}/1000", found, picture)
        for k, picture in enumerate(["a.png", "b.png", "c.png", "gone.png", None])
    ]
    made = pool_of(tiles, lambda name: tmp_path / name)
    assert np.isfinite(made.features).all() and (made.uncertainty == 1).all()
    look = made.features[:, 2:8]
    assert np.linalg.norm(look[0] - look[1]) < np.linalg.norm(look[0] - look[2]) / 5
    assert (look[3:] == 0).all()


def test_the_command_draws_and_says_what_it_drew(project: Project) -> None:
    project.close()
    folder = str(project.folder)
    done = CliRunner().invoke(build(), ["queue", "--project", folder, "--tiles", "8", "--seed", "3"])
    assert done.exit_code == 0, done.output
    assert "Round 1: 8 of " in done.output
    rest = CliRunner().invoke(build(), ["queue", "--project", folder, "--tiles", "5000"])
    assert rest.exit_code == 0 and "have no picture yet" in rest.output
    empty = CliRunner().invoke(build(), ["queue", "--project", folder, "--tiles", "5"])
    assert empty.exit_code == 2 and "No observed tile" in empty.output
    strange = CliRunner().invoke(build(), ["queue", "--project", folder + "x", "--tiles", "5"])
    assert strange.exit_code == 2 and "no kilnlight project" in strange.output


def test_senseless_rounds_are_refused(project: Project) -> None:
    with pytest.raises(InputError, match=r"share of 0\.01 cannot be drawn"):
        queue_round(project, RoundRequest(5, 0.01))
