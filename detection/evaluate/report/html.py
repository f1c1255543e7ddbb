"""detection.evaluate.report.html: a report as ONE page: pictures inside, nothing fetched, no script.

In English: it is a paper for those who measure models, and goes beside others' papers.
"""

from dataclasses import dataclass
from importlib import resources

import numpy as np
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from detection.evaluate.curves import Band
from detection.evaluate.estimate import Estimate
from detection.evaluate.groups import Group
from detection.evaluate.matching import HIT_RADIUS_M
from detection.evaluate.reliability import Reliability
from detection.evaluate.report import charts, words
from detection.evaluate.report.content import Report
from detection.evaluate.report.entries import Entry
from detection.evaluate.report.errors import hit_errors
from detection.evaluate.report.protocol import ground_sentence, protocol
from detection.evaluate.summary import HIT, Row

Pictures = dict[Entry, Markup]
_PR_WORDS = (
    "Precision by recall, wall to wall, at the true prevalence of kilns on this land; the best precision at "
    "each recall or a higher one. Shaded: 95 %."
)
_FROC_WORDS = "Recall by false alarms per 1,000 km² of observed ground. Shaded: 95 %."
_SCENES_SHOWN = 60
_RECALLS_SHOWN = tuple(np.arange(0.5, 1.0, 0.05))
_RATES_SHOWN = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


@dataclass(frozen=True)
class Chart:
    """A chart, and what it shows in words."""

    svg: Markup
    words: str


@dataclass(frozen=True)
class GalleryPart:
    """All entries of one kind."""

    kind: str
    title: str
    entries: tuple[Entry, ...]
    note: str


def as_html(report: Report, pictures: dict[Entry, str], *, made_up: bool = False) -> str:
    """The whole page as text.

    Args:
        report: all figures.
        pictures: SVG of some of the entries, from `gallery.draw_pictures`.
        made_up: the imagery was painted.
    """
    folder = resources.files("detection.evaluate.report") / "page"

    def load(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(load), trim_blocks=True
    )
    environment.filters.update(num=words.number, est=_estimate, p_value=words.p_words)
    environment.globals.update(
        cell=_cell, caption=words.caption, ground_cell=words.ground_cell, figure_name=words.FIGURE_NAMES.get
    )
    drawn = {entry: Markup(svg) for entry, svg in pictures.items()}  # our own markup, numbers only
    values = {**_head(report), **_tables(report), **_charts(report)}
    return environment.get_template("report.html.j2").render(
        **values,
        style=Markup(load("report.css")),
        report=report,
        pictures=drawn,
        gallery=_gallery(report, drawn),
        made_up=made_up,
    )


def _head(report: Report) -> dict[str, object]:
    subject, model, sample = report.subject, report.subject.model, report.subject.sample
    kilns = np.bincount(sample.kilns.region[~sample.kilns.ignored], minlength=len(sample.regions))
    scenes = list(zip(sample.regions, kilns.tolist(), strict=True))
    contents = [
        ("what", "What and how"),
        ("figures", "Figures"),
        ("curves", "Curves"),
        ("land", "Land"),
        ("regions", "Regions and sizes"),
        ("calibration", "Calibration"),
        ("errors", "Place and size"),
        *([("folds", "Folds")] if report.folds else []),
        *([("comparison", "Comparison")] if report.comparison else []),
        ("gallery", "Pictures"),
    ]
    return {
        "title": f"Evaluation of {model.name}",
        "summary": f"{sample.truth.kilns} known kilns on {sample.area_km2:,.0f} km² of {len(scenes)} "
        f"{'held-out parts' if report.folds else 'scenes'}, wall to wall; model {model.model_id}.",
        "ground": ground_sentence(report),
        "warn_ground": not report.folds and (bool(report.trained_regions) or not model.says_ground),
        "model": model,
        "contents": contents,
        "facts": _facts(report),
        "command": subject.command,
        "protocol": protocol(report),
        "scenes": scenes[:_SCENES_SHOWN],
        "hidden_scenes": max(0, len(scenes) - _SCENES_SHOWN),
        "coordinates": subject.coordinates,
        "land_hint": '[data.land] in RUN.toml: "a.tif" = "city"'
        if report.folds
        else "--land city=a.tif,b.tif",
    }


def _facts(report: Report) -> list[tuple[str, str]]:
    model, sample = report.subject.model, report.subject.sample
    return [
        ("Model", f"{model.name} ({model.model_id})"),
        ("Threshold", words.number(model.threshold, 4)),
        ("How it was chosen", model.threshold_chosen or "not told: the model's card is not at hand"),
        ("Trained on", "; ".join(model.training_data) or "not told"),
        ("Observed", f"{sample.area_km2:,.1f} km²"),
        ("Kilns to find", str(sample.truth.kilns)),
        (
            "Kilns that count neither way",
            f"{sample.kilns.count_ignored} (cut by an edge, or not visible)",
        ),
        ("Unverified places", str(len(sample.places.lon))),
    ]


def _tables(report: Report) -> dict[str, object]:
    rows = [_as_group(row) for row in report.rows]
    half = len(rows) // 2
    pooled = report.folds.pooled if report.folds else None
    at_100 = _at_hit_radius(report)
    return {
        "excused_rows": rows[:half],
        "strict_rows": rows[half:],
        "row_figures": words.ROWS,
        "rotated_figures": words.ROTATED,
        "region_figures": words.REGIONS,
        "size_figures": words.SIZES,
        "pooled_figures": words.POOLED,
        "pooled_rows": [Group("one threshold", at_100.scores, at_100.intervals), pooled] if pooled else [],
        "cards": _cards(report, at_100),
        "error_rows": [(label, report.errors[name], n) for name, (label, n) in words.ERROR_NAMES.items()],
        "calibration": list(report.calibration.items()),
        "comparison": report.comparison,
        "curve_rows": _some_points(report.precision_recall, _RECALLS_SHOWN),
        "froc_rows": _some_points(report.free_response, _RATES_SHOWN),
    }


def _cards(report: Report, at_100: Row) -> list[tuple[str, str, str]]:
    group = _as_group(at_100)
    cards = [
        (column.label, *_split(words.figure_of(group, column.name), column.digits))
        for column in (words.F1, words.PRECISION, words.RECALL, words.AP)
    ]
    cards.append(("rotated AP50", *_split(words.figure_of(report.rotated, "average_precision"), 3)))
    cards.append(("false alarms per 1,000 km²", *_split(words.figure_of(group, "false_per_1000_km2"), 1)))
    cards.append(("centre error, m", *_split(words.figure_of(group, "centre_error_m"), 1)))
    outside = all(region.no_probability for region in report.subject.sample.regions)
    for name, one in report.calibration.items():  # all of them: faint candidates alone are easily right
        within = "within" if one.within_perfect else "above"
        note = f"n = {one.n:,}; {within} the 90th percentile of a perfect model, {one.perfect_p90:.4f}"
        label = f"ECE, {name}, outside its domain" if outside else f"ECE, {name}"
        cards.append((label, words.number(one.ece.value, 4), note))
    return cards


def _charts(report: Report) -> dict[str, list[Chart]]:
    at_100 = _at_hit_radius(report).scores
    pr = charts.precision_recall(report.precision_recall, (at_100.recall, at_100.precision))
    froc = charts.free_response(report.free_response, (at_100.false_per_1000_km2, at_100.recall))
    errors = hit_errors(report.subject.sample, report.matching, report.subject.model.threshold)
    return {
        "curves": [_chart(pr, _PR_WORDS), _chart(froc, _FROC_WORDS)],
        "calibration_charts": [
            _chart(charts.reliability_diagram(one, f"reliability{k}"), _reliability_words(name, one))
            for k, (name, one) in enumerate(report.calibration.items())
        ],
        "size_charts": [
            _chart(
                charts.size_ratios(errors.length_ratio, errors.width_ratio),
                f"Size of the box by size of its kiln, {len(errors.length_ratio)} hits; what lies outside "
                "0.5 to 1.75 is drawn at the ends.",
            )
        ],
    }


def _reliability_words(name: str, one: Reliability) -> str:
    return (
        f"Reliability, {name}: {len(one.bins)} bins of equal counts, n = {one.n:,}; bars are 95 %, the "
        "dashed line is perfect."
    )


def _gallery(report: Report, pictures: Pictures) -> list[GalleryPart]:
    parts = []
    for kind, title in words.KINDS.items():
        entries = tuple(entry for entry in report.entries if entry.outcome == kind)
        shown = sum(entry in pictures for entry in entries)
        how = (
            "half of them those with the lowest scores, half drawn at random" if kind == HIT else "the worst"
        )
        note = f"{shown} of {len(entries)} are shown: {how}." if shown < len(entries) else ""
        parts.append(GalleryPart(kind, title, entries, note))
    return parts


def _at_hit_radius(report: Report) -> Row:
    return next(row for row in report.rows if row.with_places and row.scores.radius_m == HIT_RADIUS_M)


def _as_group(row: Row) -> Group:
    return Group(f"{row.scores.radius_m:.0f} m", row.scores, row.intervals)


def _chart(svg: str, said: str) -> Chart:
    return Chart(Markup(svg), said)  # drawn from numbers and our own words


def _some_points(band: Band, wanted: tuple[float, ...]) -> list[tuple[float, Estimate]]:
    """The band at the nearest of its points."""
    index = [int(np.abs(band.x - x).argmin()) for x in wanted]
    return [
        (x, Estimate(float(band.y[k]), float(band.low[k]), float(band.high[k])))
        for x, k in zip(wanted, index, strict=True)
    ]


def _cell(group: Group, name: str, digits: int) -> Markup:
    """A figure with its interval below it."""
    value, interval = _split(words.figure_of(group, name), digits)
    return escape(value) + (Markup("<i>{}</i>").format(interval) if interval else Markup(""))


def _split(estimate: Estimate, digits: int) -> tuple[str, str]:
    low = words.number(estimate.low, digits)
    between = "" if low == words.NOTHING else f"{low} to {words.number(estimate.high, digits)}"
    return words.number(estimate.value, digits), between


def _estimate(estimate: Estimate, digits: int, signed: bool = False) -> str:
    return words.estimate_words(estimate, digits, signed)
