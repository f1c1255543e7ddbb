"""The one-file export: everything in it, nothing outside it, and no word of it is code."""

import base64
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.services.export_html import export_html, small_picture
from app.services.overview import overview_svg
from geodata.store.records import Site

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
SITE = Site(
    site_id="s1",
    lon=68.01,
    lat=15.02,
    length_m=120.0,
    width_m=60.0,
    angle_deg=30.0,
    outline=((68.0095, 15.0197), (68.0105, 15.0197), (68.0105, 15.0203), (68.0095, 15.0203)),
    site_type="brick_kiln",
    kiln_class="unknown",
    score=0.83,
    probability=0.7,
    calibrated=False,
    first_seen=NOW,
    last_seen=NOW,
    not_seen_on=None,
    votes_kiln=2,
    votes_none=1,
    votes_unsure=0,
    object_verdict="kiln",
    verdict_note="call the guard at the gate",
    is_candidate=False,
    made_up=False,
    picture="pictures/s1.png",
    attribution_year=2024,
    picture_corners=((68.004, 15.026), (68.016, 15.026), (68.016, 15.014), (68.004, 15.014)),
)
EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"


def picture(size: int = 384, seed: int = 0) -> bytes:
    """Noise of ten-metre pixels, enlarged as a project's pictures are: harder for a JPEG than any land."""
    pixels = np.random.default_rng(seed).integers(40, 200, (128, 128, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC).save(out, "PNG")
    return out.getvalue()


def page(
    sites: list[Site],
    *,
    with_notes: bool = False,
    title: str = "Around the river",
    content: bytes | None = None,
) -> str:
    return export_html(sites, lambda _site: content, with_notes=with_notes, title=title, generated_at=NOW)


class Seen(HTMLParser):
    """Tags, links and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_all_is_in_the_file() -> None:
    text = page([SITE, replace(SITE, site_id="s2", lon=68.1)], content=picture())
    seen = Seen(text)
    assert ("href", "geo:15.02000,68.01000") in seen.attributes
    assert "15.02000, 68.01000" in seen.text
    assert "70 % (not calibrated)" in seen.text
    assert "Contains modified Copernicus Sentinel data 2024" in seen.text
    assert "not proof of a kiln" in seen.text.replace("It is ", "")
    assert seen.text.count("2 say kiln") == 2
    assert sum(value.startswith("data:image/jpeg;base64,") for _name, value in seen.attributes) == 2
    assert seen.tags.count("polygon") == 4  # dark and light outline on each picture
    assert text.count('<a href="#s') == 2


def test_nothing_is_fetched_and_nothing_runs() -> None:
    seen = Seen(page([SITE], content=picture()))
    assert not {"script", "iframe", "object", "link", "form", "base"} & set(seen.tags)
    addresses = [value for name, value in seen.attributes if name in {"href", "src", "action", "xlink:href"}]
    assert addresses
    assert all(value.startswith(("data:image/jpeg", "geo:", "#")) for value in addresses)
    assert not [name for name, _value in seen.attributes if name.startswith("on")]
    assert "url(" not in page([SITE]) and "@import" not in page([SITE])


def test_notes_only_where_somebody_asks() -> None:
    assert "call the guard" not in page([SITE])
    assert "call the guard" in page([SITE], with_notes=True)


def test_a_candidate_is_not_called_a_possible_kiln() -> None:
    text = Seen(page([replace(SITE, is_candidate=True)])).text
    assert "Candidate s1, below the threshold" in text
    assert "0 possible kilns, 1 below the threshold" in text
    assert "Possible kiln s1" not in text


def test_what_people_wrote_is_text() -> None:
    evil = replace(SITE, site_id=EVIL, verdict_note=EVIL, object_verdict=EVIL, kiln_class=EVIL)
    text = page([evil], with_notes=True, title=EVIL)
    seen = Seen(text)
    assert not {"script", "img"} & set(seen.tags)
    assert not [name for name, _value in seen.attributes if name.startswith("on")]
    assert EVIL in seen.text


@settings(max_examples=25, deadline=None)
@given(note=st.text(min_size=1), title=st.text(min_size=1))
def test_any_note_and_title_come_through_as_text(note: str, title: str) -> None:
    plain, tried = (
        Seen(page([SITE], with_notes=True)),
        Seen(page([replace(SITE, verdict_note=note)], with_notes=True, title=title)),
    )
    assert tried.tags == plain.tags


def test_two_hundred_sites_stay_small() -> None:
    content = picture()
    sites = [
        replace(SITE, site_id=f"s{n}", lon=68 + n / 100, lat=15 + (n * 7 % 30) / 100) for n in range(200)
    ]
    text = page(sites, content=content)
    assert len(text.encode()) < 5_000_000
    assert text.count("data:image/jpeg") == 200


def test_made_up_sites_say_so() -> None:
    text = page([replace(SITE, made_up=True, attribution_year=None)])
    assert "Made-up scene" in text
    assert "Copernicus" not in text


@pytest.mark.parametrize(
    "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"0" * 50], ids=["empty", "text", "cut"]
)
def test_a_broken_picture_is_no_picture(content: bytes) -> None:
    assert small_picture(content, 240) is None
    assert "No picture" in page([SITE], content=content)


def test_pictures_leave_their_metadata_behind() -> None:
    exif = Image.Exif()
    exif[0x010E] = "68.01234"
    out = io.BytesIO()
    Image.new("RGB", (500, 400), (90, 60, 40)).save(out, "JPEG", exif=exif)
    small = small_picture(out.getvalue(), 240)
    assert small is not None and b"68.01234" not in small
    with Image.open(io.BytesIO(small)) as image:
        assert image.size == (240, 192)


def test_an_empty_selection_is_a_page() -> None:
    text = page([])
    assert "0 possible kilns" in text
    assert "<svg" not in text


@settings(max_examples=40, deadline=None)
@given(
    places=st.lists(st.tuples(st.floats(-179, 179), st.floats(-70, 70)), min_size=1, max_size=8),
    spread=st.sampled_from([1e-6, 0.01, 1.0]),
)
def test_every_dot_lies_in_the_overview(places: list[tuple[float, float]], spread: float) -> None:
    lon0, lat0 = places[0]
    sites = [replace(SITE, lon=lon0 + (x - lon0) * spread, lat=lat0 + (y - lat0) * spread) for x, y in places]
    svg = overview_svg(sites, lambda n: f"#s{n}")
    box = re.search(r'viewBox="0 0 (\S+) (\S+)"', svg)
    assert box is not None
    width, height = map(float, box.groups())
    dots = re.findall(r'<circle cx="(\S+)" cy="(\S+)"', svg)
    assert len(dots) == len(sites)
    assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in dots)
    assert height <= 1000


def test_the_overview_keeps_directions_and_proportions() -> None:
    north, east = replace(SITE, lat=15.12), replace(SITE, lon=68.11)
    dots = re.findall(r'<circle cx="(\S+)" cy="(\S+)"', overview_svg([SITE, north, east], lambda n: f"#s{n}"))
    (x0, y0), (x1, y1), (x2, y2) = ((float(x), float(y)) for x, y in dots)
    assert x1 == pytest.approx(x0, abs=0.2) and y1 < y0
    assert y2 == pytest.approx(y0, abs=0.2) and x2 > x0
    # a tenth of a degree north is 11.06 km, east 10.76 km at 15 degrees
    assert (y0 - y1) / (x2 - x0) == pytest.approx(11.06 / 10.76, rel=0.01)


@pytest.mark.browser
def test_it_opens_on_a_phone_without_a_server(chromium: Any, tmp_path: Path) -> None:
    file = tmp_path / "kilns.html"
    sites = [replace(SITE, site_id=f"s{n}", lon=68 + n / 50, made_up=True) for n in range(5)]
    file.write_text(page(sites, content=picture()), encoding="utf-8")
    context = chromium.new_context(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    tab = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: wrong.append(message.text))
    tab.goto(file.as_uri())
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    assert tab.locator("svg.site-picture").count() == 5
    pictures = tab.locator("svg.site-picture").all()
    assert all(one.bounding_box()["width"] > 100 for one in pictures)
    assert wrong == []
    context.close()


def test_the_pictures_are_the_sites_own() -> None:
    text = export_html(
        [SITE, replace(SITE, site_id="s2")],
        lambda site: picture(32, seed=int(site.site_id[1:])),
        with_notes=False,
        title="x",
        generated_at=NOW,
    )
    pictures = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", text)
    assert len(set(pictures)) == 2
    assert all(base64.b64decode(one).startswith(b"\xff\xd8") for one in pictures)
