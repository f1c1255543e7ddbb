"""app.pages.links: downloads and print pages of a selection, as plain links to the app's own routes."""

import streamlit as st

from app.i18n import _
from app.services.selection import Selection


def draw(selection: Selection) -> None:
    """The downloads of the selection; notes go along only where somebody ticks the box."""
    # the same words whatever the filters say: with another label Streamlit would fold it up again
    box = st.expander(_("Take this selection along: phone page, GeoJSON, CSV, print"))
    with box:
        notes = st.checkbox(_("With the reviewers' notes"), value=False, key="export_notes")
        query = selection.query() + ("&notes=1" if notes else "")
        items = (
            (f"/export/sites.html?{query}", _("One page for the phone (HTML)")),
            (f"/export/sites.geojson?{query}", _("GeoJSON")),
            (f"/export/sites.csv?{query}", _("CSV")),
            (f"/print/sites?{query}", _("Printable list")),
        )
        with st.container(horizontal=True):
            for address, text in items:
                st.link_button(text, address)
