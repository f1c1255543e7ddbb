"""detection.evaluate.report.gallery: a report's entries as small pictures with outlines, as SVG text.

The picture holds pixels only: no place, no file's metadata.
"""

import base64
import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

import numpy as np
from PIL import Image

from detection.evaluate.matching import PLACE_RADIUS_M
from detection.evaluate.report.entries import Entry
from detection.evaluate.sample import Sample
from detection.evaluate.summary import HIT, MISSED
from geodata.grid import Floats
from geodata.obb import Boxes, offsets_m
from geodata.pictures import cut_picture, frame_around, stretch_of
from geodata.scene import Scene

WIDTH_M = 600.0
SIZE_PX = 180
_JPEG_QUALITY = 82
SEED = 7

OpenRegion = Callable[[int], AbstractContextManager[Scene]]
"""Opens the scene of a region, by the region's index."""


def choose_entries(entries: Sequence[Entry], most: int) -> list[Entry]:
    """Those that get a picture: at most so many of each kind, the worst first.

    Of the hits half are those with the lowest scores and half are drawn at random (repeatably), by score.
    """
    out: list[Entry] = []
    for kind in dict.fromkeys(entry.outcome for entry in entries):
        mine = [entry for entry in entries if entry.outcome == kind]
        if kind == HIT and len(mine) > most:
            worst, rest = mine[: most // 2], mine[most // 2 :]
            drawn = np.random.default_rng(SEED).choice(len(rest), most - len(worst), replace=False)
            mine = worst + [rest[k] for k in sorted(drawn)]
        out += mine[:most]
    return out


def draw_pictures(
    sample: Sample, threshold: float, entries: Iterable[Entry], open_region: OpenRegion
) -> dict[Entry, str]:
    """An SVG element for each entry; each scene is opened once.

    Raises:
        InputError: pixels that do not decode.
    """
    by_region: dict[int, list[Entry]] = {}
    for entry in entries:
        by_region.setdefault(entry.region, []).append(entry)
    out = {}
    for region, mine in sorted(by_region.items()):
        with open_region(region) as scene:
            stretch = stretch_of(scene)
            for entry in mine:
                lon, lat = _centre(sample, entry)
                frame = frame_around(lon, lat, WIDTH_M, SIZE_PX)
                picture = cut_picture(scene, frame, stretch=stretch)
                out[entry] = _svg(_jpeg(picture.png), _drawing(sample, threshold, entry, lon, lat))
    return out


def _centre(sample: Sample, entry: Entry) -> tuple[float, float]:
    of_kiln = entry.kiln is not None and (entry.outcome != HIT or entry.detection is None)
    boxes = sample.kilns.boxes if of_kiln else sample.detections.boxes
    k = entry.kiln if of_kiln else entry.detection
    assert k is not None  # an entry has the one or the other
    return float(boxes.lon[k]), float(boxes.lat[k])


def _jpeg(png: bytes) -> str:
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(out, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return base64.b64encode(out.getvalue()).decode("ascii")


def _drawing(sample: Sample, threshold: float, entry: Entry, lon: float, lat: float) -> str:
    """Outlines in metres from the upper left corner: kilns dashed, detections solid, candidate dotted."""
    detections, kilns = sample.detections, sample.kilns
    above = _near(detections.boxes, lon, lat) & (detections.score >= threshold)
    parts = [_rings(kilns.boxes.take(_near(kilns.boxes, lon, lat)), lon, lat, "kiln")]
    parts.append(_rings(detections.boxes.take(above), lon, lat, "found"))
    if entry.outcome == MISSED and entry.detection is not None:
        parts.append(_rings(detections.boxes.take(np.array([entry.detection])), lon, lat, "candidate"))
    for x, y in zip(*_metres(sample.places.lon, sample.places.lat, lon, lat), strict=True):
        if max(abs(x - WIDTH_M / 2), abs(y - WIDTH_M / 2)) < WIDTH_M / 2:
            parts.append(f'<circle class="place" cx="{x:.0f}" cy="{y:.0f}" r="{PLACE_RADIUS_M:.0f}"/>')
    return "".join(parts)


def _near(boxes: Boxes, lon: float, lat: float) -> np.ndarray:
    east, north = offsets_m(boxes.lon, boxes.lat, lon, lat)
    return np.asarray((np.abs(east) < WIDTH_M / 2) & (np.abs(north) < WIDTH_M / 2))


def _metres(lon: Floats, lat: Floats, lon0: float, lat0: float) -> tuple[Floats, Floats]:
    east, north = offsets_m(lon, lat, lon0, lat0)
    return WIDTH_M / 2 + east, WIDTH_M / 2 - north


def _rings(boxes: Boxes, lon: float, lat: float, kind: str) -> str:
    out = []
    for ring in boxes.corners():
        x, y = _metres(ring[:, 0], ring[:, 1], lon, lat)
        points = " ".join(f"{a:.0f},{b:.0f}" for a, b in zip(x, y, strict=True))
        out.append(f'<polygon class="under" points="{points}"/><polygon class="{kind}" points="{points}"/>')
    return "".join(out)


def _svg(jpeg: str, drawing: str) -> str:
    size = f"{WIDTH_M:.0f}"
    bar = f'<path class="bar" d="M20 {WIDTH_M - 20:.0f}h100"/>'
    return (
        f'<svg class="picture" viewBox="0 0 {size} {size}" aria-hidden="true">'
        f'<image href="data:image/jpeg;base64,{jpeg}" width="{size}" height="{size}"/>'
        f"{drawing}{bar}</svg>"
    )
