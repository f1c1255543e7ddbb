"""app.pages.model: the researcher's page: the model's card, its figures, evaluations on own scenes."""

import streamlit as st

from app.i18n import _
from app.pages import evaluations, html_table
from app.pages.plain import plain
from app.services import model_card
from app.services.model import folder_in_use
from app.services.run_models import models_of_runs
from app.web.context import current
from detection.bundle import Bundle, load_bundle
from geodata.errors import InputError
from geodata.store.models import model_choices


def draw() -> None:
    """Draw the page."""
    st.title(_("Model"))
    try:
        bundle = load_bundle(folder_in_use(current().project))
    except InputError as error:
        st.error(_("The model in use cannot be read: {reason}").format(reason=plain(str(error))))
        _models_of_runs(None)
        evaluations.draw(None)
    else:
        _chosen()
        _models_of_runs(bundle.model_id)
        draw_card(bundle)
        evaluations.draw(bundle.model_id)


def _chosen() -> None:
    """Since when and why the project uses this model, where somebody chose it."""
    with current().store.reading() as connection:
        choices = model_choices(connection)
    if choices:
        last = choices[-1]
        since = _("In use since {date}: {why}").format(date=f"{last.at:%Y-%m-%d}", why=plain(last.why))
        st.caption(since)


def _models_of_runs(in_use: str | None) -> None:
    """Which models the project's runs were made with; only the card of the one in use is shown."""
    for model in models_of_runs(current().project.runs):
        what = plain(f"{model.model_name} ({model.model_id})")
        if model.model_id == in_use:
            st.caption(_("Runs of this project were made by {model}, the model below.").format(model=what))
        else:
            st.info(
                _(
                    "Runs of this project were made by {model}, whose card is not here: "
                    "figures, threshold and licence below are not those of that model."
                ).format(model=what)
            )


def draw_card(bundle: Bundle) -> None:
    """The card of one model."""
    card = bundle.card
    if card.unvalidated:
        st.warning(_("Unvalidated on: {what}").format(what=plain("; ".join(card.unvalidated))))
    left, right = st.columns(2, gap="large")
    with left:
        st.header(_("What it is"))
        html_table.facts(model_card.identity_rows(bundle))
    with right:
        st.header(_("From which score on"))
        html_table.facts(model_card.threshold_rows(card))
        st.header(_("Where the figures hold"))
        html_table.facts(model_card.domain_rows(card.domain))
    _figures(bundle)
    st.header(_("What it was trained on"))
    html_table.draw(model_card.training_table(card.training_data))


def _figures(bundle: Bundle) -> None:
    st.header(_("How good it is"))
    figures = bundle.card.figures
    if not figures:
        st.info(_("The card gives no figures."))
        return
    for protocol, columns in model_card.figure_tables(figures).items():
        st.subheader(plain(protocol))
        html_table.draw(columns)
    st.caption(_("Intervals are 95 %. The commands that give these figures:"))
    st.code("\n".join(model_card.commands(figures)), language=None)
