"""app.services.overlay: a site's picture with its outline and a scale bar drawn on it, as SVG text; pure.

The drawing's unit is the metre on the ground, so that a line has the same width on every picture.
"""

from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.i18n import _
from geodata.obb import offsets_m
from geodata.store.records import Ring, Site

_BAR_M = 200.0
_SIZE_WITHOUT_CORNERS_M = 1280.0


@dataclass(frozen=True)
class PictureFrame:
    """The parallelogram on the ground that a picture shows."""

    corners: Ring
    """Lon, lat: upper left, upper right, lower right, lower left."""

    def size_m(self) -> tuple[float, float]:
        """Width and height on the ground, metres."""
        right, down = self._axes()
        return float(np.hypot(*right)), float(np.hypot(*down))

    def shares(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
        """(u, v) of places as shares of the picture from its upper left corner, shape (n, 2)."""
        lon0, lat0 = self.corners[0]
        east, north = offsets_m(lon, lat, lon0, lat0)
        axes = np.stack(self._axes(), axis=1)
        return np.asarray(np.linalg.solve(axes, np.stack([east, north])).T, dtype=np.float64)

    def _axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Metres east and north along the upper edge and down the left edge."""
        (lon0, lat0), upper_right, _lower_right, lower_left = self.corners
        right, down = (np.array(offsets_m(lon, lat, lon0, lat0)) for lon, lat in (upper_right, lower_left))
        return right, down


def picture_alt(site: Site) -> str:
    """What the picture shows, for those who do not see it."""
    return _("Satellite picture of possible kiln {id} with its outline").format(id=site.site_id)


def picture_svg(site: Site, href: str) -> str:
    """The picture with the outline on it. `href` is the picture's address or a data URL."""
    label = picture_alt(site)
    if site.picture_corners is None or len(site.picture_corners) < 4:
        size = _SIZE_WITHOUT_CORNERS_M
        return _svg(href, label, size, size, "")
    frame = PictureFrame(site.picture_corners)
    width, height = frame.size_m()
    ring = np.asarray(site.outline, dtype=np.float64)
    points = frame.shares(ring[:, 0], ring[:, 1]) * (width, height)
    return _svg(href, label, width, height, _outline(points, width) + _scale_bar(width, height))


def _svg(href: str, label: str, width: float, height: float, drawing: str) -> str:
    return (
        f'<svg class="site-picture" role="img" aria-label="{escape(label)}"'
        f' viewBox="0 0 {width:.1f} {height:.1f}"'
        ' xmlns="http://www.w3.org/2000/svg">'
        f'<image href="{escape(href)}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none"'
        ' style="image-rendering:pixelated"/>'
        f"{drawing}</svg>"
    )


def _outline(points: NDArray[np.float64], width: float) -> str:
    """Dark under light, to show on any ground; a little larger than the kiln, which stays free."""
    centre = points.mean(axis=0) if not np.allclose(points[0], points[-1]) else points[:-1].mean(axis=0)
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in centre + (points - centre) * 1.25)
    thin = width / 160
    return (
        f'<polygon points="{text}" fill="none" stroke="#1c0a05" stroke-width="{2.4 * thin:.2f}"/>'
        f'<polygon points="{text}" fill="none" stroke="#ffffff" stroke-width="{thin:.2f}"/>'
    )


def _scale_bar(width: float, height: float) -> str:
    x, y, thick = width * 0.04, height * 0.95, width / 120
    size = width * 0.045
    text = _("{metres} m").format(metres=round(_BAR_M))
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{_BAR_M:.1f}" height="{thick:.1f}" fill="#fff"'
        f' stroke="#1c0a05" stroke-width="{thick / 4:.2f}"/>'
        f'<text x="{x:.1f}" y="{y - thick:.1f}" font-size="{size:.1f}" font-family="system-ui,sans-serif"'
        f' fill="#fff" stroke="#1c0a05" stroke-width="{size / 6:.2f}" paint-order="stroke">'
        f"{escape(text)}</text>"
    )
