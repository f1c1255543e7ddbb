"""`kilnlight detect` enlarges land with smaller kilns outside the model's area, finds more, and says so."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from painted_files import AT, kilnlight
from rasterio.enums import Resampling

from geodata.grid import Grid
from geodata.near import pairs_within
from geodata.painter import PaintedScene, paint_scene
from geodata.painter.scene import sea_grid
from geodata.painter.write import write_scene
from geodata.tables.detections import boxes_of, read_detections

pytestmark = pytest.mark.slow

SHARE = 0.6
SIDE = 1000


@pytest.fixture(scope="module")
def painted() -> PaintedScene:
    return paint_scene(21, SIDE, SIDE, 60, crs="4326", with_look_alikes=False)


@pytest.fixture(scope="module")
def smaller(painted: PaintedScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The painted scene as if all of it were smaller: as many pixels less, of the same size on the ground."""
    path = write_scene(painted, tmp_path_factory.mktemp("smaller") / "smaller.tif", AT)
    side = round(SIDE * SHARE)
    with rasterio.open(path) as file:
        pixels = file.read(out_shape=(3, side, side), resampling=Resampling.average)
        profile, names, tags = file.profile | {"width": side, "height": side}, file.descriptions, file.tags()
    with rasterio.open(path, "w", **profile) as out:
        out.write(pixels)
        out.update_tags(**tags)
        for band, name in enumerate(names, start=1):
            out.set_band_description(band, name)
    return path


def found(painted: PaintedScene, scene: Path, out: Path, *options: object) -> tuple[set[int], float, str]:
    """Which kilns of the painted scene were found, the zoom in run.json, and what was said."""
    done = kilnlight("detect", scene, "--out", out, *options)
    assert done.exit_code == 0, done.output
    record = json.loads((out / "run.json").read_text())
    boxes = boxes_of(read_detections(out / "detections.parquet"))
    at = np.stack(painted.grid.pixel(painted.kilns.lon, painted.kilns.lat)) * SHARE
    with rasterio.open(scene) as file:
        grid = Grid(file.crs, file.transform, file.width, file.height)
    hits, _, _ = pairs_within(grid.lonlat(*at), (boxes.lon, boxes.lat), 60.0)
    return set(hits.tolist()), record["inputs"][0]["zoom"], done.output


def test_far_from_home_smaller_kilns_are_enlarged_and_more_are_found(
    painted: PaintedScene, smaller: Path, tmp_path: Path
) -> None:
    plain, none, _ = found(painted, smaller, tmp_path / "plain", "--zoom", 1)
    nearer, chosen, said = found(painted, smaller, tmp_path / "nearer")
    assert none == 1.0 and 1.1 < chosen <= 1.5
    assert len(nearer) > len(plain)
    assert "m long here" in said and f"{chosen} times" in said and "--zoom 1" in said


def test_in_the_models_area_nothing_is_enlarged_unless_it_is_asked_for(
    painted: PaintedScene, smaller: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home.tif"
    home.write_bytes(smaller.read_bytes())
    step = sea_grid(1, 1, "4326").transform.a
    with rasterio.open(home, "r+") as file:
        file.transform = Affine(step, 0, 77.0, 0, -step, 28.6)
    _, zoom, said = found(painted, home, tmp_path / "run")
    assert zoom == 1.0 and "m long here" not in said
    _, zoom, _ = found(painted, home, tmp_path / "asked", "--zoom", 1.3)
    assert zoom == 1.3


def test_the_report_says_that_land_was_enlarged(painted: PaintedScene, smaller: Path, tmp_path: Path) -> None:
    at = np.stack(painted.grid.pixel(painted.kilns.lon, painted.kilns.lat)) * SHARE
    with rasterio.open(smaller) as file:
        grid = Grid(file.crs, file.transform, file.width, file.height)
    lon, lat = grid.lonlat(*at)
    rows = "".join(f"{x:.7f},{y:.7f}\n" for x, y in zip(lon, lat, strict=True))
    (tmp_path / "kilns.csv").write_text("lon,lat\n" + rows)
    figures = {}
    for name, options in (("chosen", ()), ("plain", ("--zoom", 1))):
        command = ("evaluate", smaller, "--labels", tmp_path / "kilns.csv", "--pictures", 0, "--json")
        done = kilnlight(*command, "--report", tmp_path / name, *options)
        assert done.exit_code == 0, done.output
        figures[name] = json.loads((tmp_path / name / "report.json").read_text())
        page = (tmp_path / name / "report.html").read_text()
        assert ("times enlarged" in page) == (name == "chosen")
    recall = {name: one["figures"][1]["recall"] for name, one in figures.items()}
    assert recall["chosen"] > recall["plain"]


def test_kilns_as_large_as_at_home_are_left_as_they_are(painted: PaintedScene, tmp_path: Path) -> None:
    scene = write_scene(painted, tmp_path / "as-large.tif", AT)
    done = kilnlight("detect", scene, "--out", tmp_path / "run")
    assert done.exit_code == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text())["inputs"][0]["zoom"] == 1.0


@pytest.mark.parametrize("zoom", ["0.5", "9", "big"])
def test_a_zoom_that_makes_no_sense_is_refused(zoom: str, tmp_path: Path) -> None:
    done = kilnlight("detect", "a.tif", "--out", tmp_path, "--zoom", zoom)
    assert done.exit_code == 2 and "--zoom" in done.output
