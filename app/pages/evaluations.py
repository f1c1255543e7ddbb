"""app.pages.evaluations: how the model did on scenes with known kilns: figures, hits, false alarms."""

from collections.abc import Sequence
from html import escape
from math import isfinite

import streamlit as st

from app.i18n import _
from app.pages import html_table
from app.pages.plain import plain
from app.services import words
from app.services.coordinates import Place
from app.services.credits import credit_of
from app.services.evaluations import (
    CurvePoint,
    FigureRow,
    SavedEvaluation,
    ShownOutcome,
    beside_sites,
    curve_points,
    evaluation_folders,
    load_evaluation,
)
from app.services.overlay import picture_alt
from app.web.context import current
from geodata.errors import InputError

_PER_PAGE = 12
_COLUMNS = 4


def draw(shipped: str | None) -> None:
    """Draw the part of the page, or say how an evaluation comes here.

    `shipped` is the id of the model that the page shows above; None where it could not be read.
    """
    st.header(_("Evaluations on your own scenes"))
    folders = evaluation_folders(current().project.folder)
    st.caption(_("To add one, give its folder inside the project to the command:"))
    command = "kilnlight evaluate SCENE… --labels KILNS.geojson --out {project}/evaluations/NAME"
    st.code(command.format(project=current().project.folder.name), language=None)
    if not folders:
        st.info(_("There is no evaluation in this project yet."))
        return
    folder = st.selectbox(_("Evaluation"), folders, format_func=lambda path: path.name, key="evaluation")
    try:
        evaluation = load_evaluation(folder)
    except InputError as error:
        st.error(plain(str(error)))
        return
    _summary(evaluation, shipped)
    _outcomes(evaluation)


def _summary(evaluation: SavedEvaluation, shipped: str | None) -> None:
    summary = evaluation.summary
    st.write(
        _("Model {model} at threshold {threshold}; {area} km² observed in {n} scene(s).").format(
            model=summary.model_id,
            threshold=f"{summary.threshold:.3f}",
            area=f"{summary.observed_km2:,.0f}",
            n=len(summary.scenes),
        )
    )
    if summary.model_id != shipped:
        st.info(_("This evaluation is of another model than the one above."))
    for title, columns in _figure_tables(summary.rows):
        st.subheader(title)
        html_table.draw(columns)
    points = curve_points(evaluation)
    if points:
        st.subheader(_("Precision and recall by threshold"))
        html_table.draw(_curve_columns(points))


def _figure_tables(all_rows: Sequence[FigureRow]) -> list[tuple[str, dict[str, list[str]]]]:
    """With and without the unverified places; one table where they make no difference."""
    excused, counted = (
        _figure_columns([row for row in all_rows if row.unverified_places_excused is way])
        for way in (True, False)
    )
    if excused == counted:
        return [(_("Figures"), excused)]
    return [
        (_("Unverified places count neither way"), excused),
        (_("Detections at unverified places count as false alarms"), counted),
    ]


def _figure_columns(rows: Sequence[FigureRow]) -> dict[str, list[str]]:
    """Column per radius, in the order of the file."""
    names = {
        "f1": _("F1"),
        "precision": _("Precision"),
        "recall": _("Recall"),
        "average_precision": _("Average precision"),
        "false_per_1000_km2": _("False alarms per 1,000 km²"),
        "centre_error_m": _("Median centre error (m)"),
    }
    columns = {_("Centres within"): [*names.values(), _("Hits of kilns"), _("False alarms")]}
    for row in rows:
        hits = _("{hits} of {kilns}").format(hits=row.hits, kilns=row.kilns)
        cells = [*(_cell(row, name) for name in names), hits, str(row.false_alarms)]
        columns[_("{metres} m").format(metres=f"{row.radius_m:.0f}")] = cells
    return columns


def _cell(row: FigureRow, name: str) -> str:
    """A figure with its 95 % interval."""
    value = getattr(row, name)
    digits = 1 if name in {"false_per_1000_km2", "centre_error_m"} else 3
    if value is None:
        return "–"
    low, high = row.intervals_95.get(name, (None, None))
    text = f"{value:.{digits}f}"
    return text if low is None or high is None else f"{text} ({low:.{digits}f} – {high:.{digits}f})"


def _curve_columns(points: Sequence[CurvePoint]) -> dict[str, list[str]]:
    return {
        _("Threshold"): [f"{point.threshold:.3f}" for point in points],
        _("Precision"): [_three(point.precision) for point in points],
        _("Recall"): [_three(point.recall) for point in points],
        _("F1"): [_three(point.f1) for point in points],
        _("Hits"): [str(point.hits) for point in points],
        _("False alarms"): [str(point.false_alarms) for point in points],
    }


def _three(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "–"


def _outcomes(evaluation: SavedEvaluation) -> None:
    """Pictures and places; only for those who may see places."""
    decision = current().may("see", "sites")
    if not decision.allowed:
        st.info(decision.reason)
        return
    st.caption(_("Scenes: {names}").format(names=plain(", ".join(evaluation.summary.scenes))))
    st.subheader(_("Hits and misses"))
    names = {
        "false_alarm": _("False alarms"),
        "missed": _("Missed kilns"),
        "hit": _("Hits"),
        "excused": _("At unverified places"),
    }
    kind = str(
        st.radio(_("Show"), list(names), format_func=names.__getitem__, horizontal=True, key="outcomes")
    )
    # the surest errors first; missed kilns have no score
    chosen = sorted(
        (one for one in evaluation.outcomes if one.outcome == kind), key=lambda one: -(one.score or 0)
    )
    st.caption(_("{n} in all; those with a picture in this project show it.").format(n=len(chosen)))
    pages = max(1, -(-len(chosen) // _PER_PAGE))
    page = int(st.number_input(_("Page"), 1, pages, 1, key=f"page_{kind}")) if pages > 1 else 1
    part = chosen[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    _cards(beside_sites(part, current().book.edition().sites))


def _cards(shown: Sequence[ShownOutcome]) -> None:
    for start in range(0, len(shown), _COLUMNS):
        row = shown[start : start + _COLUMNS]
        for column, one in zip(st.columns(_COLUMNS), row, strict=False):
            with column:
                st.html(_card(one))


def _card(one: ShownOutcome) -> str:
    outcome, site = one.outcome, one.site
    picture = f"<p>{escape(_('No picture'))}</p>"
    credit = ""
    if site is not None and current().picture_path(site) is not None:
        alt = escape(picture_alt(site))
        picture = f'<img class="site-picture" src="/api/outlined/{escape(site.site_id)}" alt="{alt}">'
        credit = f"<small>{escape(credit_of([site]))}</small>"
    lines = [Place(outcome.lat, outcome.lon).text()]
    if outcome.score is not None:
        lines.append(_("Score {score}").format(score=words.score(outcome.score)))
    if outcome.distance_m is not None:
        lines.append(_("{metres} m from the kiln").format(metres=round(outcome.distance_m)))
    return f"<div>{picture}<p>{'<br>'.join(map(escape, lines))}</p>{credit}</div>"
