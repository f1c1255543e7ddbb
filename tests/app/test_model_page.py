"""The researcher's page: the card, its figures and evaluations in the project."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from affine import Affine
from pyproj import CRS
from streamlit.testing.v1 import AppTest

from app.authorise import VOLUNTEER, Principal
from app.services.evaluating import Evaluation
from app.services.evaluation_file import write_evaluation
from app.services.evaluations import (
    beside_sites,
    curve_points,
    evaluation_folders,
    load_evaluation,
)
from app.services.model_card import calibration_words, domain_rows, figure_tables
from app.services.project import Project
from app.services.site_book import SiteBook
from app.web import context as app_context
from app.web.context import AppContext
from detection.bundle import Calibration, Domain, Figure, load_bundle, shipped_bundle_path
from detection.domain import outside_reasons
from detection.evaluate.metrics import Scores
from detection.evaluate.summary import Outcome, Row
from geodata.errors import InputError
from geodata.grid import Grid
from geodata.scene import SceneInfo
from geodata.store.records import SiteFilter

SCORES = Scores(100.0, 0.4, 10, 8, 2, 1, 0.8, 0.8, 0.8, 0.85, 21.0, 95.2, float("nan"))
FIGURE = Figure(
    name="F1 at 100 m", value=0.8931, low=0.87, high=0.912, protocol="pooled folds", command="kilnlight x"
)


@pytest.fixture(scope="module")
def evaluated(copy_project: Callable[[], Project]) -> Project:
    """A project with an evaluation: hits on its sites, misses in the sea."""
    project = copy_project()
    sites = project.store.sites(SiteFilter())
    hits = [Outcome(s.lon, s.lat, "hit", 0.5 + 0.05 * k, 7.0) for k, s in enumerate(sites)]
    others = [
        Outcome(60.0, 10.0, "missed", None, None),
        Outcome(60.1, 10.0, "false_alarm", 0.55, None),
        Outcome(60.2, 10.0, "excused", 0.6, None),
    ]
    rows = tuple(Row(excused, SCORES, {"f1": (0.7, 0.9)}) for excused in (True, False))
    evaluation = Evaluation("abc", 0.4, ("scene",), 95.2, rows, (*hits, *others))
    folder = project.folder / "evaluations" / "mine"
    folder.mkdir(parents=True)
    write_evaluation(folder, evaluation)
    return project


def shown(context: AppContext) -> AppTest:
    app_context.install(context)

    def script() -> None:
        from app.pages import model

        model.draw()

    return AppTest.from_function(script, default_timeout=60).run()


def texts(page: AppTest) -> str:
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error")
    parts = [element.value for kind in kinds for element in page.get(kind)]
    return "\n".join([*map(str, parts), *drawn(page)])


def drawn(page: AppTest) -> list[str]:
    """The pieces of HTML on a page."""
    return [element.proto.body for element in page.get("html")]


def test_the_page_shows_the_shipped_card(project: Project) -> None:
    page = shown(AppContext(project, SiteBook(project.store)))
    assert not page.exception
    text = texts(page)
    assert "Unvalidated on: S2-L2A reflectance" in text
    assert "Threshold" in text and "How it was chosen" in text
    assert "non-commercial" in text


def test_the_page_says_of_which_models_the_runs_are(project: Project) -> None:
    shipped = load_bundle(shipped_bundle_path())
    (run,) = project.runs.iterdir()
    record = json.loads((run / "run.json").read_text())
    assert f"made by none ({record['model_id']}), whose card is not here" in texts(
        shown(AppContext(project, SiteBook(project.store)))
    )
    record |= {"model_id": shipped.model_id, "model_name": shipped.card.name}
    (run / "run.json").write_text(json.dumps(record))
    text = texts(shown(AppContext(project, SiteBook(project.store))))
    assert f"made by kilnnet-delhi ({shipped.model_id}), the model below" in text
    assert "not here" not in text


def test_the_page_shows_an_evaluation(evaluated: Project) -> None:
    page = shown(AppContext(evaluated, SiteBook(evaluated.store)))
    assert not page.exception
    text = texts(page)
    assert "0.800 (0.700 – 0.900)" in text
    assert "Precision and recall by threshold" in text
    # made with a model "abc", and no place of it is unverified
    assert "of another model than the one above" in text
    assert "Unverified places" not in text and text.count("0.800 (0.700") == 1
    page.radio[0].set_value("hit").run()
    assert not page.exception


def test_volunteers_see_figures_but_no_place(evaluated: Project) -> None:
    person = Principal("somebody", frozenset({VOLUNTEER}))
    page = shown(AppContext(evaluated, SiteBook(evaluated.store), principal=person))
    assert not page.exception
    assert "Precision and recall by threshold" in texts(page)
    assert len(page.radio) == 0
    assert "60.1" not in texts(page)


def test_a_broken_evaluation_is_a_sentence(tmp_path: Path) -> None:
    for text in ("", "{}", '{"model_id": 1}'):
        (tmp_path / "evaluation.json").write_text(text)
        with pytest.raises(InputError, match="kilnlight evaluate"):
            load_evaluation(tmp_path)


def test_evaluations_are_found_in_the_project_only(evaluated: Project) -> None:
    assert [folder.name for folder in evaluation_folders(evaluated.folder)] == ["mine"]


def test_curve_and_sites_of_outcomes(evaluated: Project) -> None:
    evaluation = load_evaluation(evaluated.folder / "evaluations" / "mine")
    sites = evaluated.store.sites(SiteFilter())
    points = curve_points(evaluation)
    first = points[0]
    assert (first.threshold, first.hits, first.false_alarms) == (0.4, len(sites), 1)
    assert first.recall == pytest.approx(len(sites) / (len(sites) + 1))
    assert [p.recall for p in points] == sorted((p.recall for p in points), reverse=True)
    placed = beside_sites(evaluation.outcomes, sites)
    assert [one.site.site_id if one.site else None for one in placed] == [
        *(s.site_id for s in sites),
        None,
        None,
        None,
    ]
    assert beside_sites([], sites) == []
    assert all(one.site is None for one in beside_sites(evaluation.outcomes, []))


def test_figures_are_grouped_by_protocol() -> None:
    other = FIGURE.model_copy(update={"protocol": "val", "low": None})
    tables = figure_tables([FIGURE, other])
    assert list(tables) == ["pooled folds", "val"]
    assert tables["pooled folds"]["Interval"] == ["0.87 to 0.912"]
    assert tables["val"]["Interval"] == ["–"]


def test_what_the_card_does_not_know_is_said() -> None:
    assert "not calibrated" in calibration_words(None)
    assert "1,234" in calibration_words(Calibration(slope=1, intercept=0, n=1234, method="Platt"))
    rows = dict(domain_rows(Domain(area=(), months=(1, 12), products=())))
    outside = "not stated: counts as outside"
    assert rows == {"Area": outside, "Months": "January, December", "Products": outside}


def test_an_empty_domain_is_outside_on_the_page_and_for_detect() -> None:
    domain = Domain(area=(), months=(), products=())
    grid = Grid(CRS.from_epsg(4326), Affine(9e-5, 0, 77.2, 0, -9e-5, 28.6), 64, 64)
    at = datetime(2023, 11, 15, tzinfo=UTC)
    scene = SceneInfo("a", "a_12345678", "0" * 64, at, "S2-L2A", ("red", "green", "blue"), grid)
    assert len(outside_reasons(domain, scene)) == len(domain_rows(domain)) == 3
    assert {words for _name, words in domain_rows(domain)} == {"not stated: counts as outside"}


def test_an_evaluation_that_is_not_finite_is_shown(tmp_path: Path) -> None:
    empty = replace(SCORES, precision=float("nan"), recall=float("nan"), f1=float("nan"), kilns=0, hits=0)
    write_evaluation(tmp_path, Evaluation("abc", 0.4, (), 0.0, (Row(True, empty, {}),), ()))
    evaluation = load_evaluation(tmp_path)
    assert evaluation.summary.rows[0].f1 is None
    assert curve_points(evaluation) == []
    assert json.loads((tmp_path / "outcomes.geojson").read_text())["features"] == []
