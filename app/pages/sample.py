"""app.pages.sample: the random sample to review, one place after the other in the order of the draw.

Score, probability and history are not shown: a verdict that follows the model's opinion cannot check it.
"""

from html import escape

import streamlit as st

from app.i18n import _, _n
from app.pages import verdict
from app.services.coordinates import Place
from app.services.credits import credit
from app.services.overlay import picture_alt
from app.services.review_sample import ENOUGH, Progress, sample_progress
from app.web.context import current
from geodata.store.records import Site

_SHOWN, _BEFORE = "sample_shown", "sample_before"


def draw() -> None:
    """Draw the page."""
    st.title(_("Random sample to review"))
    progress = sample_progress(current().project)
    if progress is None:
        _empty()
        return
    _counts(progress)
    site = None if progress.next_site is None else current().store.site(progress.next_site)
    before = _place_before(progress.next_site)
    if site is None:
        st.success(_("Every place of the sample has a verdict."))
        folder = current().project.folder
        st.code(f"kilnlight calibrate --project {folder} --out NEW_MODEL", language="bash")
        _take_back(before)
        return
    decision = current().may("see", "sites", site.site_id)
    if not decision.allowed:
        st.error(decision.reason)
        return
    left, right = st.columns([1, 1], gap="medium")
    with left:
        _picture(site)
    with right:
        verdict.draw(site)
        _take_back(before)


def _empty() -> None:
    st.markdown(
        _(
            "Probabilities hold only where the model was calibrated. To calibrate it for this land, draw "
            "places at random and say of each what is there; 200 of them are needed."
        )
    )
    folder = current().project.folder
    st.code(f"kilnlight calibrate --project {folder} --sample 250 --scenes IMAGERY", language="bash")


def _counts(progress: Progress) -> None:
    share = progress.done / progress.places
    text = _("{done} of {places} done").format(done=progress.done, places=progress.places)
    st.progress(share, text=text)
    missing = max(ENOUGH - progress.counted, 0)
    if missing:
        still = _n(
            "{counted} count for a calibration, {missing} more is needed.",
            "{counted} count for a calibration, {missing} more are needed.",
            missing,
        ).format(counted=progress.counted, missing=missing)
        order = _("Take them in this order and leave none out; where nobody can tell, Unsure is a verdict.")
        st.caption(still)
        st.caption(order)
    else:
        st.caption(_("{counted} count: enough for a calibration.").format(counted=progress.counted))


def _place_before(next_site: str | None) -> str | None:
    """The place that was judged last in this visit."""
    shown = st.session_state.get(_SHOWN)
    if shown != next_site:
        st.session_state[_BEFORE] = shown
        st.session_state[_SHOWN] = next_site
    before = st.session_state.get(_BEFORE)
    return before if isinstance(before, str) else None


def _take_back(before: str | None) -> None:
    site = None if before is None else current().store.site(before)
    if site is not None and site.object_verdict and st.button(_("Take back the verdict on the place before")):
        verdict.undo(current(), site.site_id)


def _picture(site: Site) -> None:
    place = Place(site.lat, site.lon)
    if current().picture_path(site) is None:
        st.info(_("There is no picture of this site."))
    else:
        alt = escape(picture_alt(site))
        st.html(f'<img class="site-picture" src="/api/outlined/{site.site_id}" alt="{alt}">')
        st.caption(credit(site.attribution_year, site.made_up))
    st.code(place.text(), language=None)
    st.link_button(_("Map program"), place.geo_uri(), help=place.geo_uri())
