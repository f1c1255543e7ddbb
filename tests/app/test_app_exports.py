"""Exports and drawn pictures: nothing that harms, no note unless asked for."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from test_app_selection import site

from app.services.credits import credit, credit_of
from app.services.exports import defused, not_proof, sites_csv, sites_geojson
from app.services.overlay import PictureFrame, picture_svg
from app.services.words import score, share
from geodata.obb import Boxes, offsets_m

SECRET = "ask for <b>Ram</b> at the gate"
CORNERS = ((77.0, 28.01), (77.02, 28.01), (77.02, 27.99), (77.0, 27.99))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u00a0+", "\ufeff@", "＝"])
def test_no_cell_is_taken_for_a_formula(start: str) -> None:
    note = f'{start}HYPERLINK("http://evil.example")'
    cell = rows(sites_csv([site(object_verdict="kiln", verdict_note=note)], notes=True))[0]["verdict_note"]
    assert cell.startswith("'")
    assert cell[1:] == note


@given(st.text(max_size=30))
def test_defused_text_begins_harmlessly_and_loses_nothing(text: str) -> None:
    cell = defused(text)
    assert isinstance(cell, str)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell.removeprefix("'") == text.removeprefix("'") or cell == f"'{text}"


def test_figures_stay_figures() -> None:
    row = rows(sites_csv([site(lon=-77.5, lat=-28.25)]))[0]
    assert float(row["lon"]) == -77.5 and float(row["lat"]) == -28.25


@pytest.mark.parametrize("write", [sites_csv, sites_geojson])
def test_notes_leave_only_on_request(write: object) -> None:
    assert callable(write)
    one = [site(object_verdict="kiln", verdict_note=SECRET)]
    assert "Ram" not in write(one) and "verdict_note" not in write(one)
    assert "Ram" in write(one, notes=True)


@pytest.mark.parametrize("write", [sites_csv, sites_geojson])
def test_every_export_tells_its_source_and_its_limits(write: object) -> None:
    assert callable(write)
    real = site(made_up=False, attribution_year=2023)
    assert "Contains modified Copernicus Sentinel data 2023" in write([real])
    assert not_proof() in write([real])
    made_up = write([site(made_up=True, attribution_year=2023)])
    assert "Copernicus" not in made_up and "Made-up imagery" in made_up


def test_geojson_is_rings_in_degrees() -> None:
    document = json.loads(sites_geojson([site()]))
    assert document["type"] == "FeatureCollection"
    feature = document["features"][0]
    assert shapely.from_geojson(json.dumps(feature["geometry"])).is_valid
    assert feature["geometry"]["coordinates"][0][0] == feature["geometry"]["coordinates"][0][-1]
    assert feature["properties"]["site_id"] == feature["id"] == "s1"


def test_an_empty_selection_still_names_its_columns() -> None:
    assert sites_csv([]).startswith("site_id,lon,lat,")
    assert json.loads(sites_geojson([]))["features"] == []


def test_years_as_a_span() -> None:
    some = [site(made_up=False, attribution_year=year) for year in (2024, 2019, 2022)]
    assert credit_of(some) == "Contains modified Copernicus Sentinel data 2019-2024"
    assert credit_of([*some, site(made_up=True)]).endswith("; Made-up imagery")
    assert credit_of([]) == ""
    assert credit(None, False) == "Contains modified Copernicus Sentinel data"


def test_a_share_never_claims_certainty() -> None:
    assert [share(value) for value in (None, 0.0, 0.5, 1.0)] == [
        "not known",
        "under 1 %",
        "50 %",
        "over 99 %",
    ]


def test_a_score_is_no_percentage() -> None:
    assert [score(value) for value in (None, 0.05, 0.5264)] == ["not known", "0.05", "0.53"]


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_place_lies_in_the_picture_where_its_corners_say(u: float, v: float) -> None:
    lon, lat = CORNERS[0][0] + 0.02 * u, CORNERS[0][1] - 0.02 * v
    found = PictureFrame(CORNERS).shares(np.array([lon]), np.array([lat]))[0]
    assert found == pytest.approx((u, v), abs=1e-3)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 150.0])
def test_the_outline_lies_on_the_kiln(angle: float) -> None:
    """A kiln that points north-east must not be drawn as one that points south-east."""
    box = Boxes(*(np.array([value]) for value in (77.01, 28.0, 200.0, 80.0, angle)))
    ring = tuple((float(lon), float(lat)) for lon, lat in box.corners()[0])
    svg = picture_svg(site(outline=ring, picture_corners=CORNERS), "/picture")
    polygon = next(e for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("polygon"))
    points = np.array([pair.split(",") for pair in polygon.attrib["points"].split()], dtype=float)
    middle = points.mean(axis=0)
    width, height = PictureFrame(CORNERS).size_m()
    assert middle == pytest.approx((width / 2, height / 2), abs=3)
    along = points[1] - points[0]
    # down is positive in a picture
    drawn = np.degrees(np.arctan2(-along[1], along[0])) % 180
    assert min(abs(drawn - angle), 180 - abs(drawn - angle)) < 1.0
    east, north = offsets_m(ring[1][0], ring[1][1], *ring[0])
    assert np.hypot(*along) == pytest.approx(1.25 * np.hypot(east, north), rel=0.01)


def test_a_picture_without_a_place_is_shown_as_it_is() -> None:
    svg = picture_svg(site(picture_corners=None), 'x"><script>')
    assert "<polygon" not in svg and "<script>" not in svg
    ElementTree.fromstring(svg)
