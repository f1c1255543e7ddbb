"""app.pages.map: the map with the chosen site beside it."""

from html import escape

import streamlit as st

from app.i18n import _
from app.pages import filters, links, site_panel
from app.pages.map_component import draw_map
from app.pages.plain import plain
from app.services import coverage_layer, words
from app.services.coordinates import Place, parse_place
from app.services.credits import credit_of
from app.services.selection import select
from app.web.context import current
from geodata.errors import InputError
from geodata.store.records import Site


def draw() -> None:
    """Draw the page."""
    counts = current().store.counts()
    if not counts.runs:
        _empty()
        return
    edition, chosen = current().book.edition(), filters.selection()
    found = select(edition.sites, chosen)
    left, right = st.columns([3, 1.25], gap="medium")
    with left:
        st.title(words.count_words(found))
        place = _go_to()
        draw_map(edition, chosen, place, _chosen_site(), filters.coverage_shown())
        # the map's own corner folds away on a phone
        st.caption(credit_of(edition.sites))
        links.draw(chosen)
    with right:
        if st.session_state.get("site") is None:
            _how_to()
        else:
            site_panel.draw(st.session_state["site"])


def _chosen_site() -> Site | None:
    site_id = st.session_state.get("site")
    return None if site_id is None else current().store.site(site_id)


def _go_to() -> Place | None:
    """The field for pasted coordinates, with what is known of the place."""
    text = st.text_input(
        _("Go to coordinates"), placeholder=_("Latitude, longitude, for example 28.71, 77.42"), key="go_to"
    )
    if not text.strip():
        return None
    try:
        place = parse_place(text)
    except InputError as error:
        st.error(plain(str(error)))
        return None
    tiles = current().store.tiles((place.lon, place.lat, place.lon, place.lat))
    state = coverage_layer.state_at(tiles, place.lon, place.lat)
    st.caption(_("{place}: {state}.").format(place=place.text(), state=words.coverage_words()[state]))
    return place


def _how_to() -> None:
    st.header(_("No site chosen"))
    st.markdown(
        _(
            "Click a cell to come closer, then a dot. With the keyboard: arrows move, **+** and **−** zoom,"
            " **N** takes the next site in view. The same sites are in the **Table**."
        )
    )


def _empty() -> None:
    """What a person sees who opened a project without anything in it."""
    project = current().project.folder
    st.title(_("Nothing here yet"))
    st.markdown(_("This project holds no imagery run. Two commands bring one in:"))
    st.code(
        f"kilnlight detect SCENE.tif --out run\nkilnlight import run --project {project}", language="bash"
    )
    text = _(
        "Then reload this page. Without imagery of your own, 'make demo' shows everything on a made-up scene."
    )
    st.html(f'<p class="quiet">{escape(text)}</p>')
