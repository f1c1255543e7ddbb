"""detect, import, random reviews, calibrate, detect: chances appear where the reviews were, and hold."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from painted_files import kilnlight

from app.services.conclude import conclude
from app.services.project import Project, open_project
from app.services.review_sample import sample_progress
from detection.bundle import load_bundle, shipped_bundle_path
from detection.calibrate import probability
from detection.review_reliability import expected_calibration_error
from geodata.grid import metres_per_degree
from geodata.obb import Boxes
from geodata.painter import paint_scene
from geodata.painter.write import write_scene
from geodata.store.records import SiteFilter
from geodata.store.review_samples import latest_sample
from geodata.tables.detections import boxes_of, read_detections

SIDE, KILNS = 576, 50
NOW = datetime(2026, 1, 2, tzinfo=UTC)
EVERYTHING = SiteFilter(above_threshold_only=False)
SHIPPED = shipped_bundle_path()


def at_a_kiln(kilns: Boxes, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Whether each place lies within 100 m of a painted kiln: what a good reviewer would say."""
    east, north = metres_per_degree(12.0)
    away = np.hypot((lon[:, None] - kilns.lon) * east, (lat[:, None] - kilns.lat) * north)
    return away.min(axis=1) <= 100


class Land:
    """A painted scene on disk with its truth and what a model found in it."""

    def __init__(self, folder: Path, seed: int) -> None:
        painted = paint_scene(seed, SIDE, SIDE, KILNS)
        self.kilns, self.folder = painted.kilns, folder
        self.scene = write_scene(painted, folder / "land.tif")

    def detect(self, model: Path, name: str) -> Path:
        run = self.folder / name
        done = kilnlight("detect", self.scene, "--out", run, "--model", model, "--candidates", "--threads", 1)
        assert done.exit_code == 0, done.output
        return run

    def found(self, run: Path) -> tuple[gpd.GeoDataFrame, np.ndarray]:
        """All rows of a run with the truth of each."""
        tables = [read_detections(run / f"{name}.parquet") for name in ("detections", "candidates")]
        boxes = [boxes_of(table) for table in tables]
        truth = [at_a_kiln(self.kilns, one.lon, one.lat) for one in boxes]
        return gpd.pd.concat(tables, ignore_index=True), np.concatenate(truth)


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Land:
    return Land(tmp_path_factory.mktemp("land"), 11)


@pytest.fixture(scope="module")
def pattern(land: Land, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the shipped model's run, without a probability anywhere; copy it."""
    run = land.detect(SHIPPED, "run")
    rows, _truth = land.found(run)
    assert rows["probability"].isna().all() and len(rows) > 250
    folder = tmp_path_factory.mktemp("pattern") / "project"
    done = kilnlight("import", run, "--project", folder)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def project(pattern: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(pattern, tmp_path / "project")
    with open_project(tmp_path / "project") as opened:
        yield opened


def calibrate(project: Project, *more: object, model: Path = SHIPPED):
    return kilnlight("calibrate", "--project", project.folder, "--model", model, *more)


def review(project: Project, land: Land, sites: list[str]) -> None:
    """Say of sites what is there, as a reviewer who knows."""
    by_id = {site.site_id: site for site in project.store.sites(EVERYTHING)}
    places = np.array([(by_id[name].lon, by_id[name].lat) for name in sites]).reshape(-1, 2)
    with project.store.writing():
        for name, kiln in zip(sites, at_a_kiln(land.kilns, *places.T), strict=True):
            project.store.add_review(name, "kiln" if kiln else "not_kiln", "", "me", NOW)
        conclude(project.store)


def sampled(project: Project) -> list[str]:
    with project.store.reading() as connection:
        sample = latest_sample(connection)
    assert sample is not None
    return list(dict.fromkeys(item.drawn.unit.site_id for item in sample.items))


def one_sentence(done) -> str:
    assert done.exit_code == 2, done.output
    (line,) = [line for line in done.output.splitlines() if line.startswith("kilnlight:")]
    return line


def test_from_scores_alone_to_chances_that_hold(project: Project, land: Land, tmp_path: Path) -> None:
    assert {site.probability for site in project.store.sites(EVERYTHING)} == {None}
    drawn = calibrate(project, "--sample", 250, "--scenes", land.folder)
    assert drawn.exit_code == 0, drawn.output
    sites = sampled(project)
    assert f"0 of {len(sites)} places done" in drawn.output
    assert all(project.store.site(name).picture for name in sites), "faint places get a picture of their own"
    review(project, land, sites)
    before = {path.name: path.read_bytes() for path in SHIPPED.iterdir()}
    out = tmp_path / "models" / "here"
    done = calibrate(project, "--out", out)
    assert done.exit_code == 0, done.output
    assert {path.name: path.read_bytes() for path in SHIPPED.iterdir()} == before
    old, new = load_bundle(SHIPPED), load_bundle(out)
    assert new.model_id != old.model_id and new.model_id in done.output
    assert new.card.files == old.card.files and new.card.threshold == old.card.threshold
    assert new.card.calibration == old.card.calibration and new.card.domain == old.card.domain
    (local,) = new.card.local_calibrations
    assert local.n >= len(sites) and local.slope > 0 and local.domain is not None
    assert (local.domain.months, local.domain.products) == ((11,), ("painted",))
    assert sum("calibration error" in figure.name for figure in new.card.figures) == 4

    run = land.detect(out, "recalibrated")
    rows, _ = land.found(run)
    assert rows["probability"].notna().all()
    imported = kilnlight("import", run, "--project", project.folder)
    assert imported.exit_code == 0, imported.output
    shown = [site for site in project.store.sites(EVERYTHING) if site.score is not None]
    assert shown and all(site.probability is not None for site in shown)

    # land that nobody reviewed, of the same kind
    other = Land(tmp_path, 12)
    rows, truth = other.found(other.detect(out, "other"))
    ones = np.ones(len(rows))
    chance = rows["probability"].to_numpy(np.float64)
    was = probability(old.card.calibration, rows["score"].to_numpy()).astype(np.float64)
    after = expected_calibration_error(chance, truth, ones)
    print("ECE on other land before", expected_calibration_error(was, truth, ones), "after", after)
    assert after < 0.08
    assert after < expected_calibration_error(rows["score"].to_numpy(np.float64), truth, ones)


def test_reviews_that_people_chose_are_refused(project: Project, land: Land, tmp_path: Path) -> None:
    chosen = sorted(project.store.sites(EVERYTHING), key=lambda site: -(site.score or 0))[:230]
    review(project, land, [site.site_id for site in chosen])
    sentence = one_sentence(calibrate(project, "--out", tmp_path / "new"))
    assert "230 verdicts there are on places that people chose" in sentence and "--sample 250" in sentence
    # after the draw only those of them count that stand at the beginning of its list
    assert calibrate(project, "--sample", 250).exit_code == 0
    sentence = one_sentence(calibrate(project, "--out", tmp_path / "new"))
    assert "200 are needed" in sentence and "places that people chose" in sentence
    assert not (tmp_path / "new").exists()


def test_too_few_reviews_and_how_to_get_there(project: Project, land: Land, tmp_path: Path) -> None:
    assert calibrate(project, "--sample", 250).exit_code == 0
    sites = sampled(project)
    review(project, land, sites[:150])
    sentence = one_sentence(calibrate(project, "--out", tmp_path / "new"))
    assert "150 reviews of randomly drawn places count, and 200 are needed: 50 more" in sentence
    assert "page Random sample" in sentence
    review(project, land, sites[151:])
    sentence = one_sentence(calibrate(project, "--out", tmp_path / "new"))
    assert "50 more" in sentence and f"{len(sites) - 151} others of the list come after a gap" in sentence
    status = calibrate(project)
    assert f"{len(sites) - 1} of {len(sites)} places done, 150 count" in status.output
    state = sample_progress(project)
    assert state is not None and state.next_site == sites[150]
    for name in sites:
        project.store.add_review(name, "unsure", "", "me", NOW)
    sentence = one_sentence(calibrate(project, "--out", tmp_path / "new"))
    assert "200 more" in sentence and "draw a larger sample" in sentence
    for name in sites:
        project.store.add_review(name, "not_kiln", "", "me", NOW)
    assert "0 are kilns" in one_sentence(calibrate(project, "--out", tmp_path / "new"))


def test_what_else_is_refused(project: Project, land: Land, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other)
    card = json.loads((other / "card.json").read_text(encoding="utf-8"))
    (other / "card.json").write_text(json.dumps(card | {"name": "another"}), encoding="utf-8")
    sentence = one_sentence(calibrate(project, "--sample", 250, model=other))
    assert "kilnnet-delhi" in sentence and load_bundle(other).model_id in sentence
    assert "come from" in one_sentence(calibrate(project, "--out", tmp_path / "new", model=other))
    assert "is not overwritten" in one_sentence(calibrate(project, "--out", other))
    assert "200 reviews are needed" in one_sentence(calibrate(project, "--sample", 100))
    assert "two steps" in one_sentence(calibrate(project, "--sample", 250, "--out", tmp_path / "new"))
    assert "No random sample was drawn" in calibrate(project).output
    assert "no kilnlight project" in one_sentence(
        kilnlight("calibrate", "--project", tmp_path / "nowhere", "--sample", 250)
    )


def test_the_model_is_the_one_that_the_project_uses(project: Project, tmp_path: Path) -> None:
    assert calibrate(project, "--sample", 250).exit_code == 0
    other = tmp_path / "other"
    shutil.copytree(SHIPPED, other)
    card = json.loads((other / "card.json").read_text(encoding="utf-8"))
    (other / "card.json").write_text(json.dumps(card | {"name": "another"}), encoding="utf-8")
    folder = project.folder
    assert "0 of" in kilnlight("calibrate", "--project", folder).output
    done = kilnlight("models", "publish", other, "--project", folder, "--anyway", "a test")
    assert done.exit_code == 0, done.output
    # the sample was drawn for the model that was in use before
    assert "No random sample" in kilnlight("calibrate", "--project", folder).output
    assert "No random sample" in calibrate(project, model=folder).output
    assert "0 of" in calibrate(project).output


def test_a_run_without_candidates_cannot_be_sampled(land: Land, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert kilnlight("detect", land.scene, "--out", run, "--threads", 1).exit_code == 0
    assert kilnlight("import", run, "--project", tmp_path / "project").exit_code == 0
    done = kilnlight("calibrate", "--project", tmp_path / "project", "--sample", 250)
    assert "kept nothing below the threshold" in one_sentence(done)
    again = land.detect(SHIPPED, "again")
    assert kilnlight("import", again, "--project", tmp_path / "project").exit_code == 0
    done = kilnlight("calibrate", "--project", tmp_path / "project", "--sample", 250)
    assert done.exit_code == 0, done.output


def detected(land: Land, out: Path, *options: object) -> tuple[str, float]:
    """What is said, and the zoom in run.json."""
    done = kilnlight("detect", land.scene, "--out", out, "--candidates", "--threads", 1, *options)
    assert done.exit_code == 0, done.output
    return done.output, json.loads((out / "run.json").read_text())["inputs"][0]["zoom"]


def test_a_calibration_holds_at_the_zoom_of_its_reviews(land: Land, tmp_path: Path) -> None:
    detected(land, tmp_path / "run", "--zoom", 1.2)
    folder = tmp_path / "project"
    assert kilnlight("import", tmp_path / "run", "--project", folder).exit_code == 0
    with open_project(folder) as project:
        assert calibrate(project, "--sample", 250).exit_code == 0
        review(project, land, sampled(project))
        # what is detected at another zoom after the draw does not change what the scores drawn from mean
        detected(land, tmp_path / "since", "--zoom", 1)
        assert kilnlight("import", tmp_path / "since", "--project", folder).exit_code == 0
        done = calibrate(project, "--out", tmp_path / "new")
        assert done.exit_code == 0, done.output
        (local,) = load_bundle(tmp_path / "new").card.local_calibrations
        assert local.zoom == 1.2
        # the new model takes that zoom of itself, and at another one says why there is no chance
        said, zoom = detected(land, tmp_path / "again", "--model", tmp_path / "new")
        assert zoom == 1.2 and "another chance" not in said
        assert land.found(tmp_path / "again")[0]["probability"].notna().all()
        said, zoom = detected(land, tmp_path / "plain", "--model", tmp_path / "new", "--zoom", 1)
        assert zoom == 1.0 and "at a zoom of 1 the same score means another chance" in said
        assert land.found(tmp_path / "plain")[0]["probability"].isna().all()

        # reviews of two zooms would be of two scales
        other = Land(tmp_path, 13)
        detected(other, tmp_path / "other", "--zoom", 1.2)
        assert kilnlight("import", tmp_path / "other", "--project", folder).exit_code == 0
        sentence = one_sentence(calibrate(project, "--sample", 300))
        assert "zooms of 1, 1.2" in sentence and "--zoom 1.2" in sentence
