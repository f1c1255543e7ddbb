"""detection.domain: does a model's card hold for a scene? Pure; what is not known counts as outside."""

import shapely

from detection.bundle import Calibration, Card, Domain
from geodata.scene import SceneInfo
from geodata.tiles import footprint

INSIDE_SHARE = 0.9
"""A scene lies in the card's area if at least this share of its footprint does."""
UNKNOWN = "unknown"


def outside_reasons(domain: Domain, info: SceneInfo) -> tuple[str, ...]:
    """Why the card's figures need not hold for the scene, in words; empty where it lies in the domain."""
    return tuple(r for r in (_area(domain, info), _season(domain, info), _product(domain, info)) if r)


def in_area(domain: Domain, info: SceneInfo) -> bool:
    """Whether the scene lies where the model was validated, whatever its season and product."""
    return _area(domain, info) is None


def calibration_for(card: Card, info: SceneInfo, zoom: float) -> Calibration | None:
    """The first calibration of the card for such a scene at such a zoom, local ones first; else None."""
    return next((one for one in calibrations_at(card, info) if one.zoom == zoom), None)


def calibrations_at(card: Card, info: SceneInfo) -> list[Calibration]:
    """The calibrations of the card in whose domain the scene lies, at whatever zoom, local ones first."""
    own = () if card.calibration is None else (card.calibration,)
    calibrations: tuple[Calibration, ...] = (*card.local_calibrations, *own)
    return [one for one in calibrations if not outside_reasons(one.domain or card.domain, info)]


def _area(domain: Domain, info: SceneInfo) -> str | None:
    shape = footprint(info.grid)
    share = shapely.Polygon(domain.area).intersection(shape).area / shape.area
    if share >= INSIDE_SHARE:
        return None
    return f"{100 * (1 - share):.0f} % of it lies outside the area that the model was validated in"


def _season(domain: Domain, info: SceneInfo) -> str | None:
    if info.acquired_at is None:
        return "its date is not known (give --acquired)"
    if info.acquired_at.month in domain.months:
        return None
    return f"it was taken in {info.acquired_at:%B}, a month that the model was not validated in"


def _product(domain: Domain, info: SceneInfo) -> str | None:
    if info.product == UNKNOWN:
        return "its product is not known (give --product)"
    if info.product in domain.products:
        return None
    return f"the model is unvalidated on the product {info.product}"
