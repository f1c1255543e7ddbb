"""app.services.exports: a selection of sites as GeoJSON or CSV; pure, knows no page and no store.

Notes are what people wrote for each other: they leave only where somebody asks for them. A cell that a
spreadsheet could take for a formula is defused.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from app.i18n import _
from app.services.credits import credit_of
from app.services.rank_band import band_of
from geodata.store.records import Site

Value = str | float | int | bool | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def not_proof() -> str:
    """The sentence that goes with every picture, page and file."""
    return _(
        "A possible kiln is a place that a computer model or volunteers picked out. It is not proof of a "
        "kiln, of its owner or of any breach of law."
    )


def sites_geojson(sites: Sequence[Site], *, notes: bool = False) -> str:
    """A GeoJSON FeatureCollection of the outlines (EPSG:4326), as text."""
    features = [
        {
            "type": "Feature",
            "id": site.site_id,
            "geometry": {"type": "Polygon", "coordinates": [_closed(site.outline)]},
            "properties": _properties(site, notes),
        }
        for site in sites
    ]
    document = {
        "type": "FeatureCollection",
        "attribution": credit_of(sites),
        "note": not_proof(),
        "features": features,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def sites_csv(sites: Sequence[Site], *, notes: bool = False) -> str:
    """A CSV table (RFC 4180, CRLF) with one row per site; the last columns repeat attribution and caution."""
    columns = [*_properties(_blank(), notes), "attribution", "caution"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for site in sites:
        cells = [*_properties(site, notes).values(), credit_of([site]), not_proof()]
        writer.writerow([defused(cell) for cell in cells])
    return out.getvalue()


def defused(value: Value) -> Value:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes before text that could begin one."""
    if isinstance(value, str) and value.lstrip(" \u00a0\ufeff").startswith(_FORMULA):
        return f"'{value}"
    return value


def _closed(ring: Iterable[tuple[float, float]]) -> list[list[float]]:
    points = [[round(lon, 7), round(lat, 7)] for lon, lat in ring]
    return points if points and points[0] == points[-1] else [*points, points[0]] if points else []


def _properties(site: Site, notes: bool) -> dict[str, Value]:
    out: dict[str, Value] = {
        "site_id": site.site_id,
        "lon": round(site.lon, 6),
        "lat": round(site.lat, 6),
        "site_type": site.site_type,
        "kiln_class": site.kiln_class,
        "score": _rounded(site.score),
        "probability": _rounded(site.probability),
        "calibrated": site.calibrated,
        "rank_band": band_of(site),
        "object_verdict": site.object_verdict,
        "votes_kiln": site.votes_kiln,
        "votes_none": site.votes_none,
        "votes_unsure": site.votes_unsure,
        "first_seen": _iso(site.first_seen),
        "last_seen": _iso(site.last_seen),
        "not_seen_on": _iso(site.not_seen_on),
        "length_m": round(site.length_m, 1),
        "width_m": round(site.width_m, 1),
        "angle_deg": round(site.angle_deg, 1),
        "below_threshold": site.is_candidate,
        "made_up": site.made_up,
    }
    return out | {"verdict_note": site.verdict_note} if notes else out


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _blank() -> Site:
    """A site whose only use is to name the columns of an empty table."""
    return Site(
        "",
        0,
        0,
        0,
        0,
        0,
        (),
        "",
        "",
        None,
        None,
        False,
        None,
        None,
        None,
        0,
        0,
        0,
        None,
        None,
        False,
        False,
        None,
    )
