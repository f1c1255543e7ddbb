"""The Streamlit pages, run without a browser: what they show, record and refuse."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from make_project import make_project
from streamlit.testing.v1 import AppTest

from app.authorise import NOBODY
from app.pages import shell
from app.pages.plain import plain
from app.services import words
from app.services.project import open_project
from app.services.site_book import SiteBook
from app.web import context as app_context
from app.web.context import AppContext
from geodata.store.review_draw import draw_reviews
from geodata.store.review_samples import record_sample, units_of

NOTE = "**bold** <script>alert(1)</script> =1+1"


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is made once and copied for every test."""
    folder = tmp_path_factory.mktemp("pages") / "project"
    make_project(folder, n=6).close()
    return folder


@pytest.fixture
def context(pattern: Path, tmp_path: Path) -> Iterator[AppContext]:
    shutil.copytree(pattern, tmp_path / "project")
    with open_project(tmp_path / "project") as project:
        opened = AppContext(project, SiteBook(project.store))
        app_context.install(opened)
        yield opened


def run_page(path: str = "", **state: object) -> AppTest:
    """One visit, straight to a page."""
    return AppTest.from_function(_draw, args=(path, dict(state)), default_timeout=120).run()


def _draw(path: str, state: dict[str, object]) -> None:
    import streamlit as st

    from app.pages import filters, shell

    for name, value in state.items():
        st.session_state.setdefault(name, value)
    page = next(page for page in shell.pages() if page.path == path)
    if page.filtered:
        with st.sidebar:
            filters.draw()
    shell.run_guarded(page)


def texts(test: AppTest) -> str:
    kinds = (
        test.title,
        test.header,
        test.subheader,
        test.markdown,
        test.caption,
        test.text,
        test.error,
        test.info,
    )
    shown = [element.value for kind in kinds for element in kind]
    return "\n".join([*map(str, shown), *(html.proto.body for html in test.get("html"))])


def test_without_a_role_no_page_shows_anything(context: AppContext) -> None:
    app_context.install(replace(context, principal=NOBODY))
    ids = [site.site_id for site in context.book.edition().sites]
    for page in shell.pages():
        shown = run_page(page.path, site=ids[0])
        assert "Refused" in texts(shown), page.kind
        assert not any(one in texts(shown) for one in ids)


def test_every_page_of_the_navigation_is_guarded(context: AppContext) -> None:
    """The script registers what `pages` lists, through the guard, and nothing else."""
    source = Path(shell.__file__).read_text(encoding="utf-8")
    assert source.count("st.Page(") == 1 and "partial(run_guarded, page)" in source
    kinds = [page.kind for page in shell.pages()]
    assert len(kinds) == len(set(kinds)) == 5


def test_an_empty_project_tells_what_to_do(tmp_path: Path) -> None:
    with open_project(tmp_path / "new", create=True) as project:
        app_context.install(AppContext(project, SiteBook(project.store)))
        shown = run_page()
        assert not shown.exception
        assert "Nothing here yet" in texts(shown)
        assert "kilnlight detect" in shown.code[0].value and str(project.folder) in shown.code[0].value


@pytest.fixture
def calibrated(tmp_path: Path) -> Iterator[AppContext]:
    """A project of a model that gives chances."""
    with make_project(tmp_path / "calibrated", n=12, pictures=False, chances=True) as project:
        opened = AppContext(project, SiteBook(project.store))
        app_context.install(opened)
        yield opened


def test_a_score_is_chosen_as_a_number_and_a_probability_in_percent(calibrated: AppContext) -> None:
    shown = run_page("table")
    assert not shown.exception
    frame = shown.dataframe[0].value
    assert frame["Model score"].between(0, 1).all() and frame["Probability"].max() > 1
    shown.slider[0].set_range(0.55, 0.9).run()
    scores = shown.dataframe[0].value["Model score"]
    assert 0 < len(scores) < len(frame) and scores.between(0.55, 0.9).all()
    shown.radio(key="measure").set_value("probability").run()
    assert (shown.slider[0].value, shown.slider[0].max) == ((0, 100), 100)


def test_a_verdict_is_recorded_shown_as_text_and_undone(context: AppContext) -> None:
    site = context.book.edition().sites[0]
    shown = run_page("site", site=site.site_id)
    assert not shown.exception
    assert f"{site.lat:.5f}, {site.lon:.5f}" in shown.code[0].value
    shown.radio[0].set_value("gone")
    shown.text_area[0].set_value(NOTE)
    shown.text_input[0].set_value("AB")
    shown.button[0].click().run()
    stored = context.store.site(site.site_id)
    assert stored is not None
    assert (stored.object_verdict, stored.verdict_note) == ("gone", NOTE)
    assert stored.probability == site.probability
    assert NOTE in [element.value for element in shown.text]
    assert all("<script>" not in html.proto.body for html in shown.get("html"))
    assert all(NOTE not in str(element.value) for element in shown.markdown)
    next(button for button in shown.button if "Undo" in button.label).click().run()
    undone = context.store.site(site.site_id)
    assert undone is not None and undone.object_verdict is None
    history = context.store.history(site.site_id)
    assert [entry.who for entry in history][-2:] == ["AB", "AB"]
    told = [words.event_words(entry) for entry in history]
    assert told[0].startswith("A run was brought in: score 0.")
    assert told[-2:] == ["Verdict: Gone", "Verdict taken back"]


def test_candidates_are_counted_apart(context: AppContext) -> None:
    sites = context.book.edition().sites
    faint = sum(site.is_candidate for site in sites)
    assert 0 < faint < len(sites)
    without, with_them = run_page(), run_page(candidates=True)
    assert without.title[0].value == f"{len(sites) - faint} possible kilns"
    assert with_them.title[0].value == f"{len(sites) - faint} possible kilns, {faint} below the threshold"


def test_a_message_is_shown_as_it_is() -> None:
    assert plain("`a` [b](c) *d* 1_2") == r"\`a\` \[b\](c) \*d\* 1\_2"
    assert plain("There is no site 'x'.") == "There is no site 'x'."


def test_a_verdict_must_be_chosen(context: AppContext) -> None:
    site = context.book.edition().sites[0]
    shown = run_page("site", site=site.site_id)
    shown.text_area[0].set_value(NOTE)
    shown.button[0].click().run()
    assert "Choose a verdict first." in [element.value for element in shown.warning]
    assert context.store.counts().reviews == 0
    # what was written is still there, and goes once it is stored
    assert shown.text_area[0].value == NOTE
    shown.radio[0].set_value("kiln")
    shown.button[0].click().run()
    assert (context.store.counts().reviews, shown.text_area[0].value) == (1, "")


def test_coordinates_that_cannot_be_read_get_a_sentence(context: AppContext) -> None:
    shown = run_page()
    assert not shown.exception
    box = next(box for box in shown.text_input if box.key == "go_to")
    box.set_value("somewhere").run()
    assert "No coordinates could be read" in shown.error[0].value
    box.set_value("15.001, 68.001").run()
    assert any("15.00100, 68.00100" in caption.value for caption in shown.caption)


def test_the_table_steps_through_the_doubtful_first(context: AppContext) -> None:
    shown = run_page("table")
    assert not shown.exception
    next(button for button in shown.button if button.label == "Next").click().run()
    first = shown.session_state["site"]
    next(button for button in shown.button if button.label == "Next").click().run()
    assert shown.session_state["site"] != first
    next(button for button in shown.button if button.label == "Previous").click().run()
    assert shown.session_state["site"] == first
    assert "not calibrated" in texts(shown)


def test_a_made_up_project_carries_the_banner_and_the_caution(context: AppContext) -> None:
    shown = texts(run_page("site", site=context.book.edition().sites[0].site_id))
    assert "shows the plumbing, not the accuracy" in shown
    assert "Made-up imagery" in shown and "Copernicus" not in shown


def test_where_no_chance_can_be_given_a_rank_stands_and_says_that_it_is_one(tmp_path: Path) -> None:
    with make_project(tmp_path / "project", n=12, pictures=False) as project:
        app_context.install(AppContext(project, SiteBook(project.store)))
        shown = run_page("table")
        assert not shown.exception
        frame = shown.dataframe[0].value
        assert frame["Probability"].isna().all()
        assert set(frame["Rank by score"]) == {"low", "middle", "high", "very high"}
        assert "it is not a chance" in texts(shown)
        shown.radio(key="measure").set_value("rank").run()
        shown.select_slider(key="band_rank").set_range("high", "very_high").run()
        assert set(shown.dataframe[0].value["Rank by score"]) == {"high", "very high"}
        best = max(project.store.sites(), key=lambda site: site.score or 0)
        panel = texts(run_page("site", site=best.site_id))
        assert "in the top quarter" in panel and "A rank, not a chance." in panel
        assert "not given: the model is not calibrated" in panel and " %" not in panel


def test_with_a_chance_the_panel_shows_no_rank(calibrated: AppContext) -> None:
    site = calibrated.book.edition().sites[0]
    panel = texts(run_page("site", site=site.site_id))
    assert words.share(site.probability) in panel and "rank" not in panel.lower()
    assert "not calibrated" not in panel


def draw_sample(context: AppContext, n: int = 4) -> list[str]:
    """The sites of a sample, in the order in which they are to be reviewed."""
    with context.store.writing() as connection:
        draw = draw_reviews(units_of(connection, "model-1"), 0.4, n)
        record_sample(context.store, "model-1", draw, context.now(), 1.0)
    return list(dict.fromkeys(one.unit.site_id for one in draw.drawn))


def test_a_random_sample_is_reviewed_place_by_place_without_the_models_opinion(context: AppContext) -> None:
    assert "--sample 250" in run_page("sample").code[0].value
    sites = draw_sample(context)
    shown = run_page("sample")
    assert not shown.exception
    first = context.store.site(sites[0])
    assert first is not None
    assert f"{first.lat:.5f}, {first.lon:.5f}" in shown.code[0].value
    assert shown.get("progress")[0].proto.text == f"0 of {len(sites)} done"
    for told in ("score", "probability", "threshold", "rank", words.score(first.score)):
        assert told not in texts(shown).lower()
    shown.radio[0].set_value("unsure")
    next(button for button in shown.button if button.label == "Record").click().run()
    second = context.store.site(sites[1])
    assert second is not None and f"{second.lat:.5f}, {second.lon:.5f}" in shown.code[0].value
    next(button for button in shown.button if "place before" in button.label).click().run()
    assert f"{first.lat:.5f}, {first.lon:.5f}" in shown.code[0].value
    assert context.store.site(sites[0]).object_verdict is None


def test_a_reviewed_sample_says_what_comes_next(context: AppContext) -> None:
    for site_id in draw_sample(context):
        context.store.add_review(site_id, "kiln", "", "me", context.now())
    shown = run_page("sample")
    assert not shown.exception
    assert "kilnlight calibrate" in shown.code[0].value and "--out" in shown.code[0].value
