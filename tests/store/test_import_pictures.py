"""Pictures are cut at import, from imagery that may have moved, and the command tells what came in."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from make_project import DAY, SOUTH, WEST, FakeScene, Kiln, write_run_folder
from PIL import Image
from typer.testing import CliRunner

from app.cli.import_ import register
from app.services.importing import ImportRequest, ImportResult, import_into
from app.services.project import Project, open_project
from geodata.errors import InputError
from geodata.painter import PaintedScene
from geodata.painter.write import write_scene
from geodata.store.records import SiteFilter

EVERYTHING = SiteFilter(above_threshold_only=False)


@dataclass
class Desk:
    """A project, a run on a painted scene, and the warnings so far."""

    project: Project
    run: Path
    scene: Path
    warnings: list[str]

    def bring(self, *folders: Path) -> ImportResult:
        self.warnings.clear()
        request = ImportRequest(runs=(self.run,), scene_folders=folders, warn=self.warnings.append)
        return import_into(self.project, request)


@pytest.fixture
def desk(tmp_path: Path, painted_scene: PaintedScene) -> Iterator[Desk]:
    (tmp_path / "imagery").mkdir()
    scene = write_scene(painted_scene, tmp_path / "imagery" / "scene.tif", DAY)
    lon, lat = painted_scene.grid.lonlat(150, 150)
    east, north = (float(lon) - WEST) * 107_550, (float(lat) - SOUTH) * 110_650
    kilns = (Kiln(east, north, 0.9), Kiln(east + 500, north, 0.35), Kiln(east, north + 500, 0.06))
    found = FakeScene("painted", DAY, kilns, file=scene)
    # the run's coverage lies at the painted scene's place
    run = write_run_folder(tmp_path / "run", (found,), around=(float(lon), float(lat)), side_m=2000)
    with open_project(tmp_path / "project", create=True) as project:
        yield Desk(project, run, scene, [])


def test_sites_and_queued_tiles_get_pictures(desk: Desk) -> None:
    result = desk.bring()
    assert desk.warnings == []
    counts = desk.project.store.counts()
    assert counts.queued > 0 and result.pictures == counts.queued + 2
    pictures = list(desk.project.pictures.iterdir())
    assert len(pictures) == result.pictures
    strong, near, faint = sorted(desk.project.store.sites(EVERYTHING), key=lambda site: -(site.score or 0))
    for site in (strong, near, faint):
        assert site.picture is not None and site.picture_corners is not None
        (west, north), (east, _), (_, south), _ = site.picture_corners
        assert west < site.lon < east and south < site.lat < north
        path = desk.project.picture_path(site.picture)
        assert path is not None and Image.open(path).size[0] == 384
        assert site.attribution_year == DAY.year
    with desk.project.store.reading() as connection:
        tiles = (
            connection.exec_driver_sql("SELECT path FROM pictures JOIN queue ON token = what").scalars().all()
        )
    assert faint.picture in tiles and strong.picture not in tiles and near.picture not in tiles
    assert not any(site.site_id in path.name for path in pictures for site in (strong, near, faint))


def test_second_import_cuts_nothing_again(desk: Desk) -> None:
    desk.bring()
    before = {path: path.stat().st_mtime_ns for path in desk.project.pictures.iterdir()}
    assert desk.bring() == ImportResult(0, 1, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in desk.project.pictures.iterdir()} == before


def test_imagery_that_moved_is_a_warning_and_can_be_given_later(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    shutil.move(desk.scene, tmp_path / "moved" / "scene.tif")
    assert desk.bring().pictures == 0
    (warning,) = desk.warnings
    assert "scene.tif" in warning and "--scenes FOLDER" in warning
    assert {site.picture for site in desk.project.store.sites(EVERYTHING)} == {None}
    again = desk.bring(tmp_path / "moved")
    assert again.runs_new == 0 and again.pictures > 2 and desk.warnings == []
    assert all(site.picture for site in desk.project.store.sites(EVERYTHING))


def test_run_and_scene_that_moved_together_are_found(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    shutil.move(desk.scene, tmp_path / "disk" / "scene.tif")
    desk.run = shutil.move(desk.run, tmp_path / "disk" / "run")
    assert desk.bring().pictures > 2 and desk.warnings == []


def test_the_project_does_not_learn_where_the_imagery_lies(desk: Desk, tmp_path: Path) -> None:
    assert desk.bring().pictures > 2
    files = [path for path in desk.project.folder.rglob("*") if path.is_file()]
    assert [path for path in files if str(tmp_path).encode() in path.read_bytes()] == []


def test_other_bytes_under_the_same_name_are_not_that_scene(desk: Desk) -> None:
    with desk.scene.open("ab") as file:
        file.write(b"more")
    assert desk.bring().pictures == 0
    assert "is not the file that was run" in desk.warnings[0]


def test_project_lives_on_without_run_folder_and_imagery(desk: Desk, tmp_path: Path) -> None:
    desk.bring()
    shutil.rmtree(desk.run)
    shutil.rmtree(tmp_path / "imagery")
    before = desk.project.store.sites(EVERYTHING)
    desk.project.rebuild()
    assert desk.project.store.sites(EVERYTHING) == before


def test_picture_paths_stay_inside_the_project(desk: Desk) -> None:
    assert desk.project.picture_path("kilnlight.sqlite") is None
    assert desk.project.picture_path("pictures/../kilnlight.sqlite") is None


def _command() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return app


def test_command_says_what_came_in(desk: Desk, tmp_path: Path) -> None:
    marks = tmp_path / "marks.csv"
    tile = desk.project.store.tiles()[0].tile_id if desk.project.store.tiles() else "15/22573/15000"
    marks.write_text(f"volunteer_id,tile_id,answer,lon,lat,seen_at\nann,{tile},none,,,2024-02-01T10:00:00Z\n")
    folder = tmp_path / "new"
    arguments = ["import", str(desk.run), "--marks", str(marks), "--project", str(folder)]
    result = CliRunner().invoke(_command(), arguments)
    assert result.exit_code == 0, result.output
    assert "Runs: 1 new. Looks of volunteers: 1 new." in result.output
    assert "1 possible kilns and 2 candidates" in result.output
    again = CliRunner().invoke(_command(), arguments)
    assert "Runs: 0 new (1 known already). Looks of volunteers: 0 new." in again.output


def test_command_without_anything_to_import(tmp_path: Path) -> None:
    result = CliRunner().invoke(_command(), ["import", "--project", str(tmp_path / "p")])
    assert isinstance(result.exception, InputError) and "Nothing to import" in str(result.exception)
    assert not (tmp_path / "p").exists()


def test_bad_input_makes_no_project(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = CliRunner().invoke(
        _command(), ["import", str(tmp_path / "empty"), "--project", str(tmp_path / "p")]
    )
    assert isinstance(result.exception, InputError) and "no finished run" in str(result.exception)
    assert not (tmp_path / "p").exists()
