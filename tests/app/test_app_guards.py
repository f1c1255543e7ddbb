"""Host, Origin and the security headers, before any page is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.web.guards import Guards, inline_script_hashes, is_same_origin, is_this_machine, refusal

HERE = ("127.0.0.1", "127.0.0.1:8501", "localhost", "LOCALHOST:1", "[::1]", "[::1]:65535")
ELSEWHERE = (
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:127.0.0.1",
    "localhost.evil.example",
    "user@localhost",
    "localhost:8501:1",
    "localhost:",
    "127.0.0.1/",
    "127.0.0.1,evil.example",
    "127.1",
    "2130706433",
    "0.0.0.0:8501",
    "::1",
    "",
)


@pytest.mark.parametrize("host", HERE)
def test_names_of_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_other_names(host: str) -> None:
    assert not is_this_machine(host)


@given(st.text())
def test_any_other_text_is_not_this_machine(host: str) -> None:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name.lower() not in ("127.0.0.1", "localhost", "[::1]"):
        assert not is_this_machine(host)


def test_an_origin_is_this_app_only_at_the_same_name_and_port() -> None:
    assert is_same_origin("http://127.0.0.1:8501", "127.0.0.1:8501")
    for other in (
        "",
        "null",
        "http://127.0.0.1:9",
        "https://127.0.0.1:8501",
        "http://localhost:8501",
        "127.0.0.1:8501",
    ):
        assert not is_same_origin(other, "127.0.0.1:8501")


def scope(method: str, *headers: tuple[str, str], kind: str = "http") -> Scope:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": kind, "method": method, "path": "/", "headers": pairs}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "ODD"])
def test_what_could_write_needs_our_origin(method: str) -> None:
    host = ("host", "127.0.0.1:8501")
    assert refusal(scope(method, host, ("origin", "http://127.0.0.1:8501"))) is None
    for headers in ([], [("origin", "http://evil.example")], [("origin", "null")], [("origin", "")]):
        assert (refusal(scope(method, host, *headers)) or (0, ""))[0] == 403
    twice = [("origin", "http://127.0.0.1:8501"), ("origin", "http://evil.example")]
    assert (refusal(scope(method, host, *twice)) or (0, ""))[0] == 403


def test_the_host_must_be_there_once() -> None:
    assert (refusal(scope("GET")) or (0, ""))[0] == 421
    assert (refusal(scope("GET", ("host", "localhost"), ("host", "localhost"))) or (0, ""))[0] == 421
    assert refusal(scope("GET", ("host", "localhost"))) is None


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("open")
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    routes = [
        Route("/", lambda request: PlainTextResponse("read"), methods=["GET", "POST"]),
        WebSocketRoute("/stream", echo),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guards, script_hashes=["'sha256-x'"])])
    return TestClient(app, base_url="http://127.0.0.1")


def test_a_request_from_another_name_meets_nothing(client: TestClient) -> None:
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "127.0.0.1" in answer.json()["error"]
    assert "content-security-policy" in answer.headers
    assert client.head("/", headers={"host": "evil.example"}).content == b""


def test_every_answer_forbids_other_hosts(client: TestClient) -> None:
    for answer in (client.get("/"), client.post("/"), client.get("/nothing")):
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert "'unsafe-inline'" not in policy["script-src"] and "'unsafe-eval'" not in policy["script-src"]
        sources = {source for value in policy.values() for source in value.split()}
        hosts = {
            source for source in sources if not source.startswith("'") and source not in ("data:", "blob:")
        }
        assert hosts == {"ws://127.0.0.1"}
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost"])
def test_a_websocket_from_elsewhere_does_not_open(client: TestClient, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://127.0.0.1/stream", headers=headers),
    ):
        pass


def test_our_own_websocket_opens(client: TestClient) -> None:
    with client.websocket_connect("ws://127.0.0.1/stream", headers={"origin": "http://127.0.0.1"}) as socket:
        assert socket.receive_text() == "open"


def test_only_the_very_inline_scripts_get_a_hash() -> None:
    page = "<script>\n let a = 1\n</script><script src='x.js'></script><script>b</script>"
    hashes = inline_script_hashes(page)
    assert len(hashes) == 2
    assert all(text.startswith("'sha256-") and text.endswith("='") for text in hashes)
    assert inline_script_hashes(page.replace("a = 1", "a = 2"))[0] != hashes[0]
