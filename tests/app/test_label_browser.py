"""The labelling page in a real Chromium, at 360 px with touch and on a desk with keys."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app.services.project import Project
from app.services.site_book import SiteBook
from app.web.access import Access
from app.web.context import AppContext
from app.web.guards import Guards
from app.web.label_routes import label_routes

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@dataclass
class Served:
    address: str
    project: Project

    def answers(self) -> list[str]:
        return sorted(look.answer for look in self.project.store.looks())


@contextmanager
def serving(project: Project) -> Iterator[str]:
    context = AppContext(project, SiteBook(project.store))
    guard = [Middleware(Guards), Middleware(Access, principal=lambda: context.principal)]
    app = Starlette(routes=label_routes(context), middleware=guard)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/label"
    finally:
        server.should_exit = True
        thread.join()


def until(true: Callable[[], bool], page: Any = None, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        # the page's own wait also serves the routes that a test has taken over
        page.wait_for_timeout(50) if page else time.sleep(0.05)


def sees(page: Any, script: str, arg: Any = None) -> None:
    """Wait until a script is true; playwright's own way needs eval, which the app's policy forbids."""
    until(lambda: bool(page.evaluate(script, arg)), page)


TOKEN = "document.getElementById('stage').dataset.token"


@pytest.fixture
def served(project: Project) -> Iterator[Served]:
    with serving(project) as address:
        yield Served(address, project)


@contextmanager
def visiting(chromium: Any, served: Served, **options: Any) -> Iterator[Any]:
    """A page that failed nothing: no script error, no request to another place."""
    context = chromium.new_context(**options)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    host = served.address.rsplit("/", 1)[0]
    page.on("request", lambda r: None if r.url.startswith((host, "blob:", "data:")) else wrong.append(r.url))
    page.goto(served.address)
    yield page
    context.close()
    assert wrong == []


def begin(page: Any, name: str = "Heron") -> None:
    page.fill("#name", name)
    page.press("#name", "Enter")
    page.wait_for_selector("#frame img")


def token(page: Any) -> str:
    return str(page.get_attribute("#stage", "data-token"))


def wait_for_other(page: Any, before: str) -> None:
    """Wait for the next picture; where the server is slow there is none for a while, and keys do nothing."""
    sees(page, f"t => {TOKEN} && {TOKEN} !== t", before)


def test_on_a_phone_with_a_thumb(chromium: Any, served: Served) -> None:
    with visiting(chromium, served, **PHONE) as page:
        assert page.locator(".examples svg").count() >= 12
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        begin(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        for button in page.locator("#work button:visible, #work a:visible").all():
            box = button.bounding_box()
            assert box["height"] >= 44 and box["width"] >= 44, button.inner_text()
        first = token(page)
        page.tap("#no")
        wait_for_other(page, first)
        second = token(page)
        page.tap("#yes")
        stage = page.locator("#stage").bounding_box()
        assert stage["width"] >= 300
        assert page.is_disabled("#finish")
        for u, v in ((0.25, 0.75), (0.8, 0.2), (0.5, 0.5), (0.5, 0.5)):  # the last tap takes its mark away
            page.touchscreen.tap(stage["x"] + u * stage["width"], stage["y"] + v * stage["height"])
        assert page.locator(".mark").count() == 2
        page.tap("#finish")
        wait_for_other(page, second)
        page.tap("#unsure")
        page.tap("#bad")
        until(lambda: served.answers() == ["bad_image", "kiln", "none", "unsure"], page)
        sees(page, "document.getElementById('done').textContent.includes('4 done today, 4 in all')")
    (kiln,) = (look for look in served.project.store.looks() if look.answer == "kiln")
    assert len(kiln.points) == 2


def test_with_keys_only(chromium: Any, served: Served) -> None:
    with visiting(chromium, served) as page:
        begin(page)
        for key in ("n", "ArrowDown", "b"):
            before = token(page)
            page.keyboard.press(key)
            wait_for_other(page, before)
        until(lambda: served.answers() == ["bad_image", "none", "unsure"], page)
        page.keyboard.press("y")
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        for key in (
            "ArrowUp",
            "ArrowUp",
            "Space",
            "ArrowLeft",
            "ArrowLeft",
            "ArrowLeft",
            "ArrowLeft",
            "Space",
        ):
            page.keyboard.press(key)
        assert page.locator(".mark").count() == 2
        page.keyboard.press("z")
        assert page.locator(".mark").count() == 1
        page.keyboard.press("Enter")
        until(lambda: served.answers() == ["bad_image", "kiln", "none", "unsure"], page)
        page.keyboard.press("z")
        until(lambda: served.answers() == ["bad_image", "none", "unsure"], page)


def test_undo_after_a_reload_and_the_same_pictures_come_again(chromium: Any, served: Served) -> None:
    with visiting(chromium, served) as page:
        begin(page)
        first = token(page)
        page.click("#no")
        wait_for_other(page, first)
        second = token(page)
        until(lambda: served.answers() == ["none"], page)
        page.reload()
        page.wait_for_selector("#frame img")
        assert token(page) == second
        page.click("#undo")
        sees(page, f"t => {TOKEN} === t", first)
        until(lambda: served.answers() == [], page)
        # also when the server's reply has been worked in
        page.wait_for_timeout(300)
        assert "Taken back" in page.inner_text("#status")
        page.click("#unsure")
        until(lambda: served.answers() == ["unsure"], page)
        sees(page, f"t => {TOKEN} === t", second)


def test_answers_outlive_a_cut_connection_and_a_lost_reply(chromium: Any, served: Served) -> None:
    with visiting(chromium, served, **PHONE) as page:
        begin(page)
        lost = {"n": 0}

        def lose_the_reply(route: Any) -> None:
            """The server stores the answer, and the browser never hears of it."""
            lost["n"] += 1
            if lost["n"] == 1:
                route.fetch()
                route.abort()
            else:
                route.continue_()

        page.route("**/label/api/answers", lose_the_reply)
        first = token(page)
        page.tap("#no")
        wait_for_other(page, first)
        until(lambda: served.answers() == ["none"], page)
        page.context.set_offline(True)
        second = token(page)
        page.tap("#unsure")
        wait_for_other(page, second)
        sees(page, "/No connection/.test(document.getElementById('status').textContent)")
        assert served.answers() == ["none"]
        page.context.set_offline(False)
        until(lambda: served.answers() == ["none", "unsure"], page)
        sees(page, "document.getElementById('status').textContent === ''")
        assert lost["n"] >= 2
        stored = "Object.keys(localStorage).filter((k) => k.startsWith('kilnlight.out.')).length"
        assert page.evaluate(stored) == 0


def test_every_picture_done_says_so(chromium: Any, served: Served) -> None:
    with visiting(chromium, served) as page:
        begin(page)
        while page.is_visible("#stage"):
            before = token(page)
            page.keyboard.press("n")
            sees(page, f"t => {TOKEN} !== t || document.getElementById('stage').hidden", before)
            sees(page, "document.getElementById('stage').hidden || document.querySelector('#frame img')")
        assert page.is_visible("#empty")
        until(lambda: len(served.answers()) == served.project.store.counts().queued)


def test_two_people_at_one_machine_are_two_volunteers(chromium: Any, served: Served) -> None:
    with visiting(chromium, served) as page:
        for name in ("Heron", "Stork", "Heron"):
            if page.is_visible("#examples"):
                page.click("#examples")
            begin(page, name)
            sees(page, "n => document.getElementById('done').textContent.includes(n)", name)
            page.keyboard.press("n")
            page.wait_for_timeout(200)
        until(lambda: len(served.answers()) == 3)
        assert len({look.volunteer_id for look in served.project.store.looks()}) == 2


def test_no_word_escapes_the_translation(
    chromium: Any, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILNLIGHT_LANGUAGE", "qps")
    bare = """() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
      while (walker.nextNode()) {
        const { textContent, parentElement } = walker.currentNode;
        if (parentElement.closest("script, style, noscript") || parentElement.offsetParent === null) continue;
        if (/[A-Za-z]{2}/.test(textContent) && !textContent.includes("⟦")) found.push(textContent);
      }
      return found;
    }"""
    with visiting(chromium, served) as page:
        assert page.evaluate(bare) == []
        begin(page, "1")
        assert page.evaluate(bare) == []
        page.click("#yes")
        assert page.evaluate(bare) == []
        page.click("#back")
        page.click("#no")
        page.click("#undo")
        sees(page, "/back/.test(document.getElementById('status').textContent)")
        assert page.evaluate(bare) == []
        for attribute in ("alt", "title", "aria-label", "placeholder"):
            values = page.evaluate(
                f"[...document.querySelectorAll('[{attribute}]')].map((e) => e.getAttribute('{attribute}'))"
            )
            assert [v for v in values if v and re.search("[A-Za-z]{2}", v) and "⟦" not in v] == []
