"""The scenes and labels that a run file names: what cannot be is said in one sentence."""

import json
import os
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from PIL import Image

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.errors import InputError  # noqa: E402
from geodata.painter import paint_scene, write_painted  # noqa: E402
from geodata.scene import Window  # noqa: E402
from geodata.sources import files  # noqa: E402
from geodata.sources.files import open_scene  # noqa: E402
from geodata.sources.whole import open_raster  # noqa: E402
from training.config import Data  # noqa: E402
from training.data import Labels, border_px, open_scenes, read_labels, resolve  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painted scene `made_up.tif` and its labels, and labels of land 50 km off."""
    folder = tmp_path_factory.mktemp("data")
    painted = paint_scene(5, 128, 128, n_kilns=3)
    write_painted(painted, folder)
    there = replace(painted.grid, transform=Affine.translation(50_000, 0) @ painted.grid.transform)
    lon, lat = there.lonlat(*painted.grid.pixel(painted.kilns.lon, painted.kilns.lat))
    moved = replace(painted, grid=there, kilns=replace(painted.kilns, lon=lon, lat=lat))
    write_painted(moved, folder, name="elsewhere")
    return folder


def data(**changes: object) -> Data:
    values = {"scenes": ("made_up.tif",), "labels": "made_up_kilns.geojson", **changes}
    return Data(**values)  # type: ignore[arg-type]


def opened(data: Data, base: Path) -> tuple[list[str], Labels]:
    labels = read_labels(data, base)
    with ExitStack() as stack:
        return list(open_scenes(data, base, labels, stack)), labels


def test_patterns_open_every_scene_that_fits(folder: Path) -> None:
    names, labels = opened(data(scenes=("*.tif",)), folder)
    assert names == ["elsewhere.tif", "made_up.tif"] and len(labels.whole) == 3


def test_labels_that_meet_no_scene_are_refused_with_both_extents(folder: Path) -> None:
    with pytest.raises(InputError) as refused:
        opened(data(labels="elsewhere_kilns.geojson"), folder)
    said = str(refused.value)
    # the scene begins at 88.0 degrees east, the labels lie half a degree on
    assert "elsewhere_kilns.geojson" in said and "88.0" in said and "88.4" in said


def test_kilns_cut_by_an_edge_are_neither_learnt_nor_taken_as_empty_land(folder: Path) -> None:
    labels = json.loads((folder / "made_up_kilns.geojson").read_text())
    labels["features"][1]["properties"]["cut_by_edge"] = True
    (folder / "cut.geojson").write_text(json.dumps(labels))
    (folder / "places.csv").write_text("lon,lat\n88.001,11.999\n")
    read = read_labels(data(labels="cut.geojson", ignore="places.csv"), folder)
    boxes = read.kilns.boxes
    np.testing.assert_allclose(read.whole.lon, boxes.lon[[0, 2]])
    np.testing.assert_allclose(read.ignored(), [[88.001, boxes.lon[1]], [11.999, boxes.lat[1]]])
    lesson = read.lesson(None)
    np.testing.assert_allclose(lesson.kilns.boxes.lon, boxes.lon[[0, 2]])
    np.testing.assert_allclose(lesson.ignored.lon, [88.001, boxes.lon[1]])


def test_labels_of_several_files_are_learnt_ignored_or_shown_as_none_by_their_probability(
    folder: Path,
) -> None:
    rows = (
        "a,88.001,11.999,0.6,",
        "b,88.002,11.999,0.03,",
        "c,88.003,11.999,,",
        "d,88.004,11.999,0,2023-11-15",
    )
    (folder / "soft.csv").write_text("\n".join(["id,lon,lat,probability,valid_from", *rows]))
    labels = read_labels(data(labels=["made_up_kilns.geojson", "soft.csv"]), folder)
    boxes = labels.kilns.boxes
    assert len(labels.whole) == 3 and len(boxes) == 7
    late, early, undated = (
        labels.lesson(at) for at in (datetime(2024, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC), None)
    )
    for lesson in (late, early, undated):
        np.testing.assert_array_equal(lesson.kilns.probability, [1, 1, 1, 0.6])
        assert list(lesson.kilns.size_known) == [True, True, True, False]
    # what is gone since November is none later; of a scene before, or without a date, nothing is known
    np.testing.assert_allclose(late.negatives.lon, [88.002, 88.004])
    np.testing.assert_allclose(late.ignored.lon, [88.003])
    for lesson in (early, undated):
        np.testing.assert_allclose(lesson.negatives.lon, [88.002])
        np.testing.assert_allclose(lesson.ignored.lon, [88.003, 88.004])
    # scored are the sure ones; what is found at a soft label, or at one that held once, is excused
    truth = labels.truth(np.ones(7, bool), np.ones(7, bool))
    assert truth.kilns == 3
    np.testing.assert_allclose(truth.place_lon, [88.001, 88.002, 88.003, 88.004])


def test_a_folder_of_published_tiles_is_opened_without_keeping_its_files_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"28.7354_{77.3558 + k / 10:.4f}.png" for k in range(3)]
    pixels = np.random.default_rng(0).integers(1, 255, (128, 128, 3), np.uint8)
    (tmp_path / "tiles" / "images").mkdir(parents=True)
    for name in names:
        Image.fromarray(pixels).save(tmp_path / "tiles" / "images" / name)
    (tmp_path / "kilns.csv").write_text("lon,lat\n77.3558,28.7354\n")
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    settings = data(scenes=("tiles",), labels="kilns.csv")
    with ExitStack() as stack:
        scenes = open_scenes(settings, tmp_path, read_labels(settings, tmp_path), stack)
        assert list(scenes) == names
        if before:
            assert len(os.listdir("/proc/self/fd")) <= before + 1
        for _ in range(2):
            patch = scenes[names[1]].read(Window(0, 0, 128, 128))
            np.testing.assert_array_equal(patch.pixels, pixels.transpose(2, 0, 1))
        opened = []
        monkeypatch.setattr(files, "open_raster", lambda path: opened.append(path) or open_raster(path))
        with open_scene(tmp_path / "tiles" / "images" / names[1]) as same:
            assert scenes[names[1]].stats() == same.stats()
        # once by hand, once for all rows of the statistics
        assert len(opened) == 2
    assert border_px(names[0], settings) == 8 and border_px("scene.tif", settings) == 0


@pytest.mark.parametrize(
    ("scenes", "said"),
    [
        (("missing_*.tif",), "No scene fits missing_"),
        (("$KILNLIGHT_NO_SUCH_PLACE/a.tif",), "does not set it"),
        (("made_up.tif", "copy/made_up.tif"), "Two scenes are called made_up.tif"),
    ],
)
def test_scenes_that_cannot_be_used_are_named(folder: Path, scenes: tuple[str, ...], said: str) -> None:
    (folder / "copy").mkdir(exist_ok=True)
    painted = paint_scene(6, 128, 128, n_kilns=3)
    write_painted(painted, folder / "copy")
    with pytest.raises(InputError, match=said):
        opened(data(scenes=scenes), folder)


def test_paths_may_name_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KILNLIGHT_DATA", str(tmp_path))
    assert resolve("$KILNLIGHT_DATA/a.tif", Path("base")) == tmp_path / "a.tif"
    assert resolve("a.tif", Path("base")) == Path("base/a.tif")
