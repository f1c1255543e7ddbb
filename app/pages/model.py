"""app.pages.model: the researcher's page: the model's card, its figures, evaluations on own scenes."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.i18n import _
from app.pages import evaluations
from app.services import model_card
from detection.bundle import Bundle, load_bundle, shipped_bundle_path
from geodata.errors import InputError


def draw() -> None:
    """Draw the page."""
    st.title(_("Model"))
    try:
        bundle = load_bundle(shipped_bundle_path())
    except InputError as error:
        st.error(str(error))
    else:
        draw_card(bundle)
    evaluations.draw()


def draw_card(bundle: Bundle) -> None:
    """The card of one model."""
    card = bundle.card
    for item in card.unvalidated:
        st.warning(_("Not validated: {what}").format(what=item))
    left, right = st.columns(2, gap="large")
    with left:
        st.header(_("What it is"))
        _facts(model_card.identity_rows(bundle))
    with right:
        st.header(_("From which score on"))
        _facts(model_card.threshold_rows(card))
        st.header(_("Where the figures hold"))
        _facts(model_card.domain_rows(card.domain))
    _figures(bundle)
    st.header(_("What it was trained on"))
    _table(model_card.training_table(card.training_data))


def _figures(bundle: Bundle) -> None:
    st.header(_("How good it is"))
    figures = bundle.card.figures
    if not figures:
        st.info(_("The card gives no figures."))
        return
    for protocol, columns in model_card.figure_tables(figures).items():
        st.subheader(protocol)
        _table(columns)
    st.caption(_("Intervals are 95 %. The commands that give these figures:"))
    st.code("\n".join(model_card.commands(figures)), language=None)


def _facts(rows: model_card.Rows) -> None:
    """Names and values as a table without a head."""
    _table({_("What"): [name for name, _value in rows], _("Value"): [value for _name, value in rows]})


def _table(columns: Mapping[str, list[str]]) -> None:
    frame = pd.DataFrame(columns)
    st.table(frame.set_index(frame.columns[0]))
