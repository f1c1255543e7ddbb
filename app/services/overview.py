"""app.services.overview: where sites lie to each other, as one SVG drawing without a base map; pure.

North is up; the scale is true at the middle latitude. Good for an area of some hundred kilometres.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.i18n import _
from app.services import words
from geodata.grid import metres_per_degree
from geodata.store.records import Site

Floats = NDArray[np.float64]
_WIDTH, _MARGIN, _LEAST_HEIGHT, _MOST_HEIGHT = 440.0, 30.0, 180.0, 640.0
_LEAST_SPAN_M = 2000.0
_NUMBERS_UP_TO = 60
_STEPS_DEG = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_NOT_REVIEWED = "#e07b39"
_COLOURS = {"kiln": "#7a2410", "not_kiln": "#ffffff", "gone": "#9a948d", "unsure": "#f2c14e"}


@dataclass(frozen=True)
class _Plan:
    """The drawing's plane: degrees to drawing units."""

    west: float
    north: float
    per_lon: float
    per_lat: float
    height: float

    def x(self, lon: Floats | float) -> Floats:
        return np.asarray(_MARGIN + (np.asarray(lon) - self.west) * self.per_lon)

    def y(self, lat: Floats | float) -> Floats:
        return np.asarray(_MARGIN + (self.north - np.asarray(lat)) * self.per_lat)


def overview_svg(sites: Sequence[Site], link: Callable[[int], str]) -> str:
    """The drawing; `link(k)` is the address that the dot of the k-th site (from 1) leads to."""
    if not sites:
        return ""
    lon = np.array([site.lon for site in sites])
    lat = np.array([site.lat for site in sites])
    plan = _plan(lon, lat)
    dots = "".join(
        _dot(number, site, float(x), float(y), link(number), len(sites))
        for number, site, x, y in zip(range(1, len(sites) + 1), sites, plan.x(lon), plan.y(lat), strict=True)
    )
    label = _("Overview of {n} possible kilns, north is up").format(n=len(sites))
    return (
        f'<svg class="overview" role="group" aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg"'
        f' viewBox="0 0 {_WIDTH:g} {plan.height:.0f}">'
        f'<rect width="{_WIDTH:g}" height="{plan.height:.0f}" fill="#f4f1ea"/>'
        f"{_graticule(plan)}{dots}{_scale_bar(plan, float(lat.mean()))}</svg>"
    )


def _plan(lon: Floats, lat: Floats) -> _Plan:
    middle_lon, middle_lat = (lon.min() + lon.max()) / 2, (lat.min() + lat.max()) / 2
    east, north = (float(v) for v in metres_per_degree(middle_lat))
    width_m = max(float(np.ptp(lon)) * east, _LEAST_SPAN_M)
    height_m = max(float(np.ptp(lat)) * north, _LEAST_SPAN_M / 2)
    per_m = min((_WIDTH - 2 * _MARGIN) / width_m, (_MOST_HEIGHT - 2 * _MARGIN) / height_m)
    height = max(height_m * per_m + 2 * _MARGIN, _LEAST_HEIGHT)
    return _Plan(
        west=float(middle_lon) - (_WIDTH / 2 - _MARGIN) / (east * per_m),
        north=float(middle_lat) + (height / 2 - _MARGIN) / (north * per_m),
        per_lon=east * per_m,
        per_lat=north * per_m,
        height=height,
    )


def _dot(number: int, site: Site, x: float, y: float, href: str, count: int) -> str:
    radius = 7 if count <= _NUMBERS_UP_TO else 5
    colour = _COLOURS.get(site.object_verdict or "", _NOT_REVIEWED)
    dot = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"'
        ' stroke="#3b2f2a" stroke-width="1.5"/>'
    )
    title = escape(words.name_of(site))
    faint = ' class="faint"' if site.is_candidate else ""
    number_text = (
        f'<text x="{x + 9:.1f}" y="{y + 4:.1f}" class="number">{number}</text>'
        if count <= _NUMBERS_UP_TO
        else ""
    )
    return f'<a href="{escape(href)}"{faint}><title>{title}</title>{dot}{number_text}</a>'


def _graticule(plan: _Plan) -> str:
    """Thin lines at round degrees with their names at the edge."""
    span = max(_WIDTH / plan.per_lon, plan.height / plan.per_lat)
    step = next((s for s in _STEPS_DEG if span / s <= 6), _STEPS_DEG[-1])
    decimals = 2 if step < 0.1 else 1 if step < 1 else 0
    out = []
    east_edge = plan.west + (_WIDTH - _MARGIN) / plan.per_lon
    south_edge = plan.north - (plan.height - _MARGIN) / plan.per_lat
    # i18n: east, west, north and south behind a figure in degrees
    east, west, north, south = _("E"), _("W"), _("N"), _("S")
    for lon in np.arange(np.ceil(plan.west / step), np.floor(east_edge / step) + 1) * step:
        x = float(plan.x(lon))
        out.append(f'<path d="M{x:.1f} 0V{plan.height:.0f}" class="line"/>')
        out.append(
            f'<text x="{x + 3:.1f}" y="11" class="degree">{_degrees(lon, decimals, east, west)}</text>'
        )
    for lat in np.arange(np.ceil(south_edge / step), np.floor(plan.north / step) + 1) * step:
        y = float(plan.y(lat))
        out.append(f'<path d="M0 {y:.1f}H{_WIDTH:g}" class="line"/>')
        out.append(
            f'<text x="3" y="{y - 3:.1f}" class="degree">{_degrees(lat, decimals, north, south)}</text>'
        )
    return "".join(out)


def legend_html() -> str:
    """What the colours of the dots mean, as one line of HTML."""
    names = words.verdict_words()
    colours = {"none": _NOT_REVIEWED} | _COLOURS
    return " ".join(
        f'<span class="key"><svg viewBox="0 0 14 14" aria-hidden="true"><circle cx="7" cy="7" r="5.5"'
        f' fill="{colour}" stroke="#3b2f2a" stroke-width="1.5"/></svg> {escape(names[verdict])}</span>'
        for verdict, colour in colours.items()
    )


def _degrees(value: float, decimals: int, plus: str, minus: str) -> str:
    return escape(f"{abs(value):.{decimals}f}° {plus if value >= 0 else minus}")


def _scale_bar(plan: _Plan, lat: float) -> str:
    per_m = plan.per_lat / float(metres_per_degree(lat)[1])
    most = _WIDTH * 0.3 / per_m
    length = (
        max(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if s * 100 <= max(most, 100)) * 100
    )
    text = _("{km} km").format(km=f"{length / 1000:g}")
    x, y = _WIDTH - 12 - length * per_m, plan.height - 10
    return (
        f'<path d="M{x:.1f} {y:.0f}h{length * per_m:.1f}" stroke="#2b2622" stroke-width="3"/>'
        f'<text x="{_WIDTH - 12:g}" y="{y - 6:.0f}" text-anchor="end" class="number">{escape(text)}</text>'
    )
