"""`kilnlight evaluate --report`, `--against`, `--land`, and the refusal of training ground."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import shapely
from painted_files import AT, SIDE, kilnlight, painted, write
from test_evaluate_command import BUNDLE, HIGH, LOW, boxes_at, write_labels, write_run

from detection.bundle import (
    Calibration,
    Card,
    Domain,
    TrainingBlock,
    load_bundle,
    shipped_bundle_path,
    write_card,
)
from detection.training_ground import blocks_of_scene, trained_on
from geodata.grid import Grid
from geodata.sources.files import open_scene
from geodata.tiles import footprint


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Path:
    """Three kilns and two runs: `good` finds all and nothing else, `bad` one, and a false alarm."""
    base = tmp_path_factory.mktemp("report")
    scene = write(base / "scene.tif")
    kilns = boxes_at((20.5, 20.5), (64.5, 64.5), (100.5, 30.5))
    write_labels(base / "kilns.geojson", kilns)
    write_run(base / "good", scene, kilns, [HIGH, HIGH, HIGH])
    write_run(
        base / "bad", scene, boxes_at((21.5, 20.5), (64.5, 64.5), (20.5, 110.5)), [HIGH, LOW, HIGH - 0.01]
    )
    return base


def evaluate(case: Path, run: str, *more: object) -> object:
    return kilnlight(
        *("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--run", case / run, *more)
    )


def bundle_trained_on(folder: Path, *blocks: TrainingBlock) -> Path:
    """The shipped bundle with a card that lists its training ground."""
    shutil.copytree(shipped_bundle_path(), folder)
    card = load_bundle(folder).card
    data = card.training_data[0].model_copy(update={"blocks": blocks})
    write_card(folder, card.model_copy(update={"training_data": (data,)}))
    return folder


def scene_block(scene: Path, first: int = 0, last: int = SIDE) -> TrainingBlock:
    with open_scene(scene) as opened:
        grid = opened.info.grid
    corner = grid.transform @ type(grid.transform).translation(first, 0)
    return blocks_of_scene("train_x.tif", Grid(grid.crs, corner, last - first, grid.height))[0]


def test_the_report_has_figures_pictures_and_the_other_model(case, tmp_path):
    done = evaluate(
        *(case, "bad", "--report", tmp_path / "r", "--against", case / "good", "--land", "coast=scene.*")
    )
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "r" / "report.html") in done.output.replace("\n", "")
    content = json.loads((tmp_path / "r" / "report.json").read_text())
    assert [group["name"] for group in content["by_land"]] == ["coast"]
    differences = {one["name"]: one for one in content["comparison"]["differences"]}
    assert differences["recall"]["difference"]["value"] == pytest.approx(-2 / 3)
    only = content["comparison"]["kilns_only_the_other_finds"]
    assert sorted((one["col"], one["row"]) for one in only) == [(64, 64), (100, 30)]
    assert content["comparison"]["kilns_only_this_model_finds"] == []
    outcomes = [one["outcome"] for one in content["outcomes"]]
    assert sorted(outcomes) == ["false_alarm", "hit", "missed", "missed"]
    faint = next(one for one in content["outcomes"] if one["outcome"] == "missed" and one["score"])
    assert (faint["col"], faint["row"]) == (64, 64) and faint["score"] == pytest.approx(LOW)
    page = (tmp_path / "r" / "report.html").read_text()
    assert page.count("data:image/jpeg") == 4 + 2 and "Made-up imagery" in page


def test_a_run_against_itself_differs_in_nothing(case, tmp_path):
    done = evaluate(case, "bad", "--report", tmp_path, "--against", case / "bad", "--pictures", 0)
    assert done.exit_code == 0, done.output
    differences = json.loads((tmp_path / "report.json").read_text())["comparison"]["differences"]
    assert all(one["difference"]["value"] == 0 and one["p"] in (1, None) for one in differences)


def test_a_run_that_kept_no_candidates_is_not_compared_by_its_curves(case, tmp_path):
    found = boxes_at((21.5, 20.5), (64.5, 64.5), (20.5, 110.5))
    write_run(tmp_path / "cut", case / "scene.tif", found, [HIGH, LOW, HIGH - 0.01], candidates=False)
    done = evaluate(
        *(case, "good", "--report", tmp_path / "r", "--against", tmp_path / "cut", "--pictures", 0)
    )
    assert done.exit_code == 0 and "kept nothing below the threshold" in done.output
    content = json.loads((tmp_path / "r" / "report.json").read_text())
    names = {one["name"] for one in content["comparison"]["differences"]}
    assert names == {"f1", "precision", "recall", "false_per_1000_km2"}
    assert "kept nothing below the threshold" in (tmp_path / "r" / "report.html").read_text()


def test_ground_that_the_model_was_trained_on_is_refused(case, tmp_path):
    model = bundle_trained_on(tmp_path / "model", scene_block(case / "scene.tif", 0, SIDE // 4))
    command = ("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--model", model)
    done = kilnlight(*command, "--report", tmp_path / "r")
    assert done.exit_code == 2 and not (tmp_path / "r").exists()
    (line,) = [line for line in done.output.splitlines() if line.startswith("kilnlight: ")]
    assert "25 % of scene.tif" in line and "--allow-training-data" in line
    done = kilnlight(*command, "--report", tmp_path / "r", "--allow-training-data", "--pictures", 0)
    assert done.exit_code == 0, done.output
    assert "NOT A TEST" in done.output
    content = json.loads((tmp_path / "r" / "report.json").read_text())
    assert content["scored_on_training_ground"] is True
    assert content["regions"][0]["share_of_training_ground"] == pytest.approx(0.25, abs=0.01)
    assert "NOT A TEST" in (tmp_path / "r" / "report.html").read_text()
    figures = json.loads(kilnlight(*command, "--allow-training-data", "--json").stdout)
    assert figures["share_of_training_ground"] == {"scene.tif": pytest.approx(0.25, abs=0.01)}


def test_the_other_models_ground_is_refused_too(case, tmp_path):
    model = bundle_trained_on(tmp_path / "model", scene_block(case / "scene.tif"))
    done = evaluate(case, "good", "--report", tmp_path / "r", "--against", model)
    assert done.exit_code == 2 and "100 % of scene.tif" in done.output


def test_ground_beside_the_scene_is_no_training_ground():
    grid = painted().grid
    beside = Grid(grid.crs, grid.transform @ type(grid.transform).translation(SIDE, 0), SIDE, SIDE)
    assert not trained_on(blocks_of_scene("east.tif", beside), grid).any
    same = blocks_of_scene("same.tif", grid)
    assert trained_on(same * 2, grid).share == pytest.approx(1, abs=1e-3)
    assert trained_on(same, grid).scenes == ("same.tif",)


def test_what_was_kept_for_a_test_is_no_training_ground():
    grid = painted().grid
    hole = shapely.box(SIDE / 4, SIDE / 4, SIDE / 2, SIDE / 2)
    blocks = blocks_of_scene("s.tif", grid, hole)
    assert len(blocks) == len(blocks[0].holes) == 1
    assert trained_on(blocks, grid).share == pytest.approx(15 / 16, abs=1e-3)
    cut = blocks_of_scene("s.tif", grid, shapely.box(SIDE / 4, -9, SIDE / 2, 2 * SIDE))
    assert len(cut) == 2 and trained_on(cut, grid).share == pytest.approx(3 / 4, abs=1e-3)


def test_the_runs_own_bundle_can_be_named_and_no_other(case, tmp_path):
    other = bundle_trained_on(tmp_path / "model", scene_block(case / "scene.tif"))
    done = evaluate(case, "good", "--model", other)
    assert done.exit_code == 2 and "not from" in done.output
    assert evaluate(case, "good", "--model", shipped_bundle_path(), "--json").exit_code == 0


def test_cards_from_before_still_load_and_say_nothing_of_the_ground(case, tmp_path):
    old = BUNDLE.card.model_dump(mode="json")
    for data in old["training_data"]:
        data.pop("blocks", None)
    assert Card.model_validate(old).training_data[0].blocks == ()
    done = evaluate(case, "good", "--report", tmp_path, "--pictures", 0)
    assert done.exit_code == 0, done.output
    if not any(data.blocks for data in BUNDLE.card.training_data):
        assert "does not say on what ground" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "options, says",
    [
        (("--report", "r", "--land", "city=nowhere.tif"), "nowhere.tif"),
        (("--report", "r", "--land", "city"), "city=a.tif"),
        (("--report", "r", "--against", "."), "neither a model bundle nor a run"),
        (("--against", "good"), "--report"),
    ],
    ids=["no such scene", "no files", "no model", "no report"],
)
def test_options_that_cannot_be_used(case, tmp_path, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    done = evaluate(case, "good", *options)
    assert done.exit_code == 2
    (line,) = [line for line in done.output.splitlines() if line.startswith("kilnlight: ")]
    assert says in line and not list(tmp_path.iterdir())


def test_a_chance_outside_the_domain_is_shown_as_none_of_the_models(case, tmp_path):
    done = evaluate(case, "bad", "--report", tmp_path, "--pictures", 0)
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["regions"][0]["no_probability_because"]
    assert "gives no probability here" in content["calibration"]["note"]
    assert content["calibration"]["tests"]["all candidates"]["n"] == 3


def test_a_calibration_that_holds_there_is_the_one_that_is_tested(case, tmp_path):
    west, south, east, north = footprint(painted().grid).buffer(0.01).bounds
    ring = ((west, south), (east, south), (east, north), (west, north))
    local = Calibration(
        slope=1.0,
        intercept=0.0,
        n=321,
        method="reviews",
        domain=Domain(area=ring, months=(AT.month,), products=("painted",)),
    )
    folder = bundle_trained_on(tmp_path / "model")
    write_card(folder, load_bundle(folder).card.model_copy(update={"local_calibrations": (local,)}))
    done = kilnlight(
        *("evaluate", case / "scene.tif", "--labels", case / "kilns.geojson", "--model", folder),
        *("--report", tmp_path / "r", "--pictures", 0),
    )
    assert done.exit_code == 0, done.output
    content = json.loads((tmp_path / "r" / "report.json").read_text())
    assert content["regions"][0]["no_probability_because"] is None
    assert "reviews, n = 321" in content["calibration"]["note"]


def test_times_that_cannot_be_paired_are_refused(case, tmp_path):
    """A look is one time: two scenes that one run knows as one look and the other as two."""
    labels = write_labels(tmp_path / "kilns.geojson", boxes_at((20, 20)))
    scenes = write(tmp_path / "a.tif"), write(tmp_path / "b.tif", at=None)
    for name, more in (("told", ("--acquired", AT.isoformat())), ("untold", ())):
        done = kilnlight("detect", *scenes, "--out", tmp_path / name, *more)
        assert done.exit_code == 0, done.output
    done = kilnlight(
        *("evaluate", *scenes, "--labels", labels, "--run", tmp_path / "told", "--report", tmp_path / "r"),
        *("--against", tmp_path / "untold"),
    )
    assert done.exit_code == 2 and "--acquired" in done.output


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_fits_the_screen_and_asks_for_nothing(case, tmp_path, chromium, width):
    done = evaluate(case, "bad", "--report", tmp_path, "--against", case / "good")
    assert done.exit_code == 0, done.output
    page = chromium.new_page(viewport={"width": width, "height": 800})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "report.html").as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("figure svg").count() >= 8
    assert page.evaluate("[...document.querySelectorAll('image')].length") == 6
    page.close()


def test_the_ground_of_a_run_file_is_added_to_an_older_card(case, tmp_path, monkeypatch):
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "add_training_ground", Path(__file__).parents[2] / "scripts" / "add_training_ground.py"
    )
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder = bundle_trained_on(tmp_path / "model")
    run = tmp_path / "RUN.toml"
    run.write_text(f'[data]\nscenes = ["{case}/*.tif"]\nlabels = "kilns.geojson"\n[model]\nname = "m"\n')
    before, after = script.add_training_ground(run, folder)
    assert before != after == load_bundle(folder).model_id
    (block,) = load_bundle(folder).card.training_data[0].blocks
    assert block.scene == "scene.tif" and np.allclose(block.ring[0], block.ring[-1])
    assert trained_on([block], painted().grid).share == pytest.approx(1, abs=1e-3)
