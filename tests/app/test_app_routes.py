"""All addresses of the app: each is authorised, and the map's own answer cleanly."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from make_project import make_project
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.runtime import Runtime

from app.authorise import LOCAL, NOBODY
from app.services.project import open_project
from app.services.site_book import SiteBook
from app.services.sites import record_verdict
from app.web import context as app_context
from app.web.access import rule_for
from app.web.context import AppContext
from app.web.server import build

BASE = "http://127.0.0.1"
ORIGIN = {"origin": BASE}
NOT_SERVED = re.compile(
    r"/_stcore/(metrics|upload_file|script-health-check|agent).*|/component/.*|/(auth|oauth2callback).*"
    r"|/(st-)?(allowed-message-origins|healthz|script-health-check).*"
)
"""Addresses that Streamlit brings along and that no page needs: they are answered with 404."""


@dataclass
class App:
    context: AppContext
    starlette: Starlette
    client: TestClient

    def sees(self, **changes: object) -> None:
        app_context.install(replace(self.context, **changes))  # type: ignore[arg-type]  # the test's own names


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    project = make_project(tmp_path_factory.mktemp("routes") / "project", n=6)
    context = AppContext(project, SiteBook(project.store), now=lambda: datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    # Streamlit allows one runtime per process; other tests make their own
    before, Runtime._instance = Runtime._instance, None
    starlette = build(context)._build_starlette_app()
    yield App(context, starlette, TestClient(starlette, base_url=BASE, raise_server_exceptions=False))
    Runtime._instance = before
    project.close()


@pytest.fixture(autouse=True)
def the_local_person(app: App) -> None:
    app.sees(principal=LOCAL)


def first_site(app: App) -> str:
    return app.context.book.edition().sites[0].site_id


def addresses(starlette: Starlette) -> Iterator[tuple[str, str]]:
    """Method and a sample path of every route."""
    for route in starlette.routes:
        if isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", sample(route.path)
        elif isinstance(route, Mount):
            yield "GET", sample(route.path) + "/x.js"
        else:
            assert isinstance(route, Route)
            yield from ((method, sample(route.path)) for method in sorted(route.methods or {"GET"}))


def sample(path: str) -> str:
    return re.sub(r"{\w+(:\w+)?}", "x1", path)


def unruled(starlette: Starlette) -> list[tuple[str, str]]:
    """Addresses that neither have a rule nor are known to be closed. OPTIONS is closed for all."""
    return [
        (method, path)
        for method, path in addresses(starlette)
        if method != "OPTIONS" and rule_for(method, path) is None and not NOT_SERVED.fullmatch(path)
    ]


def test_every_route_has_a_rule(app: App) -> None:
    assert len(list(addresses(app.starlette))) > 25
    left = [
        (method, path) for method, path in unruled(app.starlette) if method in ("GET", "POST", "WEBSOCKET")
    ]
    # Streamlit answers its static files under any path, which the rules name one by one
    assert [found for found in left if found != ("GET", "/x.js")] == []


def test_a_route_that_somebody_adds_is_found_and_closed(app: App) -> None:
    routes = [*app.starlette.routes, Route("/api/everything", lambda request: PlainTextResponse("secret"))]
    assert ("GET", "/api/everything") in unruled(Starlette(routes=routes))
    assert app.client.get("/api/everything").status_code == 404


def test_without_a_role_every_route_is_closed(app: App) -> None:
    app.sees(principal=NOBODY)
    for method, path in addresses(app.starlette):
        if method == "WEBSOCKET":
            with (
                pytest.raises(WebSocketDisconnect),
                app.client.websocket_connect(f"ws://127.0.0.1{path}", headers=ORIGIN),
            ):
                pass
            continue
        answer = app.client.request(method, path, headers=ORIGIN)
        assert answer.status_code in (403, 404), (method, path)
        assert method == "HEAD" or set(answer.json()) == {"error"}, (method, path)


def test_what_no_page_needs_is_not_served(app: App) -> None:
    for method, path in addresses(app.starlette):
        if NOT_SERVED.fullmatch(path):
            assert app.client.request(method, path, headers=ORIGIN).status_code == 404, (method, path)


def test_every_writing_route_wants_our_origin(app: App) -> None:
    for method, path in addresses(app.starlette):
        if method in ("GET", "HEAD", "WEBSOCKET"):
            continue
        for headers in ({}, {"origin": "http://evil.example"}, {"origin": "null"}):
            assert app.client.request(method, path, headers=headers).status_code == 403, (method, path)


def test_every_route_knows_its_host(app: App) -> None:
    for method, path in addresses(app.starlette):
        headers = {**ORIGIN, "host": "evil.example"}
        if method == "WEBSOCKET":
            with (
                suppress(WebSocketDisconnect),
                app.client.websocket_connect(f"ws://evil.example{path}", headers=ORIGIN),
            ):
                pytest.fail(path)
        else:
            assert app.client.request(method, path, headers=headers).status_code == 421, (method, path)


def test_sites_come_once(app: App) -> None:
    answer = app.client.get("/api/sites")
    header = json.loads(answer.content[: answer.content.index(b"\n")])
    assert header["n"] == len(header["ids"]) == len(app.context.book.edition().sites) > 0
    again = app.client.get("/api/sites", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_coverage(app: App) -> None:
    states = {f["properties"]["state"] for f in app.client.get("/api/coverage").json()["features"]}
    assert {"kiln", "none"} <= states


def test_pictures_by_site_only(app: App) -> None:
    site = first_site(app)
    assert app.client.get(f"/api/picture/{site}").content.startswith(b"\x89PNG")
    drawn = app.client.get(f"/api/outlined/{site}")
    assert drawn.headers["content-type"].startswith("image/svg+xml") and "<polygon" in drawn.text


@pytest.mark.parametrize(
    "path",
    [
        "/api/picture/nothing",
        "/api/picture/..%2Fkilnlight.sqlite",
        "/api/picture/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/api/picture/../kilnlight.sqlite",
        "/api/picture/" + "a" * 500,
        "/api/picture/%00",
        "/api/outlined/nothing",
        "/print/site/nothing",
        "/print/site/<script>",
        "/assets/../server.py",
        "/assets/..%2fweb%2fserver.py",
        "/assets/nothing.js",
        "/kilnlight.sqlite",
        "/nothing",
    ],
)
def test_what_is_not_there_is_a_clean_404(app: App, path: str) -> None:
    answer = app.client.get(path)
    # Streamlit turns away paths that look like an attack with 400 before any route sees them
    assert answer.status_code in (400, 404)
    assert answer.status_code == 400 or set(answer.json()) == {"error"}
    assert (
        b"SQLite" not in answer.content
        and b"root:" not in answer.content
        and b"<script>" not in answer.content
    )


def test_a_picture_path_that_leaves_the_project_is_not_followed(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(app.context.project.folder, folder)
    (tmp_path / "secret.png").write_bytes(b"secret")
    with open_project(folder) as project:
        context = AppContext(project, SiteBook(project.store))
        site = project.store.sites()[0]
        for path in ("../secret.png", "/etc/passwd", "kilnlight.sqlite", "pictures/../../secret.png"):
            assert context.picture_path(replace(site, picture=path)) is None


@pytest.mark.parametrize(
    "path", ["/export/sites.csv", "/export/sites.geojson", "/export/sites.html", "/print/sites"]
)
def test_a_broken_filter_is_a_clean_400(app: App, path: str) -> None:
    answer = app.client.get(path, params={"low": "much"})
    assert answer.status_code == 400
    assert "open it from the map" in answer.json()["error"]


def test_exports_follow_the_filter_and_keep_notes_back(app: App) -> None:
    site = first_site(app)
    note = "=cmd()<script>alert(1)</script>"
    record_verdict(app.context.project, site, "kiln", note, "A <b>B</b>")
    chosen = {"verdicts": "kiln"}
    for name in ("csv", "geojson", "html"):
        answer = app.client.get(f"/export/sites.{name}", params=chosen)
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert site in answer.text and "alert(1)" not in answer.text
        other = next(s.site_id for s in app.context.book.edition().sites if s.site_id != site)
        assert other not in answer.text
        with_notes = app.client.get(f"/export/sites.{name}", params={**chosen, "notes": "1"})
        assert "alert(1)" in with_notes.text
    assert ",'=cmd()" in app.client.get("/export/sites.csv", params={**chosen, "notes": "1"}).text
    assert "<script>alert" not in app.client.get("/export/sites.html", params={**chosen, "notes": "1"}).text


def test_the_print_page_says_what_it_is_and_escapes_what_people_wrote(app: App) -> None:
    site = app.context.book.edition().sites[1].site_id
    record_verdict(app.context.project, site, "unsure", "<img src=x onerror=alert(1)>", "<i>me</i>")
    unasked = app.client.get(f"/print/site/{site}").text
    assert "onerror" not in unasked and "&lt;i&gt;me" in unasked
    text = app.client.get(f"/print/site/{site}", params={"notes": "1"}).text
    assert "&lt;img src=x" in text and "<img src=x" not in text
    assert "&lt;i&gt;me" in text and "<i>me" not in text
    for words in ("not proof of a kiln, of its owner", "Made-up imagery", "Made-up scene", "geo:", "Unsure"):
        assert words in text
    assert "slave" not in text and "Copernicus" not in text
    assert "Printed 2026-01-02 03:04 UTC" in text


def test_the_list_to_print_holds_the_selection(app: App) -> None:
    text = app.client.get("/print/sites", params={"low": "0.999"}).text
    assert "0 possible kilns" in text
    assert first_site(app) in app.client.get("/print/sites").text


def test_the_shell_forbids_other_hosts(app: App) -> None:
    for path in ("/", "/table", "/site", "/model"):
        answer = app.client.get(path)
        assert answer.status_code == 200 and "<title>" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_browser_library_is_pinned_and_its_licence_lies_beside_it(app: App) -> None:
    versions: dict[str, Any] = app.client.get("/assets/vendor/versions.json").json()
    assert versions["maplibre-gl"] == "6.17.0"
    assert (
        f"v{versions['maplibre-gl']}"
        in app.client.get("/assets/vendor/maplibre-gl/maplibre-gl.mjs").text[:2000]
    )
    for licence in ("maplibre-gl/LICENSE.txt", "natural-earth/LICENSE-world-atlas.txt", "THIRD_PARTY.md"):
        assert app.client.get(f"/assets/vendor/{licence}").status_code == 200
