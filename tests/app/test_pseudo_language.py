"""Every page, print and export in the made-up language: no text stands outside the brackets."""

import csv
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest
from test_app_pages import run_page
from test_model_page import SCORES
from test_strings import Texts

from app.authorise import NOBODY
from app.i18n import _
from app.pages import shell
from app.pages.map_component import map_words
from app.services.evaluating import Evaluation
from app.services.evaluation_file import EVALUATION, write_evaluation
from app.services.project import STORE, Project, open_project
from app.services.site_book import SiteBook
from app.services.sites import record_verdict, undo_verdict
from app.web import context as app_context
from app.web.access import Access
from app.web.context import AppContext
from app.web.guards import Guards
from app.web.routes import http_error, map_routes
from detection.bundle import load_bundle, shipped_bundle_path
from detection.evaluate.summary import Outcome, Row
from geodata.store import engine
from geodata.store.review_draw import draw_reviews
from geodata.store.review_samples import latest_sample, record_sample, units_of

NOTE, REVIEWER = "anote", "areviewer"
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SHOWN_FIELDS = {"label", "body", "help", "placeholder", "options", "content", "caption", "title", "text"}
"""The fields of Streamlit's messages to the browser that hold text for a person."""


@pytest.fixture(autouse=True)
def made_up_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILNLIGHT_LANGUAGE", "qps")


@pytest.fixture(scope="module")
def reviewed(copy_project: Callable[[], Project]) -> Iterator[AppContext]:
    """The context of a project that `work_on` has prepared, which does not wait long for a lock."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "BUSY_TIMEOUT_MS", 20)
        yield work_on(copy_project())


def work_on(project: Project) -> AppContext:
    """A verdict taken back on the first site, a standing one on the second, two evaluations, one broken."""
    context = AppContext(project, SiteBook(project.store), now=lambda: NOW)
    first, second, *others = context.book.edition().sites
    record_verdict(project, first.site_id, "gone", NOTE, REVIEWER, now=lambda: NOW)
    undo_verdict(project, first.site_id, REVIEWER, now=lambda: NOW)
    record_verdict(project, second.site_id, "kiln", NOTE, REVIEWER, now=lambda: NOW)
    with project.store.writing() as connection:
        draw = draw_reviews(units_of(connection, "model-1"), 0.4, 4)
        record_sample(project.store, "model-1", draw, NOW, 1.0)
    alarms = tuple(Outcome(site.lon, site.lat, "false_alarm", 0.6, 7.0) for site in others)
    rows = (Row(True, SCORES, {"f1": (0.7, 0.9)}), Row(False, replace(SCORES, f1=0.5), {}))
    outcomes = (Outcome(60.0, 10.0, "missed", None, None), *alarms)
    for name in ("first", "second"):
        folder = project.folder / "evaluations" / name
        folder.mkdir(parents=True)
        write_evaluation(folder, Evaluation("model-1", 0.4, ("first",), 95.2, rows, outcomes))
    (folder / EVALUATION).write_text("{}")
    return context


@pytest.fixture
def context(reviewed: AppContext) -> AppContext:
    app_context.install(reviewed)
    return reviewed


def strings_in(value: object) -> Iterator[str]:
    """Every string in JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from strings_in(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from strings_in(one)


def data_of(context: AppContext) -> set[str]:
    """What is shown as it is in every language: ids, names that people gave, what the card says."""
    bundle = load_bundle(shipped_bundle_path())
    card = json.loads(bundle.card.model_dump_json())
    parts = {part for text in strings_in(card) for part in (text, text[:12])}
    ids = {site.site_id for site in context.book.edition().sites}
    runs = {"model-1", "none", "first", "second"}
    project = context.project.folder
    folders = {project.name, str(project), str(project / "evaluations" / "second")}
    return ids | parts | runs | folders | {NOTE, REVIEWER, bundle.model_id}


def bare(texts: Iterable[str], data: set[str]) -> list[str]:
    """The texts that hold a letter outside the brackets which no data brought there."""
    known = "|".join(re.escape(one) for one in sorted(data, key=len, reverse=True) if one)
    left = []
    for text in texts:
        rest = re.sub(r"⟦[^⟦⟧]*⟧|geo:[\d.,-]+", " ", text).replace("\\", "")
        rest = re.sub(rf"(?<!\w)({known})(?!\w)", "", rest)
        if re.search(r"[^\W\d_]", rest):
            left.append(text)
    return left


def html_texts(text: str) -> list[str]:
    reader = Texts()
    reader.feed(text)
    return reader.found


def message_texts(message: object) -> Iterator[str]:
    """The texts in one of Streamlit's messages."""
    for field, value in message.ListFields():  # type: ignore[attr-defined]  # a protobuf message
        values = [value] if isinstance(value, str) or hasattr(value, "ListFields") else value
        if isinstance(values, int | float | bytes):
            continue
        for one in values:
            if hasattr(one, "ListFields"):
                yield from message_texts(one)
            elif isinstance(one, str) and field.name in SHOWN_FIELDS:
                yield from html_texts(one) if "<" in one else [one]


def page_texts(shown: AppTest) -> list[str]:
    """What a page shows, with sidebar; commands and coordinates, which are to be copied, left out."""
    found: list[str] = []
    waiting = list(shown._tree.children.values())
    while waiting:
        node = waiting.pop()
        waiting += getattr(node, "children", {}).values()
        proto = getattr(node, "proto", None)
        if proto is not None and node.type != "code":
            found += message_texts(proto)
    for table in shown.dataframe:
        frame = table.value
        assert isinstance(frame, pd.DataFrame)
        found += [*frame.columns, *(cell for cell in frame.to_numpy().ravel() if isinstance(cell, str))]
    return found


def go_to(shown: AppTest) -> None:
    shown.text_input(key="go_to").set_value("somewhere").run()
    assert "⟦No coordinates could be read from " in shown.error[0].value


def known_place(shown: AppTest) -> None:
    shown.text_input(key="go_to").set_value("15.001, 68.001").run()


def no_choice(shown: AppTest) -> None:
    shown.button[0].click().run()
    assert shown.warning


def busy(shown: AppTest) -> None:
    """Another program is writing while somebody takes a verdict back."""
    other = sqlite3.connect(app_context.current().project.folder / STORE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        next(button for button in shown.button if "Undo" in button.label).click().run()
    finally:
        other.close()
    assert "Another program" in shown.error[0].value


def broken_evaluation(shown: AppTest) -> None:
    shown.selectbox(key="evaluation").select_index(1).run()
    assert "cannot be read" in shown.error[0].value


def every_kind_of_outcome(shown: AppTest) -> None:
    shown.radio(key="outcomes").set_value("missed").run()


def by_rank(shown: AppTest) -> None:
    shown.radio(key="measure").set_value("rank").run()


def all_reviewed(shown: AppTest) -> None:
    """Every place of the random sample has a verdict; taken back at the end."""
    project = app_context.current().project
    with project.store.reading() as connection:
        sample = latest_sample(connection)
    sites = {item.drawn.unit.site_id for item in sample.items if item.object_verdict is None}
    for site_id in sites:
        project.store.add_review(site_id, "unsure", "", REVIEWER, NOW)
    shown.run()
    assert shown.success
    for site_id in sites:
        project.store.undo_review(site_id, REVIEWER, NOW)


def nothing_more(shown: AppTest) -> None:
    """The page as it opens."""


@pytest.mark.parametrize(
    ("path", "site", "act"),
    [
        ("", 0, go_to),
        ("", None, known_place),
        ("table", None, nothing_more),
        ("table", 1, nothing_more),
        ("table", None, by_rank),
        ("sample", None, nothing_more),
        ("sample", None, all_reviewed),
        ("site", None, nothing_more),
        ("site", "nothing", nothing_more),
        ("site", 0, no_choice),
        ("site", 1, busy),
        ("model", None, nothing_more),
        ("model", None, every_kind_of_outcome),
        ("model", None, broken_evaluation),
    ],
)
def test_pages(
    context: AppContext, path: str, site: int | str | None, act: Callable[[AppTest], None]
) -> None:
    sites = context.book.edition().sites
    state = {} if site is None else {"site": sites[site].site_id if isinstance(site, int) else site}
    shown = run_page(path, candidates=True, measure="probability", **state)
    assert not shown.exception
    act(shown)
    assert not shown.exception
    texts = page_texts(shown)
    assert len("".join(texts)) > 20
    assert bare(texts, data_of(context) | {"nothing", "somewhere"}) == []


def test_pages_that_show_little(context: AppContext) -> None:
    """Refused, and a project without anything in it; the words of navigation and map."""
    app_context.install(replace(context, principal=NOBODY))
    assert bare(page_texts(run_page("table")), set()) == []
    folder = context.project.folder.with_name("empty")
    with open_project(folder, create=True) as empty:
        app_context.install(AppContext(empty, SiteBook(empty.store)))
        assert bare(page_texts(run_page()), set()) == []
    shutil.rmtree(folder)
    titles = [page.title for page in shell.pages()]
    assert bare([*titles, *strings_in(map_words())], {"{n}", "{reason}"}) == []


def reply_texts(kind: str, body: str) -> list[str]:
    """What a person reads of an answer; the names of columns and properties are for programs."""
    if kind.startswith(("text/html", "image/svg")):
        return html_texts(body)
    if kind.startswith("text/csv"):
        rows = list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"), newline="")))
        return [row[name] for row in rows for name in ("attribution", "caution")]
    reply = json.loads(body)
    return [reply["error"]] if "error" in reply else [reply["attribution"], reply["note"]]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/print/site/{first}?notes=1", 200),
        ("/print/site/{second}?notes=1", 200),
        ("/print/sites?candidates=1", 200),
        ("/print/sites?low=1", 200),
        ("/print/sites?low=much", 400),
        ("/print/sites?measure=age", 400),
        ("/export/sites.html?notes=1&candidates=1", 200),
        ("/export/sites.html?low=1", 200),
        ("/export/sites.geojson?notes=1", 200),
        ("/export/sites.csv?notes=1", 200),
        ("/api/outlined/{first}", 200),
        ("/api/picture/nothing", 404),
        ("/print/site/nothing", 404),
        ("/nothing", 404),
        ("/assets/nothing.js", 404),
    ],
)
def test_prints_and_exports(context: AppContext, path: str, status: int) -> None:
    first, second, *_others = context.book.edition().sites
    reply = client_of(context).get(path.format(first=first.site_id, second=second.site_id))
    assert reply.status_code == status
    texts = reply_texts(reply.headers["content-type"], reply.text)
    assert texts and bare(texts, data_of(context)) == []


def test_refusals(context: AppContext) -> None:
    client = client_of(replace(context, principal=NOBODY))
    forbidden = client.get("/print/sites")
    elsewhere = client.get("/print/sites", headers={"host": "elsewhere.example"})
    assert (forbidden.status_code, elsewhere.status_code) == (403, 421)
    assert bare([forbidden.json()["error"], elsewhere.json()["error"]], set()) == []


def client_of(context: AppContext) -> TestClient:
    guard = [Middleware(Guards), Middleware(Access, principal=lambda: context.principal)]
    served = Starlette(
        routes=map_routes(context), middleware=guard, exception_handlers={HTTPException: http_error}
    )
    return TestClient(served, base_url="http://127.0.0.1")


def test_the_check_finds_what_was_put_in_untranslated() -> None:
    sentence = _("Recorded: {verdict}")
    assert bare([sentence.format(verdict=_("Kiln")), "12 (⟦m⟧)"], set()) == []
    assert len(bare([sentence.format(verdict="Kiln"), "Kiln"], {"none"})) == 2
