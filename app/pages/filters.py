"""app.pages.filters: the filters beside map and table; they hold the selection of this visit."""

import streamlit as st

from app.i18n import _
from app.services import words
from app.services.rank_band import BANDS, band_words, bounds
from app.services.selection import MEASURES, VERDICT_CODES, Selection

_KEY = "selection"
_FIRST_IMAGE = "2015-06-27"
"""The day of Sentinel-2's first image."""


def selection() -> Selection:
    """What the filters say now."""
    found = st.session_state.get(_KEY)
    return found if isinstance(found, Selection) else Selection()


def coverage_shown() -> bool:
    """Whether the coverage layer is switched on."""
    return bool(st.session_state.get("coverage_shown", False))


def draw() -> None:
    """Draw the filters and keep what they say."""
    st.subheader(_("Show possible kilns"))
    names = {"score": _("Model score"), "probability": _("Probability"), "rank": _("Rank by score")}
    measure = st.radio(
        _("Filter by"), MEASURES, format_func=names.__getitem__, horizontal=True, key="measure"
    )
    low, high = _band(str(measure))
    if measure == "probability":
        st.caption(
            _(
                "Model and volunteers together. A site without a probability (the model is not calibrated "
                "for its imagery) shows only while the range begins at 0 %."
            )
        )
    elif measure == "rank":
        st.caption(_("Quarters of this model's scores in this project: a rank, not a chance."))
    verdicts = st.pills(
        _("Verdict"),
        VERDICT_CODES,
        format_func=words.verdict_words().__getitem__,
        selection_mode="multi",
        default=VERDICT_CODES,
        key="verdicts",
    )
    # one below the other: beside each other the sidebar cuts the year off
    seen_from, seen_to = (
        st.date_input(label, value=None, key=key, min_value=_FIRST_IMAGE, format="YYYY-MM-DD")
        for label, key in ((_("Seen from"), "seen_from"), (_("Seen to"), "seen_to"))
    )
    candidates = st.toggle(_("Also those below the threshold"), key="candidates")
    st.toggle(_("Coverage: where was looked"), key="coverage_shown")
    st.session_state[_KEY] = Selection(
        measure=str(measure),
        low=low,
        high=high,
        verdicts=tuple(verdicts),
        seen_from=seen_from,
        seen_to=seen_to,
        candidates=candidates,
    )


def _band(measure: str) -> tuple[float, float]:
    """From where to where, 0 to 1: a probability is chosen in percent, a score as the number that it is."""
    label, key = _("From – to"), f"band_{measure}"
    if measure == "rank":
        bands = st.select_slider(
            label, BANDS, (BANDS[0], BANDS[-1]), format_func=band_words().__getitem__, key=key
        )
        return bounds(*bands)
    if measure == "probability":
        low, high = st.slider(label, 0, 100, (0, 100), 5, format="%d%%", key=key)
        return low / 100, high / 100
    return st.slider(label, 0.0, 1.0, (0.0, 1.0), 0.05, format="%.2f", key=key)
