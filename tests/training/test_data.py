"""The scenes and labels that a run file names: what cannot be is said in one sentence."""

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.errors import InputError  # noqa: E402
from geodata.painter import paint_scene, write_painted  # noqa: E402
from training.config import Data  # noqa: E402
from training.data import Labels, open_scenes, read_labels, resolve  # noqa: E402


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
