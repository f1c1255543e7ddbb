"""app.pages.verdict: records what a person says is at a site; the probability stays as it is."""

from collections.abc import Callable

import streamlit as st

from app.i18n import _
from app.pages.plain import plain
from app.services import words
from app.services.sites import record_verdict, undo_verdict
from app.web.context import AppContext, current
from geodata.errors import BusyError, KilnlightError
from geodata.store.people import MAX_NOTE
from geodata.store.records import Site
from geodata.tables.columns import VERDICTS

_LONGEST_NAME = 60
_RECORDED = "verdicts_recorded"


def draw(site: Site) -> None:
    """The form, what was recorded last, and undo."""
    st.subheader(_("Your verdict: what is there?"))
    if site.object_verdict:
        recorded = words.verdict_words()[site.object_verdict]
        st.text(_("Recorded: {verdict}").format(verdict=recorded))
        if site.verdict_note:
            # st.text shows it as it is: a note is never markup
            st.text(site.verdict_note)
    # a new key empties the form, which must happen only once the verdict is stored
    recorded_before = st.session_state.get(_RECORDED, 0)
    with st.form(f"verdict_{site.site_id}_{recorded_before}"):
        choice = st.radio(
            _("Verdict"), VERDICTS, format_func=words.verdict_words().__getitem__, index=None, horizontal=True
        )
        note = st.text_area(_("Note (stays in this project)"), max_chars=MAX_NOTE, height=80)
        name = st.text_input(
            _("Your name or initials"), max_chars=_LONGEST_NAME, value=st.session_state.get("reviewer", "")
        )
        saved = st.form_submit_button(_("Record"), type="primary")
    if saved:
        st.session_state["reviewer"] = name.strip()
        _record(current(), site.site_id, choice, note.strip(), name.strip())
    if site.object_verdict and st.button(_("Undo the last verdict"), key=f"undo_{site.site_id}"):
        undo(current(), site.site_id)


def _record(context: AppContext, site_id: str, choice: str | None, note: str, name: str) -> None:
    decision = context.may("review", "site", site_id)
    if not decision.allowed:
        st.error(decision.reason)
    elif choice is None:
        st.warning(_("Choose a verdict first."))
    else:
        reviewer = _reviewer(context, name)
        _do(
            lambda: record_verdict(context.project, site_id, choice, note, reviewer, now=context.now),
            _("Recorded."),
        )


def undo(context: AppContext, site_id: str) -> None:
    """Take the latest verdict of a site back and draw the page anew."""
    decision = context.may("undo_review", "site", site_id)
    if not decision.allowed:
        st.error(decision.reason)
    else:
        reviewer = _reviewer(context, st.session_state.get("reviewer", ""))
        _do(lambda: undo_verdict(context.project, site_id, reviewer, now=context.now), _("Taken back."))


def _do(act: Callable[[], object], done: str) -> None:
    try:
        act()
    except BusyError:
        st.error(words.busy())
    except KilnlightError as error:
        st.error(_("This was not stored: {reason}").format(reason=plain(str(error))))
    else:
        st.session_state[_RECORDED] = st.session_state.get(_RECORDED, 0) + 1
        # the site may leave the filtered list by this, so the word must not hang on its panel
        st.toast(done)
        # counts, colours and the filtered list depend on it
        st.rerun()


def _reviewer(context: AppContext, name: str) -> str:
    return name or context.principal.name
