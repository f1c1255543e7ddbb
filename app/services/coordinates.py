"""app.services.coordinates: reads the coordinates that people paste; knows nothing of maps or sites.

Understood: decimal degrees ('28.71, 77.42', '28.71 N 77.42 E', also with the hemisphere in front), degrees
with minutes and seconds ('28°42'36"N 77°25'12"E', or 'N 28 42.6 E 77 25.2' as GPS receivers show them), all
of these in brackets, `geo:` links, and links of map pages. Without letters the latitude is first.
"""

import re
from dataclasses import dataclass

from app.i18n import _
from geodata.errors import InputError

_UNSIGNED = r"\d+(?:\.\d+)?"
_GEO = re.compile(rf"geo:(?P<lat>[+-]?{_UNSIGNED}),(?P<lon>[+-]?{_UNSIGNED})(?:[,;?].*)?", re.IGNORECASE)
# where map pages write the place: '@28.71,77.42,15z', 'q=28.71,77.42', '#map=15/28.71/77.42'
_LINK = re.compile(
    rf"https?://.*?(?:@|[?&](?:q|query|ll|center)=|#map=[\d.]+/)(?P<lat>[+-]?{_UNSIGNED})(?:,|%2C|/)"
    rf"(?P<lon>[+-]?{_UNSIGNED})(?![\d.]).*",
    re.IGNORECASE,
)
_SPACED = re.compile(
    rf"(?P<before>[NSEW])?\s*(?P<degrees>\d+)\s*°?\s+(?P<minutes>{_UNSIGNED})(?:\s+(?P<seconds>{_UNSIGNED}))?"
    r"\s*(?P<after>[NSEW])?",
    re.IGNORECASE,
)
"""Without signs for minutes; only with a letter, since '28 42 77 25' could mean much."""
_PART = re.compile(
    rf"(?P<before>[NSEW])?\s*(?P<degrees>[+-]?{_UNSIGNED})\s*(?:°|º|d|deg)?"
    rf"(?:\s*(?P<minutes>{_UNSIGNED})\s*['′’m])?(?:\s*(?P<seconds>{_UNSIGNED})\s*(?:\"|″|”|''|s))?"
    r"\s*(?P<after>[NSEW])?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Place:
    """A point in degrees, WGS 84."""

    lat: float
    lon: float

    def text(self) -> str:
        """'lat, lon' with five decimals (about one metre)."""
        return f"{self.lat:.5f}, {self.lon:.5f}"

    def geo_uri(self) -> str:
        """A link that map programs open (RFC 5870)."""
        return f"geo:{self.lat:.5f},{self.lon:.5f}"


@dataclass(frozen=True)
class _Angle:
    degrees: float
    axis: str | None
    """`lat`, `lon` or None where no letter tells."""


def parse_place(text: str) -> Place:
    """The place that a text names.

    Raises:
        InputError: it holds no two coordinates, they are out of range, or they contradict their letters.
    """
    cleaned = text.strip().replace("−", "-").replace("\u00a0", " ")
    if link := _GEO.fullmatch(cleaned) or _LINK.fullmatch(cleaned):
        return _checked(float(link["lat"]), float(link["lon"]), text)
    if cleaned[:1] + cleaned[-1:] in {"()", "[]"}:
        cleaned = cleaned[1:-1]
    first, second = _two_angles(cleaned, text)
    if first.axis is not None and first.axis == second.axis:
        raise _refusal(_("Both coordinates in {text} are of the same axis; {hint}"), text)
    if first.axis == "lon" or second.axis == "lat":
        first, second = second, first
    return _checked(first.degrees, second.degrees, text)


def _two_angles(cleaned: str, text: str) -> tuple[_Angle, _Angle]:
    """Split at the comma or semicolon, else wherever two angles meet."""
    for cut in _cuts(cleaned):
        one, two = _part(cut[0].strip()), _part(cut[1].strip())
        if one and two:
            return _angle(one, text), _angle(two, text)
    raise _refusal(_("No coordinates could be read from {text}; {hint}"), text)


def _part(half: str) -> re.Match[str] | None:
    spaced = _SPACED.fullmatch(half)
    if spaced and (spaced["before"] or spaced["after"]):
        return spaced
    return _PART.fullmatch(half)


def _cuts(cleaned: str) -> list[tuple[str, str]]:
    separators = [m.start() for m in re.finditer(r"[,;]", cleaned)]
    if len(separators) == 1:
        return [(cleaned[: separators[0]], cleaned[separators[0] + 1 :])]
    if separators:
        return []
    gaps = [(m.start(), m.end()) for m in re.finditer(r"\s+|(?<=[NSEW])(?=[\d+-])", cleaned, re.IGNORECASE)]
    # the gap nearest the middle first: '28 42 36 N 77 25 12 E' has many
    gaps.sort(key=lambda gap: abs(gap[0] + gap[1] - len(cleaned)))
    return [(cleaned[:start], cleaned[end:]) for start, end in gaps]


def _angle(part: re.Match[str], text: str) -> _Angle:
    letters = "".join(filter(None, (part["before"], part["after"]))).upper()
    if len(letters) > 1:
        raise _refusal(_("A coordinate in {text} has two directions; {hint}"), text)
    degrees, minutes, seconds = (float(part[name] or 0) for name in ("degrees", "minutes", "seconds"))
    if minutes >= 60 or seconds >= 60:
        raise _refusal(_("Minutes or seconds in {text} are 60 or more; {hint}"), text)
    negative = part["degrees"].startswith("-")
    if negative and letters:
        raise _refusal(_("A coordinate in {text} has a minus and a direction; {hint}"), text)
    size = abs(degrees) + minutes / 60 + seconds / 3600
    sign = -1.0 if negative or letters in {"S", "W"} else 1.0
    return _Angle(sign * size, {"N": "lat", "S": "lat", "E": "lon", "W": "lon"}.get(letters))


def _checked(lat: float, lon: float, text: str) -> Place:
    if abs(lat) > 90:
        raise _refusal(_("The latitude in {text} is beyond 90 degrees; {hint}"), text)
    if abs(lon) > 180:
        raise _refusal(_("The longitude in {text} is beyond 180 degrees; {hint}"), text)
    return Place(lat, lon)


def _refusal(sentence: str, text: str) -> InputError:
    """The sentence about a text, with how coordinates are written."""
    shown = repr(text if len(text) <= 60 else f"{text[:57]}...")
    hint = _("paste them as latitude, longitude, for example '28.71, 77.42'.")
    return InputError(sentence.format(text=shown, hint=hint))
