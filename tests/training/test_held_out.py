"""Held-out detections are kept, as a table and as a report; no net is trained for it."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely

from detection.coverage import Observed
from detection.evaluate.sample import match_sample
from detection.scan import Scan
from geodata.errors import InputError
from geodata.files import write_bytes_atomic
from geodata.labels.kilns import NO_PLACES, KilnLabels
from geodata.obb import Boxes
from geodata.painter import paint_scene, write_painted
from geodata.sources.files import FileScene, open_scene
from geodata.tables.held_out import HELD_OUT, read_held_out
from geodata.tiles import observed_shares
from training.data import Labels
from training.folds import Fold
from training.held_out import About, keep_held_out, part_sample

SIDE = 256


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("held")
    write_painted(paint_scene(3, SIDE, SIDE, n_kilns=4), folder)
    with open_scene(folder / "made_up.tif") as opened:
        yield opened


def boxes_at(scene: FileScene, *pixels: tuple[float, float]) -> Boxes:
    col, row = np.array(pixels, dtype=float).reshape(-1, 2).T
    n = len(pixels)
    return Boxes(*scene.info.grid.lonlat(col, row), np.full(n, 120.0), np.full(n, 60.0), np.full(n, 30.0))


def half(first: int, last: int) -> Fold:
    shape = shapely.box(first, 0, last, SIDE)
    return Fold({"made_up.tif": shape}, {"made_up.tif": shape})


def parts_of(scene: FileScene):
    """Kilns left and right of the middle; the net of either half finds one kiln of its own and an alarm."""
    kilns = boxes_at(scene, (40.5, 40.5), (90.5, 200.5), (200.5, 40.5), (220.5, 200.5))
    labels = Labels(KilnLabels(kilns, np.zeros(4, bool), np.full(4, "unknown", object)), NO_PLACES)
    found = boxes_at(scene, (41.5, 40.5), (60.5, 120.5), (200.5, 42.5), (150.5, 120.5))
    result = Scan(scene.info, found, np.array([0.9, 0.3, 0.8, 0.6]), Observed(observed_shares(scene)))
    halves = (half(0, SIDE // 2), half(SIDE // 2, SIDE))
    return [part_sample(scene, result, labels, fold, n, "coast") for n, fold in enumerate(halves, 1)]


def test_each_part_has_its_own_kilns_detections_and_ground(scene):
    left, right = parts_of(scene)
    for part, scores, fold in ((left, [0.9, 0.3], 1), (right, [0.8, 0.6], 2)):
        assert part.detections.score.tolist() == scores
        assert part.truth.kilns == 2 and match_sample(part).hit.tolist() == [True, False]
        assert part.regions[0].fold == fold and part.regions[0].land == "coast"
        assert "its part in fold" in part.regions[0].name
    whole = Observed(observed_shares(scene)).km2
    assert left.area_km2 + right.area_km2 == pytest.approx(whole)
    assert left.kilns.names == ("1", "2") and right.kilns.names == ("3", "4")


def test_ground_that_was_not_seen_is_that_of_the_part_where_it_lies(tmp_path: Path):
    """The left quarter is nodata: all of it in the left half, of which one half is left."""
    path = write_painted(paint_scene(3, SIDE, SIDE, n_kilns=4), tmp_path).scene
    with rasterio.open(path, "r+") as file:
        pixels = file.read()
        pixels[:, :, : SIDE // 4] = file.nodata
        file.write(pixels)
    with open_scene(path) as opened:
        left, right = parts_of(opened)
        whole = Observed(observed_shares(opened)).km2
    assert right.area_km2 == pytest.approx(2 * left.area_km2, rel=1e-6)
    assert left.area_km2 + right.area_km2 == pytest.approx(whole)


def about() -> About:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return About("net", 0.5, "best on the pool", ("my labels",), "nobody", "kilnlight train RUN.toml", at)


def test_the_table_and_the_report_hold_every_held_out_detection(scene, tmp_path: Path):
    page = keep_held_out(tmp_path, parts_of(scene), about(), {"made_up.tif": scene})
    assert page == tmp_path / "report" / "report.html" and "Made-up imagery" in page.read_text()
    table = read_held_out(tmp_path / HELD_OUT)
    assert table["outcome"].tolist() == ["hit", "false_alarm", "hit", "false_alarm"]
    assert table["fold"].tolist() == [1, 1, 2, 2] and table["kiln"].dropna().tolist() == ["1", "3"]
    # too few to calibrate anything
    assert table["probability"].isna().all()
    content = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [one["fold"] for one in content["folds"]["travel"]] == [1, 2]
    assert content["by_land"][0]["name"] == "coast" and content["kilns"] == 4
    assert content["training_ground"].startswith("The scenes are training data")
    assert not content["scored_on_training_ground"]


def test_a_table_that_was_changed_is_refused(tmp_path: Path):
    write_bytes_atomic(tmp_path / HELD_OUT, b"no table")
    with pytest.raises(InputError, match="held_out"):
        read_held_out(tmp_path / HELD_OUT)
