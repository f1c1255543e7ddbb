"""app.pages.site_panel: one site: picture, figures, evidence, verdict, history; beside map and table."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from app.i18n import _
from app.pages import verdict
from app.pages.plain import plain
from app.services import words
from app.services.coordinates import Place
from app.services.credits import credit
from app.services.overlay import picture_alt
from app.services.sites import view_site
from app.web.context import current
from app.web.print_page import evidence_row, site_facts
from geodata.errors import InputError
from geodata.store.records import Evidence, HistoryEntry, Site


def draw(site_id: str) -> None:
    """Draw the panel of a site, or say that there is none."""
    context = current()
    decision = context.may("see", "sites", site_id)
    if not decision.allowed:
        st.error(decision.reason)
        return
    try:
        view = view_site(context.project, site_id)
    except InputError as error:
        st.error(plain(str(error)))
        return
    st.header(words.name_of(view.site))
    _picture(view.site)
    _facts(view.site)
    _addresses(view.site, any(map(words.note_of, view.history)))
    verdict.draw(view.site)
    _evidence(view.evidence)
    _history(view.history)


def _picture(site: Site) -> None:
    if current().picture_path(site) is None:
        st.info(_("There is no picture of this site."))
        return
    # Streamlit takes SVG out of pages, so the drawing comes as a picture of its own
    alt = escape(picture_alt(site))
    st.html(f'<img class="site-picture" src="/api/outlined/{site.site_id}" alt="{alt}">')
    st.caption(credit(site.attribution_year, site.made_up))


def _facts(site: Site) -> None:
    skipped = {_("Coordinates"), _("Link for map programs")}
    pairs = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, value in site_facts(site)
        if name not in skipped
    )
    st.html(f'<dl class="facts">{pairs}</dl>')


def _addresses(site: Site, has_notes: bool) -> None:
    """Coordinates to copy, and links out of the app."""
    place = Place(site.lat, site.lon)
    st.code(place.text(), language=None)
    with st.container(horizontal=True):
        st.link_button(_("Map program"), place.geo_uri(), help=place.geo_uri())
        st.link_button(_("Print"), f"/print/site/{site.site_id}")
        if has_notes:
            st.link_button(_("Print with notes"), f"/print/site/{site.site_id}?notes=1")
        st.link_button(_("Own page"), f"/site?id={site.site_id}")


def _evidence(evidence: Sequence[Evidence]) -> None:
    with st.expander(_("Evidence ({n})").format(n=len(evidence))):
        lines = []
        for item in evidence:
            acquired, scene, model, score, state = evidence_row(item)
            what = _("Score {score}, {state}, model {model}").format(score=score, state=state, model=model)
            lines.append(f"<li>{escape(acquired)} · {escape(scene)}<small>{escape(what)}</small></li>")
        _list(lines)


def _history(history: Sequence[HistoryEntry]) -> None:
    with st.expander(_("History ({n})").format(n=len(history))):
        lines = []
        for entry in reversed(history):
            note = words.note_of(entry)
            text = f"<br>{escape(note)}" if note else ""
            who = f"{words.moment(entry.at)} · {words.who_words(entry)}"
            lines.append(f"<li>{escape(words.event_words(entry))}{text}<small>{escape(who)}</small></li>")
        _list(lines)


def _list(lines: list[str]) -> None:
    st.html(f'<ul class="lines">{"".join(lines)}</ul>' if lines else f"<p>{escape(_('Nothing yet.'))}</p>")
