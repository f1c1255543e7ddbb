"""app.services.credits: whose imagery is shown, in the words that its licence asks for."""

from collections.abc import Iterable

from app.i18n import _
from geodata.store.records import Site


def credit(year: int | None, made_up: bool) -> str:
    """The line under one picture. Made-up imagery is nobody's and says so."""
    if made_up:
        return _("Made-up imagery")
    if year is None:
        return _("Contains modified Copernicus Sentinel data")
    return _("Contains modified Copernicus Sentinel data {year}").format(year=year)


def credit_of(sites: Iterable[Site]) -> str:
    """The line for several sites: their years as one span, and whether some of them are made up."""
    years: set[int] = set()
    made_up, real = False, False
    for site in sites:
        made_up, real = made_up or site.made_up, real or not site.made_up
        if not site.made_up and site.attribution_year is not None:
            years.add(site.attribution_year)
    parts = [_sentinel(years)] if real else []
    return "; ".join(parts + ([credit(None, True)] if made_up else []))


def _sentinel(years: set[int]) -> str:
    if not years:
        return credit(None, False)
    span = str(min(years)) if len(years) == 1 else f"{min(years)}-{max(years)}"
    return _("Contains modified Copernicus Sentinel data {year}").format(year=span)
