"""The labelling page's addresses with a real project behind them."""

import io
import json
import re
import sqlite3

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.authorise import NGO, Principal
from app.services.project import STORE, Project, open_project
from app.services.site_book import SiteBook
from app.web.access import Access
from app.web.context import AppContext
from app.web.guards import Guards
from app.web.label_page import FILES
from app.web.label_routes import PICTURE_PX, label_routes, plain_picture
from geodata.store import engine

VOLUNTEER = "v" * 32
ORIGIN = {"origin": "http://127.0.0.1"}


@pytest.fixture
def client(project: Project) -> TestClient:
    return client_of(AppContext(project, SiteBook(project.store)))


def client_of(context: AppContext) -> TestClient:
    guard = [Middleware(Guards), Middleware(Access, principal=lambda: context.principal)]
    return TestClient(Starlette(routes=label_routes(context), middleware=guard), base_url="http://127.0.0.1")


def ask(
    client: TestClient, count: int = 6, have: tuple[str, ...] = (), volunteer: str = VOLUNTEER
) -> list[str]:
    body = {"volunteer": volunteer, "count": count, "have": list(have)}
    reply = client.post("/label/api/next", json=body, headers=ORIGIN)
    assert reply.status_code == 200
    return list(reply.json()["tokens"])


def send(client: TestClient, *items: dict[str, object], volunteer: str = VOLUNTEER) -> dict[str, object]:
    reply = client.post("/label/api/answers", json={"volunteer": volunteer, "items": items}, headers=ORIGIN)
    assert reply.status_code == 200
    return dict(reply.json())


def answer(token: str, kind: str = "none", key: str = "k" * 20, **more: object) -> dict[str, object]:
    marks = [{"u": 0.5, "v": 0.5}] if kind == "kiln" else []
    seen = "2026-01-02T03:04:05Z"
    item: dict[str, object] = {"kind": "answer", "key": key, "token": token, "answer": kind}
    return item | {"marks": marks, "seen_at": seen} | more


def undo(token: str, undoes: str = "k" * 20, key: str = "u" * 20) -> dict[str, object]:
    return {"kind": "undo", "key": key, "undoes": undoes, "token": token}


def test_answers_are_stored_at_once_and_once(client: TestClient, project: Project) -> None:
    token = ask(client)[0]
    for _ in range(3):
        said = send(client, answer(token))
        assert said == {"stored": ["k" * 20], "refused": [], "done": said["done"]}
    assert [look.answer for look in project.store.looks()] == ["none"]
    assert said["done"]["total"] == 1  # type: ignore[index]  # JSON


def test_while_another_program_writes_the_page_is_told_to_ask_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 20)
    with open_project(project.folder) as busy:
        client = client_of(AppContext(busy, SiteBook(busy.store)))
        token = ask(client)[0]
        body = {"volunteer": VOLUNTEER, "items": [answer(token)]}
        other = sqlite3.connect(project.folder / STORE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            reply = client.post("/label/api/answers", json=body, headers=ORIGIN)
            assert reply.status_code == 503
            assert "another program" in reply.json()["error"].lower()
        finally:
            other.close()
        assert send(client, answer(token))["stored"] == ["k" * 20]


def test_a_mark_lands_on_the_ground_inside_its_tile(client: TestClient, project: Project) -> None:
    token = ask(client)[0]
    send(client, answer(token, "kiln", marks=[{"u": 0.25, "v": 0.75}, {"u": 0.9, "v": 0.1}]))
    (look,) = project.store.looks()
    (tile,) = (tile for tile in project.store.tiles() if tile.tile_id == look.tile_id)
    lons, lats = zip(*tile.ring, strict=True)
    (lon, lat), (lon2, lat2) = look.points
    assert (lon - min(lons)) / (max(lons) - min(lons)) == pytest.approx(0.25, abs=0.01)
    assert (max(lats) - lat) / (max(lats) - min(lats)) == pytest.approx(0.75, abs=0.01)
    assert lon2 > lon and lat2 > lat


def test_votes_reach_the_site(client: TestClient, project: Project) -> None:
    before = sum(site.votes_none for site in project.store.sites())
    tokens = ask(client, 20)
    send(client, *(answer(token, key=f"{n:020d}") for n, token in enumerate(tokens)))
    assert sum(site.votes_none for site in project.store.sites()) > before


def test_undo_works_once_and_the_tile_comes_again(client: TestClient, project: Project) -> None:
    token = ask(client)[0]
    send(client, answer(token))
    assert token not in ask(client, 20)
    for _ in range(2):
        said = send(client, undo(token))
        assert said["stored"] == ["u" * 20]
    assert project.store.looks() == []
    send(client, answer(token, "unsure", key="n" * 20))
    assert [look.answer for look in project.store.looks()] == ["unsure"]


def test_nobody_takes_back_the_answer_of_another(client: TestClient, project: Project) -> None:
    token = ask(client)[0]
    send(client, answer(token))
    other = "w" * 32
    assert send(client, undo(token), volunteer=other)["refused"] == ["u" * 20]
    assert len(project.store.looks()) == 1


@pytest.mark.parametrize(
    "broken",
    [
        {"answer": "slave"},
        {"marks": [{"u": 0.5, "v": 0.5}]},
        {"answer": "kiln", "marks": []},
        {"answer": "kiln", "marks": [{"u": 1.5, "v": 0.5}]},
        {"answer": "kiln", "marks": [{"u": "nan", "v": 0.5}]},
        {"answer": "kiln", "marks": [{"u": 0.1, "v": 0.1}] * 21},
        {"token": "../../etc/passwd"},
        {"token": "unknown-token"},
        {"seen_at": "yesterday"},
        {"key": "short"},
        {"extra": 1},
        {"kind": "delete"},
    ],
    ids=str,
)
def test_a_broken_item_is_refused_and_holds_nothing_up(
    client: TestClient, project: Project, broken: dict[str, object]
) -> None:
    token, other = ask(client)[:2]
    bad = answer(token, key="b" * 20) | broken
    said = send(client, bad, answer(other))
    assert said["refused"] == [bad["key"]]
    assert said["stored"] == ["k" * 20]
    assert len(project.store.looks()) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"volunteer": 1}', b'{"a":"' + b"x" * 300_000 + b'"}'])
@pytest.mark.parametrize("path", ["/label/api/next", "/label/api/answers"])
def test_a_body_that_cannot_be_read_is_refused(client: TestClient, path: str, body: bytes) -> None:
    reply = client.post(path, content=body, headers=ORIGIN)
    assert reply.status_code == 422
    assert reply.json()["error"]


def test_pictures_given_out_are_not_given_again_and_end(client: TestClient, project: Project) -> None:
    seen: list[str] = []
    while tokens := ask(client, 7, tuple(seen)):
        assert not set(tokens) & set(seen)
        seen += tokens
    assert len(seen) == project.store.counts().queued


def test_the_exposure_is_recorded_with_its_chance(client: TestClient, project: Project) -> None:
    tokens = ask(client, 4)
    with project.store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT token, selection_probability, reason FROM exposures").all()
    assert sorted(token for token, _chance, _reason in rows) == sorted(tokens)
    assert all(0 < chance <= 1 for _token, chance, _reason in rows)


# --- what the browser learns ---------------------------------------------------------------------------


def everything_the_browser_gets(client: TestClient) -> dict[str, tuple[dict[str, str], bytes]]:
    """Headers and body of every answer of every route, good requests and bad ones."""
    tokens = ask(client, 20)
    batch = [answer(t, "kiln" if n % 2 else "none", key=f"{n:020d}") for n, t in enumerate(tokens)]
    requests = [
        client.get("/label"),
        *(client.get(f"/label/{name}") for name in FILES),
        client.get("/label/nothing.html"),
        client.get("/label/label.html"),
        *(client.get(f"/label/picture/{token}.jpg") for token in tokens),
        client.get("/label/picture/unknown-token.jpg"),
        client.get("/label/picture/..%2F..%2Fkilnlight.sqlite.jpg"),
        client.post("/label/api/next", json={"volunteer": "x" * 32, "count": 20, "have": []}, headers=ORIGIN),
        client.post("/label/api/next", json={"volunteer": "x" * 32, "count": 0, "have": []}, headers=ORIGIN),
        client.post("/label/api/answers", json={"volunteer": VOLUNTEER, "items": batch}, headers=ORIGIN),
        client.post("/label/api/answers", json={"volunteer": VOLUNTEER, "items": [{}]}, headers=ORIGIN),
        client.post("/label/api/answers", json={"volunteer": VOLUNTEER, "items": batch}),
        client.request("HEAD", f"/label/picture/{tokens[0]}.jpg"),
    ]
    return {
        f"{n} {r.request.method} {r.request.url}": (dict(r.headers), r.content)
        for n, r in enumerate(requests)
    }


def secrets_of(project: Project) -> set[str]:
    """Every way in which a place could be written down."""
    words: set[str] = set()
    sites = project.store.sites()
    assert sites
    for site in sites:
        words |= {site.site_id} | {f"{value:.{d}f}" for value in (site.lon, site.lat) for d in (3, 4, 5)}
    for tile in project.store.tiles():
        _zoom, x, y = tile.tile_id.split("/")
        words |= {tile.tile_id, tile.tile_id.replace("/", "-"), f"/{x}/{y}", f"{x}_{y}", x, y, tile.scene_id}
        words |= {f"{value:.3f}" for point in tile.ring for value in point}
    return words


def test_no_place_reaches_the_browser(client: TestClient, project: Project) -> None:
    secrets = secrets_of(project)
    for name, (headers, body) in everything_the_browser_gets(client).items():
        text = json.dumps(headers)
        if not headers.get("content-type", "").startswith("image/"):
            text += body.decode("utf-8")
        shown = re.sub(r"/label/picture/[\w-]+\.jpg", "", name) + text
        if "label.drawings" not in name:
            # the drawings are fixed files with numbers of their own; whole words only elsewhere
            found = {
                secret for secret in secrets if re.search(rf"(?<![\w.]){re.escape(secret)}(?![\w.])", shown)
            }
            assert not found, name
        for header in ("etag", "last-modified", "content-disposition", "x-sendfile", "set-cookie"):
            assert header not in headers, name


def test_answers_hold_only_what_the_page_needs(client: TestClient) -> None:
    reply = client.post(
        "/label/api/next", json={"volunteer": VOLUNTEER, "count": 3, "have": []}, headers=ORIGIN
    )
    assert set(reply.json()) == {"tokens", "done"}
    assert set(reply.json()["done"]) == {"today", "total"}
    assert reply.headers["cache-control"] == "no-store"


def test_tokens_are_random_and_in_no_order(client: TestClient, project: Project) -> None:
    tokens = ask(client, 20)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{12,64}", token) for token in tokens)
    assert not {tile.tile_id for tile in project.store.tiles()} & set(tokens)
    again = ask(client, 20, volunteer="z" * 32)
    assert again != tokens
    assert tokens != sorted(tokens) and again != sorted(again)


def test_pictures_hold_nothing_but_pixels_and_have_one_size(client: TestClient) -> None:
    for token in ask(client, 3):
        with Image.open(io.BytesIO(client.get(f"/label/picture/{token}.jpg").content)) as image:
            assert image.format == "JPEG"
            assert image.size == (PICTURE_PX, PICTURE_PX)
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert len(image.getexif()) == 0


def test_metadata_of_a_picture_does_not_come_along() -> None:
    secret = PngInfo()
    secret.add_text("place", "68.01234,15.01234")
    exif = Image.Exif()
    exif[0x010E] = "68.01234"
    for kind, more in (
        ("PNG", {"pnginfo": secret, "exif": exif}),
        ("JPEG", {"exif": exif, "comment": b"68.01234"}),
    ):
        out = io.BytesIO()
        Image.new("RGB", (107, 109), (90, 60, 40)).save(out, kind, **more)
        assert b"68.01234" in out.getvalue()
        assert b"68.01234" not in plain_picture(out.getvalue())


# --- who may ask ---------------------------------------------------------------------------------------


def test_a_request_from_another_page_is_refused(client: TestClient) -> None:
    body = {"volunteer": VOLUNTEER, "count": 1, "have": []}
    for headers in ({}, {"origin": "http://evil.example"}, {"origin": "null"}):
        assert client.post("/label/api/next", json=body, headers=headers).status_code == 403


def test_only_volunteers_may_label(project: Project) -> None:
    person = Principal("somebody", frozenset({NGO}))
    client = client_of(AppContext(project, SiteBook(project.store), principal=person))
    assert client.get("/label").status_code == 403
    body = {"volunteer": VOLUNTEER, "count": 1, "have": []}
    assert client.post("/label/api/next", json=body, headers=ORIGIN).status_code == 403


def test_reading_routes_do_not_write(client: TestClient) -> None:
    for path in ("/label/api/next", "/label/api/answers"):
        assert client.get(path).status_code in {404, 405}


# --- the page ------------------------------------------------------------------------------------------


def test_the_page_says_that_it_is_made_up_and_who_took_the_pictures(client: TestClient) -> None:
    text = client.get("/label").text
    assert '<header id="made-up" class="banner" >' in text
    assert "not proof of a kiln, of its owner or of any breach of law" in text
    assert "${" not in text


def test_the_page_is_the_same_in_every_language(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILNLIGHT_LANGUAGE", "qps")
    text = client.get("/label").text
    body = re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->|<head>.*?</head>", "", text, flags=re.DOTALL)
    bare = [part for part in re.findall(r">([^<]+)<", body) if re.search(r"[A-Za-z]{2}", part)]
    assert [part for part in bare if "⟦" not in part] == []
    words = json.loads(text.split('id="strings">')[1].split("</script>")[0])
    assert all(word.startswith("⟦") for word in words.values())


def test_a_translation_cannot_break_out_of_the_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    monkeypatch.setattr("app.web.label_page.script_strings", lambda: {"question": evil})
    monkeypatch.setattr("app.web.label_page.page_strings", lambda: dict.fromkeys(_placeholders(), evil))
    text = client.get("/label").text
    assert "<img src=x" not in text


def _placeholders() -> list[str]:
    from app.web.label_page import static_text

    return re.findall(r"\$\{(\w+)\}", static_text("label.html"))


def test_painted_pictures_name_no_satellite(client: TestClient) -> None:
    text = client.get("/label").text
    assert "Made-up imagery" in text
    assert "Copernicus" not in text
