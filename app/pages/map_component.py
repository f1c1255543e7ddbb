"""app.pages.map_component: the map as a Streamlit component; the drawing itself is app/static/map.js.

The sites do not pass through here: the browser fetches them once, as binary columns. Only the filters go
out, and the id of the site that a person picked comes back.
"""

from datetime import date
from functools import lru_cache
from typing import Any

import streamlit as st

from app.i18n import _
from app.services import words
from app.services.coordinates import Place
from app.services.credits import credit_of
from app.services.selection import VERDICT_CODES, Selection, ten_thousandths
from app.services.site_book import Edition
from geodata.store.records import Site

_KEY = "map"
_HEIGHT = 560
_EPOCH = date(1970, 1, 1)
# Streamlit loads the text as a blob, so addresses must be absolute; the line break marks it as code, not as
# a path
_SCRIPT = """
const ready = import(new URL("/assets/map.js", document.baseURI).href);
export default (component) => {
  let end;
  ready.then((module) => { end = module.default(component); });
  return () => end?.();
};
"""
_HTML = (
    '<link rel="stylesheet" href="/assets/vendor/maplibre-gl/maplibre-gl.css">'
    '<link rel="stylesheet" href="/assets/map.css"><div class="kilnmap"></div>'
)


@lru_cache(maxsize=1)
def _component() -> Any:
    return st.components.v2.component("kilnmap", html=_HTML, js=_SCRIPT)


def draw_map(
    edition: Edition, selection: Selection, place: Place | None, site: Site | None, coverage: bool
) -> None:
    """Draw the map; the id of a site that is picked on it goes into the session's `site`."""
    data = {
        "version": edition.version,
        "filters": filter_numbers(selection),
        "place": None if place is None else [place.lon, place.lat],
        "site": None if site is None else site.site_id,
        "corners": None if site is None or site.picture is None else site.picture_corners,
        "coverage": coverage,
        "credit": credit_of(edition.sites),
        "height": _HEIGHT,
        "words": map_words(),
    }
    # the key keeps one canvas through all filter changes; values come from clicks only, never from mounting
    _component()(data=data, key=_KEY, height=_HEIGHT, on_picked_change=_take_picked)


def _take_picked() -> None:
    """Runs before the script does, so that the whole page shows the new site at once."""
    picked = st.session_state[_KEY].get("picked")
    if isinstance(picked, str):
        st.session_state["site"] = picked


def filter_numbers(selection: Selection) -> dict[str, Any]:
    """The selection in the whole numbers of the columns."""
    return {
        "measure": selection.measure,
        "low": ten_thousandths(selection.low),
        "high": ten_thousandths(selection.high),
        "verdicts": [VERDICT_CODES.index(code) for code in selection.verdicts],
        "from": _day(selection.seen_from),
        "to": _day(selection.seen_to),
        "candidates": selection.candidates,
    }


def _day(day: date | None) -> int | None:
    return None if day is None else (day - _EPOCH).days


def map_words() -> dict[str, Any]:
    """Every word that the map shows."""
    return {
        "map": _(
            "Map of possible kilns. Arrow keys move, plus and minus zoom, N takes the next site in view."
        ),
        "per_cell": _("Possible kilns per cell"),
        "per_cell_with_faint": _("Per cell, also below the threshold"),
        "in_view": _("{n} in view"),
        "none_in_view": _("No possible kiln in view"),
        "verdicts": [words.verdict_words()[code] for code in VERDICT_CODES],
        "below": _("Below the threshold: {n}"),
        "coverage": words.coverage_words(),
        "coverage_title": _("Where was looked"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "all": _("Show all sites"),
        "failed": _("The map could not be drawn: {reason}"),
        "borders": _("Base map: Natural Earth. Borders are approximate and express no view."),
    }
