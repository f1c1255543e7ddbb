"""app.services.selection: which sites a person wants to see, in which order; pure, knows no store.

The map's script applies the same rules to the same whole numbers (`ten_thousandths`, days), so that map,
table and exports always show the same sites.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from urllib.parse import parse_qs, urlencode

from app.i18n import _
from geodata.errors import InputError
from geodata.store.records import Site

MEASURES = ("score", "probability", "rank")
NO_VERDICT = "none"
VERDICT_CODES = (NO_VERDICT, "kiln", "not_kiln", "gone", "unsure")
"""Their places are the numbers that the map's columns hold."""
SCALE = 10_000


@dataclass(frozen=True)
class Selection:
    """The filters. Bounds belong to the band; dates are UTC days and inclusive."""

    measure: str = "score"
    low: float = 0.0
    high: float = 1.0
    verdicts: tuple[str, ...] = VERDICT_CODES
    seen_from: date | None = None
    seen_to: date | None = None
    candidates: bool = False
    """True also shows sites all of whose evidence lies below the model's threshold."""

    def query(self) -> str:
        """The selection as a URL query."""
        pairs = {field.name: getattr(self, field.name) for field in fields(self)}
        pairs["verdicts"] = ",".join(self.verdicts)
        pairs["candidates"] = "1" if self.candidates else "0"
        return urlencode({name: value for name, value in pairs.items() if value is not None})


def from_query(query: str) -> Selection:
    """The selection that a URL query holds; what it leaves out stays at the default.

    Raises:
        InputError: a value has the wrong form.
    """
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    try:
        selection = Selection(
            measure=given.get("measure", "score"),
            low=float(given.get("low", 0.0)),
            high=float(given.get("high", 1.0)),
            verdicts=tuple(given["verdicts"].split(",")) if "verdicts" in given else VERDICT_CODES,
            seen_from=_day(given.get("seen_from")),
            seen_to=_day(given.get("seen_to")),
            candidates=given.get("candidates", "0") == "1",
        )
    except ValueError as error:
        raise InputError(_("The filter in the address cannot be read; open it from the map.")) from error
    unknown = set(selection.verdicts) - set(VERDICT_CODES) - {""}
    if selection.measure not in MEASURES or unknown or not 0 <= selection.low <= selection.high <= 1:
        raise InputError(
            _("The filter in the address has a value that does not exist; open it from the map.")
        )
    return selection


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def ten_thousandths(value: float) -> int:
    """A share as a whole number, as it is compared here and in the browser."""
    return round(value * SCALE)


def measured(site: Site, measure: str) -> float | None:
    """The figure that the band and the order go by."""
    return {"probability": site.probability, "rank": site.rank}.get(measure, site.score)


def select(sites: Iterable[Site], selection: Selection) -> list[Site]:
    """The sites that pass every filter, in the order given."""
    return [site for site in sites if _passes(site, selection)]


def _passes(site: Site, selection: Selection) -> bool:
    if site.is_candidate and not selection.candidates:
        return False
    if (site.object_verdict or NO_VERDICT) not in selection.verdicts:
        return False
    return _in_band(measured(site, selection.measure), selection) and _in_time(site, selection)


def _in_band(value: float | None, selection: Selection) -> bool:
    """A site without the figure counts as 0."""
    return ten_thousandths(selection.low) <= ten_thousandths(value or 0.0) <= ten_thousandths(selection.high)


def _in_time(site: Site, selection: Selection) -> bool:
    """Seen at some time within the span; a site without any date shows only without a span."""
    if selection.seen_from is None and selection.seen_to is None:
        return True
    first, last = site.first_seen or site.last_seen, site.last_seen or site.first_seen
    if first is None or last is None:
        return False
    after = selection.seen_from is None or _utc_day(last) >= selection.seen_from
    before = selection.seen_to is None or _utc_day(first) <= selection.seen_to
    return after and before


def _utc_day(at: datetime) -> date:
    return at.date()


def likeliest_first(sites: Sequence[Site]) -> list[Site]:
    """By all that model and volunteers say together, also where that may not be called a chance."""
    return sorted(sites, key=lambda site: (site.log_odds is None, -(site.log_odds or 0.0), site.site_id))


def by_doubt(sites: Sequence[Site]) -> list[Site]:
    """Most doubtful first: merged chance nearest 0.5, shown or not, else score nearest 0.5; the rest last."""
    return sorted(sites, key=lambda site: (doubt(site) is None, -(doubt(site) or 0.0), site.site_id))


def doubt(site: Site) -> float | None:
    """1 where nothing speaks for either side, 0 where the case is clear; None where nothing is known."""
    share = site.score if site.probability is None else site.probability
    if site.log_odds is not None:
        share = 1 / (1 + math.exp(-site.log_odds))
    return None if share is None else 1.0 - 2.0 * abs(share - 0.5)
