"""The app as its command starts it, in a real Chromium with all other hosts cut off."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from make_project import make_project

from app.pages.map_component import filter_numbers
from app.services.project import Project, open_project
from app.services.rank_band import bounds
from app.services.selection import Selection, select
from app.services.site_book import SiteBook

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 900}, "accept_downloads": True}
SECONDS = 90
NOTE = "<b>bold</b> **x** <script>alert(1)</script>"


@dataclass
class Served:
    port: int
    project: Project

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Watch:
    """What a page asked of other hosts, and what went wrong in it."""

    outside: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def follow(self, page: Any) -> None:
        page.route("**/*", self._take)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda line: self.wrong.append(line.text) if line.type == "error" else None)
        page.on(
            "response",
            lambda got: self.wrong.append(f"{got.status} {got.url}") if got.status >= 400 else None,
        )

    def _take(self, route: Any) -> None:
        url = route.request.url
        if url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            self.outside.append(url)
            route.abort()


def until(true: Callable[[], bool], seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("map") / "project"
    make_project(folder).close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", "from app.cli.main import run; run()", "app"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(folder.parent)}
    env["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] = "true"
    process = subprocess.Popen(
        [*command, "--project", str(folder), "--port", str(port)], env=env, cwd=folder.parent
    )
    try:
        until(lambda: answers(port) or process.poll() is not None)
        assert process.poll() is None, "the app ended by itself"
        with open_project(folder) as project:
            yield Served(port, project)
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def opened(chromium: Any, served: Served) -> Iterator[Callable[[dict[str, Any]], tuple[Any, Watch]]]:
    """Opens the map in a window of its own; afterwards nothing may have left the machine or gone wrong."""
    watches, contexts = [], []

    def open_map(window: dict[str, Any]) -> tuple[Any, Watch]:
        context, watch = chromium.new_context(**window), Watch()
        contexts.append(context)
        watches.append(watch)
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        watch.follow(page)
        page.goto(served.address)
        page.wait_for_selector(".kilnmap[data-ready]")
        return page, watch

    yield open_map
    for context in contexts:
        context.close()
    for watch in watches:
        assert watch.outside == []
        assert watch.wrong == []


def walk_to_next_site(page: Any) -> None:
    page.locator(".kilnmap canvas").focus()
    page.keyboard.press("n")
    page.locator("img.site-picture").wait_for()


def test_from_the_map_to_a_recorded_verdict(opened: Any, served: Served) -> None:
    page, _ = opened(DESK)
    assert page.locator(".made-up").inner_text().startswith("Made-up scene")
    assert "Made-up imagery" in page.locator(".maplibregl-ctrl-attrib").inner_text()
    assert "not proof of a kiln" in page.locator("body").inner_text()
    walk_to_next_site(page)
    site_id = page.get_by_role("heading", name="Possible kiln", level=2).inner_text().split()[-1]
    site = served.project.store.site(site_id)
    assert site is not None
    assert page.locator(f'a[href="geo:{site.lat:.5f},{site.lon:.5f}"]').count() > 0
    assert page.locator("img.site-picture").evaluate("image => image.complete && image.naturalWidth > 0")
    assert "not calibrated" in page.locator(".facts").inner_text()
    page.get_by_text("Gone", exact=True).last.click()
    page.get_by_role("textbox", name="Note").fill(NOTE)
    page.get_by_label("Your name or initials").fill("AB")
    page.get_by_role("button", name="Record").click()
    page.get_by_text("Recorded: Gone").wait_for()
    assert page.get_by_text(NOTE, exact=True).count() > 0
    stored = served.project.store.site(site_id)
    assert stored is not None and (stored.object_verdict, stored.verdict_note) == ("gone", NOTE)
    # the map takes the new colour without a reload
    page.locator(".kilnmap .legend", has_text="Gone").wait_for()
    page.get_by_role("button", name="Undo the last verdict").click()
    page.get_by_text("Recorded: Gone").wait_for(state="detached")


def test_coordinates_coverage_table_and_downloads(opened: Any, served: Served) -> None:
    page, _ = opened(DESK)
    page.get_by_text("Coverage: where was looked").click()
    page.wait_for_selector('.kilnmap[data-coverage="1"]')
    page.locator(".kilnmap .legend", has_text="Not observed").wait_for()
    page.get_by_label("Go to coordinates").fill("15°01'30\"N 68°01'00\"E")
    page.keyboard.press("Enter")
    page.get_by_text("15.02500, 68.01667:").wait_for()
    until(lambda: page.locator(".kilnmap").get_attribute("data-centre") == "68.0167,15.0250")
    page.get_by_text("Take this selection").click()
    for name, beginning in (
        ("CSV", b"\xef\xbb\xbfsite_id,"),
        ("GeoJSON", b"{"),
        ("One page", b"<!doctype html>"),
    ):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert Path(download.value.path()).read_bytes().startswith(beginning)
    page.get_by_role("link", name="Table", exact=True).click()
    page.get_by_role("button", name="Next").click()
    page.locator("img.site-picture").wait_for()
    page.get_by_text("1 of 14").wait_for()


def test_on_a_phone_nothing_scrolls_sideways(opened: Any, served: Served) -> None:
    page, _ = opened(PHONE)
    walk_to_next_site(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator(".kilnmap").bounding_box()["width"] <= 360
    for button in page.locator(".kilnmap .maplibregl-ctrl-group button").all():
        assert min(button.bounding_box()["width"], button.bounding_box()["height"]) >= 44
    page.goto(f"{served.address}/print/sites")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_browser_filters_as_the_server_does(opened: Any, served: Served) -> None:
    page, _ = opened(DESK)
    sites = SiteBook(served.project.store).edition().sites
    chosen = [
        Selection(),
        Selection(candidates=True),
        Selection("score", 0.45, 0.8, candidates=True),
        Selection("probability", 0.5, 1.0),
        Selection("rank", *bounds("middle", "high"), candidates=True),
        Selection(verdicts=("kiln", "gone")),
        Selection(seen_from=date(2024, 6, 1)),
        Selection(seen_to=date(2024, 6, 1), candidates=True),
        Selection(seen_from=date(2024, 1, 11), seen_to=date(2025, 1, 13)),
    ]
    script = """async (all) => {
      const { loadColumns, passes } = await import("/assets/map_columns.js");
      const columns = await loadColumns();
      return all.map((filters) => columns.ids.filter((id, i) => passes(columns, filters)(i)));
    }"""
    shown = page.evaluate(script, [filter_numbers(selection) for selection in chosen])
    assert shown == [[site.site_id for site in select(sites, selection)] for selection in chosen]
    assert len({json.dumps(ids) for ids in shown}) > 4
    outlines = page.evaluate(
        """async () => {
      const { loadColumns, outline } = await import("/assets/map_columns.js");
      const columns = await loadColumns();
      return columns.ids.map((id, i) => outline(columns, i).slice(0, 4));
    }"""
    )
    for site, ring in zip(sites, outlines, strict=True):
        corners = sorted(site.outline[:4])
        assert [pair for corner in sorted(map(tuple, ring)) for pair in corner] == pytest.approx(
            [pair for corner in corners for pair in corner], abs=2e-6
        )


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_a_websocket_from_elsewhere_is_not_opened(served: Served, origin: str | None) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request(
        "GET", "/_stcore/stream", headers={**headers, **({"Origin": origin} if origin else {})}
    )
    assert connection.getresponse().status == 403
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("GET", "/_stcore/stream", headers={**headers, "Origin": served.address})
    assert connection.getresponse().status == 101


def test_it_listens_on_this_machine_only(served: Served) -> None:
    """Another address of the same machine meets nobody."""
    with socket.socket() as probe:
        probe.settimeout(5)
        assert probe.connect_ex(("127.0.0.2", served.port)) != 0
