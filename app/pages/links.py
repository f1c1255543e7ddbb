"""app.pages.links: downloads and print pages of a selection, as plain links to the app's own routes."""

from html import escape

import streamlit as st

from app.i18n import _
from app.services.selection import Selection


def draw(selection: Selection, count: int) -> None:
    """The downloads of the selection; notes go along only where somebody ticks the box."""
    st.subheader(_("Take these {n} sites along").format(n=count))
    notes = st.checkbox(_("With the reviewers' notes"), value=False, key="export_notes")
    query = selection.query() + ("&notes=1" if notes else "")
    items = (
        (f"/export/sites.html?{query}", _("One page for the phone (HTML)"), True),
        (f"/export/sites.geojson?{query}", _("GeoJSON"), True),
        (f"/export/sites.csv?{query}", _("CSV"), True),
        (f"/print/sites?{query}", _("Printable list"), False),
    )
    st.html(f'<p class="links">{"".join(link(*item) for item in items)}</p>')


def link(href: str, text: str, download: bool = False) -> str:
    """A link as HTML; downloads do not leave the page."""
    how = "download" if download else 'target="_blank" rel="noopener"'
    return f'<a href="{escape(href)}" {how}>{escape(text)}</a>'
