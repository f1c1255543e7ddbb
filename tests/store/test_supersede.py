"""Several runs on one scene: which of them speaks, for which tiles, in whatever order they are imported."""

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from make_project import DAY, SOUTH, WEST, FakeScene, Kiln, write_run_folder
from store_helpers import dump

from app.services.importing import ImportRequest, import_into
from app.services.project import Project, open_project
from geodata.store.records import SiteFilter
from geodata.store.supersede import Claim, superseded_tiles

ALL = SiteFilter(above_threshold_only=False)
OLD, NEW = DAY, DAY + timedelta(days=200)
ONE = Kiln(2000, 2000, 0.9)
FAR_M = 40_000.0
"""From one clip to the other."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return open_project(tmp_path / "project", create=True)


def bring(
    project: Project,
    *kilns: Kiln,
    model: str = "model-1",
    model_at: datetime = OLD,
    east_m: float = 0.0,
    content: str = "a",
    side_m: float = 4600.0,
) -> list[str]:
    """Import a run on a clip of the scene "s" that begins `east_m` east; the warnings."""
    parent = project.folder.parent
    file = parent / f"{content}.tif"
    file.write_text(content)
    folder = parent / f"run-{len(list(parent.glob('run-*')))}"
    middle = (WEST + (east_m + side_m / 2) / 107_550, SOUTH + side_m / 2 / 110_650)
    scene = FakeScene("s", DAY, kilns, file=file)
    write_run_folder(folder, (scene,), model, model_at=model_at, side_m=side_m, around=middle)
    warnings: list[str] = []
    import_into(project, ImportRequest(runs=(folder,), warn=warnings.append))
    return warnings


def scores(project: Project) -> list[float]:
    return sorted(round(site.score or 0, 3) for site in project.store.sites(ALL))


def assert_rebuilds(project: Project) -> None:
    live = dump(project.store)
    project.rebuild()
    assert dump(project.store) == live


def test_older_model_imported_later_stays_in_the_history(project: Project) -> None:
    bring(project, ONE, model="new", model_at=NEW)
    (before,) = project.store.sites(ALL)
    tiles = project.store.tiles()
    warnings = bring(project, model="old-and-blind", model_at=OLD)
    assert any("only goes into the history" in warning for warning in warnings)
    bring(project, replace(ONE, score=0.5), model="old", model_at=OLD)
    assert project.store.sites(ALL) == [before]
    assert project.store.tiles() == tiles
    evidence = {one.model_id: one.superseded for one in project.store.evidence(before.site_id)}
    assert evidence == {"new": False, "old": True}
    history = project.store.history(before.site_id)
    assert [list(entry.detail["scores"].values()) for entry in history] == [
        [pytest.approx(0.9)],
        [pytest.approx(0.5)],
    ], "the blind one took nothing from it"
    assert_rebuilds(project)


def test_the_order_of_imports_does_not_matter(tmp_path: Path) -> None:
    runs = [
        ("old", OLD, (ONE, replace(ONE, north_m=3000, score=0.8))),
        ("middle", OLD + timedelta(days=1), ()),
        ("new", NEW, (replace(ONE, score=0.7),)),
    ]
    for number, order in enumerate(itertools.permutations(runs)):
        (tmp_path / str(number)).mkdir()
        with open_project(tmp_path / str(number) / "project", create=True) as project:
            for model, at, kilns in order:
                bring(project, *kilns, model=model, model_at=at)
            assert scores(project) == [0.7]
            assert [tile.state for tile in project.store.tiles()].count("kiln") == 1
            assert_rebuilds(project)


def test_equally_old_models_and_the_same_model_again_the_later_import_counts(project: Project) -> None:
    bring(project, ONE, model="model-1")
    bring(project, replace(ONE, score=0.7), model="model-2")
    assert scores(project) == [0.7]
    bring(project, replace(ONE, score=0.6), model="model-2")
    assert scores(project) == [0.6]
    assert_rebuilds(project)


def test_known_run_again_changes_nothing(project: Project) -> None:
    for model, at in (("new", NEW), ("old", OLD)):
        bring(project, ONE, model=model, model_at=at)
    before = dump(project.store)
    bring(project, ONE, model="new", model_at=NEW)
    assert dump(project.store) == before


def test_second_clip_elsewhere_leaves_the_first_one(project: Project) -> None:
    elsewhere = replace(ONE, east_m=ONE.east_m + FAR_M, score=0.8)
    bring(project, ONE)
    first = project.store.tiles()
    warnings = bring(project, elsewhere, east_m=FAR_M, content="b")
    assert any("b.tif is not the file a.tif" in warning for warning in warnings)
    assert scores(project) == [0.8, 0.9]
    assert {tile.tile_id for tile in first} < {tile.tile_id for tile in project.store.tiles()}
    assert [tile.state for tile in project.store.tiles()].count("kiln") == 2
    assert all(len(project.store.history(site.site_id)) == 1 for site in project.store.sites(ALL))
    bring(project, model="model-2", model_at=NEW, east_m=FAR_M, content="b")
    assert scores(project) == [0.9], "a newer model on one clip says nothing of the other"
    assert_rebuilds(project)


def test_scene_delivered_again_over_the_same_ground_replaces(project: Project) -> None:
    bring(project, ONE)
    (site,) = project.store.sites(ALL)
    bring(project, replace(ONE, north_m=3500, score=0.7), content="delivered again")
    assert scores(project) == [0.7]
    assert project.store.history(site.site_id)[-1].detail["scores"] == {}
    assert_rebuilds(project)


def test_clip_inside_replaces_what_it_saw_in_full(project: Project) -> None:
    outside = replace(ONE, east_m=4200, north_m=4200, score=0.8)
    bring(project, ONE, outside)
    bring(project, content="small", side_m=2800)
    assert scores(project) == [0.8]
    assert_rebuilds(project)


def test_two_files_of_one_product_in_one_run(project: Project, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("west.tif", "east.tif")]
    for file in files:
        file.write_text(file.name)
    clips = [
        FakeScene("s", DAY, (replace(ONE, east_m=400 + 3000 * k),), file=file, observed_share=0.5)
        for k, file in enumerate(files)
    ]
    run = write_run_folder(tmp_path / "run", clips)
    import_into(project, ImportRequest(runs=(run,)))
    assert len(scores(project)) == 2
    assert {tile.observed_share for tile in project.store.tiles()} == {1.0}, "each saw a half of each tile"
    assert_rebuilds(project)


def test_clips_that_meet_inside_a_tile_both_speak() -> None:
    west, east = Claim("w", {"1": 1.0, "2": 0.5}), Claim("e", {"2": 0.5, "3": 1.0})
    assert superseded_tiles([west, east]) == {"w": set(), "e": set()}


def test_stronger_claim_takes_full_tiles_and_all_where_it_looked_at_all() -> None:
    weak = Claim("weak", {"1": 0.4, "2": 1.0, "3": 1.0})
    inside = Claim("inside", {"1": 0.2, "2": 0.95})
    assert superseded_tiles([weak, inside])["weak"] == {"2"}
    again = Claim("again", {"1": 0.1, "2": 1.0, "3": 0.8, "4": 1.0})
    assert superseded_tiles([weak, inside, again]) == {
        "weak": {"1", "2", "3"},
        "inside": {"1", "2"},
        "again": set(),
    }
