"""app.pages.site: one site on a page of its own, at /site?id=...; the address can be kept and passed on."""

import streamlit as st

from app.i18n import _
from app.pages import site_panel


def draw() -> None:
    """Draw the page of the site that the address names."""
    site_id = st.query_params.get("id") or st.session_state.get("site")
    if not site_id:
        st.info(_("No site chosen: pick one on the map or in the table."))
        return
    left, _rest = st.columns([1, 1])
    with left:
        site_panel.draw(str(site_id))
