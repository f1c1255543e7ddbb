"""app.pages.table: the selection of the map as a table; one site after the other, most doubtful first."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from app.i18n import _
from app.pages import filters, links, site_panel
from app.services import words
from app.services.rank_band import rank_words
from app.services.selection import by_doubt, doubt, likeliest_first, select
from app.web.context import current
from geodata.store.records import Site

Order = Callable[[Sequence[Site]], list[Site]]


def draw() -> None:
    """Draw the page."""
    chosen = filters.selection()
    found = select(current().book.edition().sites, chosen)
    st.title(words.count_words(found))
    if not found:
        st.info(_("No site passes these filters."))
        return
    _browse(found)


def _browse(found: Sequence[Site]) -> None:
    orders = _orders()
    name = st.radio(
        _("Order"), list(orders), format_func=lambda key: orders[key][0], horizontal=True, key="order"
    )
    ordered = orders[str(name)][1](found)
    left, right = st.columns([2, 1.25], gap="medium")
    with left:
        event = st.dataframe(
            _frame(ordered),
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key=f"table_{name}",
            height=520,
            column_config={
                _("Probability"): st.column_config.NumberColumn(format="%.0f %%", width=85),
                _("Model score"): st.column_config.NumberColumn(format="%.2f", width=85),
                _("Doubt"): st.column_config.ProgressColumn(min_value=0, max_value=1, format=" ", width=60),
            },
        )
        for sentence in words.cautions(ordered):
            st.caption(sentence)
        _take(event.selection.rows, ordered)
        _step(ordered)
        links.draw(filters.selection())
    with right:
        if st.session_state.get("site"):
            site_panel.draw(st.session_state["site"])
        else:
            st.info(_("Choose a row, or walk through them with Next."))


def _orders() -> dict[str, tuple[str, Order]]:
    return {
        "doubt": (_("Most doubtful first"), by_doubt),
        "likely": (_("Likeliest first"), likeliest_first),
        "recent": (
            _("Last seen first"),
            lambda sites: sorted(sites, key=lambda s: str(s.last_seen or ""), reverse=True),
        ),
    }


def _frame(sites: Sequence[Site]) -> pd.DataFrame:
    verdicts = words.verdict_words()
    return pd.DataFrame(
        {
            _("Site"): [s.site_id for s in sites],
            _("Probability"): [_percent(s.probability) for s in sites],
            _("Rank by score"): [rank_words(s) for s in sites],
            _("Model score"): [s.score for s in sites],
            _("Doubt"): [doubt(s) for s in sites],
            _("Verdict"): [verdicts[s.object_verdict or "none"] for s in sites],
            _("Say kiln"): [s.votes_kiln for s in sites],
            _("Say no kiln"): [s.votes_none for s in sites],
            _("Last seen"): [words.day(s.last_seen) for s in sites],
            _("Latitude"): [round(s.lat, 5) for s in sites],
            _("Longitude"): [round(s.lon, 5) for s in sites],
        }
    )


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _take(rows: Sequence[int], ordered: Sequence[Site]) -> None:
    """Take the row that was clicked, once: the buttons may have gone on from it since."""
    clicked = ordered[rows[0]].site_id if rows and rows[0] < len(ordered) else None
    if clicked != st.session_state.get("row_clicked"):
        st.session_state["row_clicked"] = clicked
        if clicked is not None:
            st.session_state["site"] = clicked


def _step(ordered: Sequence[Site]) -> None:
    """Two buttons that walk through the order, for the keyboard."""
    ids = [site.site_id for site in ordered]
    here = ids.index(st.session_state["site"]) if st.session_state.get("site") in ids else -1
    left, right, place = st.columns([1, 1, 2])
    before, after = ids[max(here - 1, 0)], ids[min(here + 1, len(ids) - 1)]
    # callbacks run before the page does, so that the panel beside shows the new site at once
    left.button(_("Previous"), disabled=here <= 0, width="stretch", on_click=_choose, args=(before,))
    right.button(
        _("Next"),
        disabled=here >= len(ids) - 1,
        width="stretch",
        type="primary",
        on_click=_choose,
        args=(after,),
    )
    place.caption(_("{k} of {n}").format(k=here + 1, n=f"{len(ids):,}") if here >= 0 else "")


def _choose(site_id: str) -> None:
    st.session_state["site"] = site_id
