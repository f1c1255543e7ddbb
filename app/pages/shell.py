"""app.pages.shell: navigation, banner and the parts that every page shares; each page is authorised here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Literal

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app.i18n import _
from app.pages import filters, map, model, sample, site, table
from app.pages.plain import plain
from app.services.exports import not_proof
from app.web.context import current
from app.web.print_page import made_up_banner
from app.web.routes import static_folder
from geodata.errors import KilnlightError


@dataclass(frozen=True)
class Page:
    """A page of the app: the kind that `authorise` knows, its address, title and what draws it."""

    kind: str
    path: str
    title: str
    draw: Callable[[], None]
    filtered: bool = False
    visibility: Literal["visible", "hidden"] = "visible"


def pages() -> tuple[Page, ...]:
    """All pages, the first one at the root."""
    return (
        Page("page.map", "", _("Map"), map.draw, filtered=True),
        Page("page.table", "table", _("Table"), table.draw, filtered=True),
        Page("page.site", "site", _("Site"), site.draw, visibility="hidden"),
        Page("page.sample", "sample", _("Random sample"), sample.draw),
        Page("page.model", "model", _("Model"), model.draw),
    )


def show() -> None:
    """Run the page that the address names."""
    st.set_page_config(_("Kilnlight"), page_icon="🧱", layout="wide")
    st.html(static_folder() / "shell.css")
    shown = pages()
    chosen = st.navigation([_streamlit_page(page) for page in shown])
    page = next(page for page in shown if page.path == chosen.url_path)
    with st.sidebar:
        st.html(f'<p class="links"><a href="/label" target="_self">{escape(_("Label pictures"))}</a></p>')
        if page.filtered and current().may("see", page.kind).allowed:
            filters.draw()
        st.caption(not_proof())
    chosen.run()


def _streamlit_page(page: Page) -> StreamlitPage:
    guarded = partial(run_guarded, page)
    return st.Page(
        guarded, title=page.title, url_path=page.path, default=not page.path, visibility=page.visibility
    )


@st.fragment
def run_guarded(page: Page) -> None:
    """Draw a page where `authorise` allows it, else say why not.

    A click within a page runs only this again, so that it is asked every time.
    """
    context = current()
    decision = context.may("see", page.kind)
    if not decision.allowed:
        st.error(decision.reason)
        return
    try:
        if context.store.counts().made_up:
            st.html(f'<p class="made-up" role="note">{escape(made_up_banner())}</p>')
        page.draw()
    except KilnlightError as error:
        st.error(plain(str(error)))
