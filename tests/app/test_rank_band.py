"""Where no chance can be given a rank stands: the same on every screen, print and export."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_app_selection import site

from app.services import words
from app.services.export_html import export_html
from app.services.exports import sites_csv, sites_geojson
from app.services.rank_band import BANDS, BELOW, band_of, bounds, rank_sentence, rank_words
from app.services.selection import Selection, by_doubt, likeliest_first, select
from app.web.print_page import list_page, site_page
from geodata.store.records import Site

NOW = datetime(2026, 1, 2, tzinfo=UTC)
RANKS = st.floats(1e-3, 1.0)


def ranked(rank: float | None, **changes: object) -> Site:
    return site(probability=None, rank=rank, **changes)


@settings(deadline=None)
@given(RANKS)
def test_a_filter_by_one_band_shows_the_sites_of_that_band(rank: float) -> None:
    one = ranked(rank)
    shown = [band for band in BANDS if select([one], Selection("rank", *bounds(band, band)))]
    assert shown == [band_of(one)]


@settings(deadline=None)
@given(RANKS, RANKS)
def test_a_higher_rank_is_no_lower_band(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert BANDS.index(str(band_of(ranked(low)))) <= BANDS.index(str(band_of(ranked(high))))


@pytest.mark.parametrize(
    ("one", "band"),
    [
        (ranked(1.0), "very_high"),
        (ranked(0.75), "high"),
        (ranked(0.5), "middle"),
        (ranked(0.25), "low"),
        (ranked(None), None),
        (ranked(None, is_candidate=True), BELOW),
        (ranked(None, score=None, is_candidate=True, marked_only=True), None),
    ],
)
def test_bands_are_quarters(one: Site, band: str | None) -> None:
    assert band_of(one) == band
    assert bool(rank_words(one)) == (band is not None)
    sentence = rank_sentence(one)
    assert ("not a chance" in sentence) == (one.score is not None)


def test_all_bands_together_leave_nothing_out() -> None:
    sites = [ranked(None), ranked(0.1), ranked(1.0)]
    assert select(sites, Selection("rank", *bounds("low", "very_high"))) == sites


def texts_of(one: Site) -> dict[str, str]:
    """Everything that names a site's chance or rank to a person or a program."""
    return {
        "facts": site_page(one, [], [], False, NOW, with_notes=False),
        "list": list_page([one], NOW),
        "html": export_html([one], lambda _site: None, with_notes=False, title="t", generated_at=NOW),
    }


def test_without_a_chance_no_page_shows_one_and_each_says_what_a_rank_is() -> None:
    for name, text in texts_of(ranked(0.8, score=0.77)).items():
        assert "very high" in text and "not a chance" in text, name
        assert " %" not in text.replace("100 %", ""), name


def test_with_a_chance_every_page_shows_it() -> None:
    one = site(probability=0.72, calibrated=True, rank=0.8)
    for name, text in texts_of(one).items():
        assert "72 %" in text and "not calibrated" not in text, name
        if name != "list":
            assert "quarter" not in text, name


def test_exports_leave_the_chance_empty_and_give_the_band() -> None:
    sites = [ranked(0.8), site(probability=0.72, calibrated=True, rank=0.3), ranked(None, is_candidate=True)]
    rows = list(csv.DictReader(io.StringIO(sites_csv(sites), newline="")))
    assert [row["probability"] for row in rows] == ["", "0.72", ""]
    assert [row["rank_band"] for row in rows] == ["very_high", "middle", "below_threshold"]
    features = json.loads(sites_geojson(sites))["features"]
    assert [f["properties"]["probability"] for f in features] == [None, 0.72, None]
    assert [f["properties"]["rank_band"] for f in features] == ["very_high", "middle", "below_threshold"]


@pytest.mark.parametrize(
    ("sites", "says"),
    [
        ([], []),
        ([site(probability=0.5, calibrated=True)], []),
        ([site(probability=0.5, calibrated=False)], ["as an order"]),
        ([ranked(0.5)], ["no probability"]),
        ([ranked(0.5), site(probability=0.5, calibrated=False)], ["as an order", "no probability"]),
    ],
)
def test_each_caution_stands_where_it_belongs(sites: list[Site], says: list[str]) -> None:
    cautions = words.cautions(sites)
    assert len(cautions) == len(says)
    assert all(text in caution for text, caution in zip(says, cautions, strict=True))


def test_order_goes_by_all_that_is_known_where_no_chance_is_shown() -> None:
    sure, doubtful, unlikely = (
        ranked(None, site_id=n, log_odds=x) for n, x in (("a", 3), ("b", 0), ("c", -3))
    )
    assert [s.site_id for s in likeliest_first([doubtful, unlikely, sure])] == ["a", "b", "c"]
    assert by_doubt([sure, unlikely, doubtful])[0].site_id == "b"
