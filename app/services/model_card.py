"""app.services.model_card: a model's card as rows that a person reads; pure, knows no page."""

from collections.abc import Sequence

from app.i18n import _
from detection.bundle import Bundle, Calibration, Card, Domain, Figure, TrainingData
from detection.normalise import Normalisation

Rows = Sequence[tuple[str, str]]


def identity_rows(bundle: Bundle) -> Rows:
    """What the model is and where it comes from."""
    card = bundle.card
    return [
        (_("Name"), card.name),
        (_("Model id"), bundle.model_id),
        (_("Architecture"), card.architecture),
        (_("Bands"), ", ".join(card.bands)),
        (_("Pixel size"), _("{metres} m").format(metres=f"{card.pixel_size_m:g}")),
        (_("Normalisation"), normalisation_words(card.normalisation)),
        (_("Classes of kilns"), ", ".join(card.kiln_classes)),
        (_("Licence of the weights"), card.licence),
        (_("Made"), f"{card.created_at:%Y-%m-%d} ({card.commit[:12]})"),
    ]


def normalisation_words(how: Normalisation) -> str:
    """How the net's input is made, in one sentence."""
    return _(
        "each band by the mean and spread of the {side} px around it, with {share} of the scene's own "
        "spread; clipped at ±{clip}"
    ).format(side=how.box_px, share=f"{how.scene_weight:g}", clip=f"{how.clip:g}")


def threshold_rows(card: Card) -> Rows:
    """From which score on a detection counts, and what a score means."""
    return [
        (_("Threshold"), f"{card.threshold:.3f}"),
        (_("How it was chosen"), card.threshold_chosen),
        (_("Candidates are kept from"), f"{card.candidate_floor:.3f}"),
        (_("Probability"), calibration_words(card.calibration)),
        *((_("Local probability"), local_words(one)) for one in card.local_calibrations),
    ]


def calibration_words(calibration: Calibration | None) -> str:
    """How scores become probabilities, in one sentence."""
    if calibration is None:
        return _("not calibrated: the score ranks possible kilns, it is not a chance")
    text = _(
        "calibrated ({method}) on {n} detections in parts of the training area that the model had not seen; "
        "it holds inside the domain below and nowhere else"
    )
    if calibration.domain is not None:
        text = _(
            "calibrated ({method}) on {n} detections in parts of the training area that the model had not "
            "seen; it holds for {domain} and nowhere else"
        )
    domain = (
        ", ".join(value for _name, value in domain_rows(calibration.domain)) if calibration.domain else ""
    )
    return text.format(method=calibration.method, n=f"{calibration.n:,}", domain=domain)


def local_words(calibration: Calibration) -> str:
    """What a calibration on reviews rests on and where it holds, in one sentence."""
    rows = [] if calibration.domain is None else domain_rows(calibration.domain)
    domain = ", ".join(value for _name, value in rows) or _("the domain below")
    if calibration.zoom != 1.0:
        domain += _(", enlarged {zoom} times").format(zoom=f"{calibration.zoom:g}")
    return _("{method}; {n} reviews; holds for {domain}").format(
        method=calibration.method, n=f"{calibration.n:,}", domain=domain
    )


def domain_rows(domain: Domain) -> Rows:
    """Where, when and on what the figures hold; what the card does not state is outside, as for `detect`."""
    lons = [lon for lon, _lat in domain.area]
    lats = [lat for _lon, lat in domain.area]
    not_stated = _("not stated: counts as outside")
    area = not_stated
    if lons:
        area = _("{south} to {north} north, {west} to {east} east").format(
            south=f"{min(lats):.2f}°",
            north=f"{max(lats):.2f}°",
            west=f"{min(lons):.2f}°",
            east=f"{max(lons):.2f}°",
        )
    return [
        (_("Area"), area),
        (_("Months"), ", ".join(_month(number) for number in domain.months) or not_stated),
        (_("Products"), ", ".join(domain.products) or not_stated),
    ]


def training_table(data: Sequence[TrainingData]) -> dict[str, list[str]]:
    """What the weights have seen, as columns."""
    return {
        _("Training data"): [item.name for item in data],
        _("Kilns"): [f"{item.kilns:,}" for item in data],
        _("Area"): [_("{n} km²").format(n=f"{item.area_km2:,.0f}") for item in data],
        _("Licence"): [item.licence for item in data],
        _("Credit"): [item.attribution for item in data],
    }


def figure_tables(figures: Sequence[Figure]) -> dict[str, dict[str, list[str]]]:
    """The card's figures as one table (columns) per protocol, in the card's order."""
    protocols = dict.fromkeys(figure.protocol for figure in figures)
    return {protocol: _figures([f for f in figures if f.protocol == protocol]) for protocol in protocols}


def commands(figures: Sequence[Figure]) -> list[str]:
    """The commands that give the figures, each once."""
    return list(dict.fromkeys(figure.command for figure in figures if figure.command))


def _figures(figures: Sequence[Figure]) -> dict[str, list[str]]:
    return {
        _("Figure"): [figure.name for figure in figures],
        _("Value"): [f"{figure.value:.3g}" for figure in figures],
        _("Interval"): [_interval(figure) for figure in figures],
    }


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "–"
    return _("{low} to {high}").format(low=f"{figure.low:.3g}", high=f"{figure.high:.3g}")


def _month(number: int) -> str:
    names = (
        _("January"),
        _("February"),
        _("March"),
        _("April"),
        _("May"),
        _("June"),
        _("July"),
        _("August"),
        _("September"),
        _("October"),
        _("November"),
        _("December"),
    )
    return names[number - 1] if 1 <= number <= len(names) else str(number)
