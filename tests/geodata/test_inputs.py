"""What a person named is opened and checked before the first scene is run; every problem is told at once."""

from pathlib import Path

import pytest
from rasters import noise, utm_transform, write_raster

from geodata.errors import ProblemsError
from geodata.sources.files import OpenOptions
from geodata.sources.inputs import check_scenes

OPTIONS = OpenOptions()


def messages(paths: list[Path]) -> list[str]:
    return [problem.message for problem in check_scenes(paths, OPTIONS).problems]


def test_files_and_folders_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    last = write_raster(tmp_path / "z.tif", noise(seed=3))
    second = write_raster(tmp_path / "b" / "2.tif", noise(seed=2))
    first = write_raster(tmp_path / "b" / "1.TIF", noise(seed=1))
    (tmp_path / "b" / "2.tif.aux.xml").write_text("<PAMDataset/>")
    checked = check_scenes([tmp_path / "b", last], OPTIONS)
    assert [scene.path for scene in checked.good] == [first, second, last]
    assert checked.problems == checked.warnings == ()
    assert checked.good[0].info.name == "1.TIF"
    checked.raise_problems()


def test_every_problem_is_listed_and_the_good_ones_are_there(tmp_path: Path) -> None:
    good = write_raster(tmp_path / "good.tif", noise())
    coarse = write_raster(tmp_path / "coarse.tif", noise(), transform=utm_transform(120))
    nowhere = write_raster(tmp_path / "nowhere.tif", noise(), crs=None)
    (tmp_path / "empty").mkdir()
    checked = check_scenes([coarse, good, nowhere, tmp_path / "empty", tmp_path / "no.tif"], OPTIONS)
    assert [scene.path for scene in checked.good] == [good]
    assert {problem.path.name for problem in checked.problems} == {
        "coarse.tif",
        "nowhere.tif",
        "empty",
        "no.tif",
    }
    with pytest.raises(ProblemsError) as caught:
        checked.raise_problems()
    assert len(caught.value.problems) == 4
    assert all("\n" not in problem for problem in caught.value.problems)


def test_an_empty_folder_and_one_without_rasters(tmp_path: Path) -> None:
    assert "is empty" in messages([tmp_path])[0]
    (tmp_path / "notes.txt").write_text("")
    assert "has no raster in it" in messages([tmp_path])[0]


def test_a_mixed_folder_runs_its_rasters_and_names_the_rest(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif", noise())
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "older").mkdir()
    (tmp_path / ".hidden").write_text("")
    checked = check_scenes([tmp_path], OPTIONS)
    assert len(checked.good) == 1
    assert checked.problems == ()
    assert "left out: notes.txt, older." in checked.warnings[0]


def test_a_raster_by_name_only_is_a_problem_in_a_folder_too(tmp_path: Path) -> None:
    write_raster(tmp_path / "a.tif", noise())
    (tmp_path / "b.tif").write_text("no raster")
    assert ["b.tif" in message for message in messages([tmp_path])] == [True]


def test_a_file_named_twice_is_a_problem_however_it_is_named(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise())
    (tmp_path / "link.tif").symlink_to(path)
    for paths in ([path, path], [path, tmp_path / "x" / ".." / "a.tif"], [tmp_path, path]):
        (tmp_path / "x").mkdir(exist_ok=True)
        told = messages(paths)
        assert len(told) == 1
        assert "is named twice; name each scene once" in told[0]


def test_copies_of_one_file_are_named(tmp_path: Path) -> None:
    paths = [write_raster(tmp_path / f"{name}.tif", noise()) for name in "ab"]
    checked = check_scenes(paths, OPTIONS)
    assert len(checked.good) == 2
    assert "have the same content" in checked.warnings[0]


def test_warnings_of_the_scenes_come_along(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(), names=None)
    assert "does not name its bands" in check_scenes([path], OPTIONS).warnings[0]
