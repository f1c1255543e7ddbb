"""app.services.rank_band: the four bands into which scores are ranked; pure, knows no page.

A band says where a site's score stands among this model's in the project. It is a rank and not a chance: in a
land without a kiln a quarter of the false alarms would still be the top quarter.
"""

from collections.abc import Mapping

from app.i18n import _
from app.services.selection import SCALE, ten_thousandths
from geodata.store.records import Site

BANDS = ("low", "middle", "high", "very_high")
"""Quarters by score, the lowest first."""
BELOW = "below_threshold"


def band_of(site: Site) -> str | None:
    """One of `BANDS`, or `BELOW`; None where there are too few to rank, or the model found nothing."""
    if site.score is None:
        return None
    if site.is_candidate:
        return BELOW
    if site.rank is None:
        return None
    # in the whole numbers that filters compare
    return BANDS[-(-ten_thousandths(site.rank) * len(BANDS) // SCALE) - 1]


def bounds(low: str, high: str) -> tuple[float, float]:
    """Ranks from the lower end of one band to the upper end of another; from the lowest it is 0."""
    first, last = BANDS.index(low), BANDS.index(high)
    # a rank on the seam belongs to the band below
    return (first / len(BANDS) + 1 / SCALE if first else 0.0), (last + 1) / len(BANDS)


def band_words() -> Mapping[str, str]:
    """What a person reads for each band."""
    return {
        "low": _("low"),
        "middle": _("middle"),
        "high": _("high"),
        "very_high": _("very high"),
        BELOW: _("below the threshold"),
    }


def rank_words(site: Site) -> str:
    """The band; empty where there is none."""
    band = band_of(site)
    return "" if band is None else band_words()[band]


def rank_sentence(site: Site) -> str:
    """The band with what it means, for one site; empty where the model found nothing there."""
    sentences = {
        "very_high": _("very high: in the top quarter of this model's scores in this project"),
        "high": _("high: in the second quarter of this model's scores in this project"),
        "middle": _("middle: in the third quarter of this model's scores in this project"),
        "low": _("low: in the last quarter of this model's scores in this project"),
        BELOW: _("below the threshold of the model"),
    }
    if site.score is None:
        return ""
    band = band_of(site)
    what = _("too few possible kilns in this project to rank them") if band is None else sentences[band]
    return _("{rank}. A rank, not a chance.").format(rank=what)
