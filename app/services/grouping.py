"""app.services.grouping: gives a run's detections their sites, with the sites that the store holds."""

from collections.abc import Callable

import numpy as np
from sqlalchemy import Connection

from app.services.conclude import as_sites
from detection.merge import propose_sites
from detection.merge.association import StrayMark
from detection.sites import Found, group
from geodata.obb import Boxes
from geodata.store import conclusions
from geodata.store.incoming import Grouping, IncomingDetection, IncomingRun, MarkedSite
from geodata.store.places import tile_at, with_neighbours
from geodata.tables.columns import KILN_CLASS_UNKNOWN, SITE_TYPE


def group_run(connection: Connection, run: IncomingRun, mint: Callable[[], str]) -> Grouping:
    """Which site each detection of a run belongs to; new ids come from `mint`."""
    found = _found(connection, run)
    tiles = with_neighbours({tile_at(d.lon, d.lat) for d in run.detections})
    grouping = group(as_sites(conclusions.sites_in_tiles(connection, tiles)), found, mint)
    site_of = dict(zip(found.detection_id, grouping.site_ids, strict=True))
    outline = {site: k for k, site in enumerate(grouping.founded.ids)}
    founders: dict[str, str] = {}
    for k, site in enumerate(grouping.site_ids):
        first = outline.get(site)
        if first is not None and _row(found.boxes, k) == _row(grouping.founded.boxes, first):
            founders.setdefault(site, found.detection_id[k])
    return Grouping(site_of, founders)


def marked_sites(stray: tuple[StrayMark, ...], mint: Callable[[], str]) -> list[MarkedSite]:
    """New sites for marks that lie on none."""
    boxes = propose_sites(stray)
    rings = [tuple((float(lon), float(lat)) for lon, lat in ring) for ring in boxes.corners()]
    return [
        MarkedSite(
            site_id=mint(),
            lon=float(boxes.lon[k]),
            lat=float(boxes.lat[k]),
            side_m=float(boxes.length_m[k]),
            outline=(*ring, ring[0]),
            site_type=SITE_TYPE,
            kiln_class=KILN_CLASS_UNKNOWN,
        )
        for k, ring in enumerate(rings)
    ]


def _found(connection: Connection, run: IncomingRun) -> Found:
    dates = {scene.scene_id: scene.acquired_at for scene in run.scenes}
    ids = [d.detection_id for d in run.detections]
    return Found(
        detection_id=ids,
        scene_id=[d.scene_id for d in run.detections],
        model_id=[d.model_id for d in run.detections],
        acquired_at=[dates[d.scene_id] for d in run.detections],
        score=np.array([d.score for d in run.detections], dtype=np.float64),
        boxes=_boxes(run.detections),
        known=conclusions.known_detections(connection, ids),
    )


def _boxes(detections: tuple[IncomingDetection, ...]) -> Boxes:
    names = ("lon", "lat", "length_m", "width_m", "angle_deg")
    return Boxes(*(np.array([getattr(d, name) for d in detections], dtype=np.float64) for name in names))


def _row(boxes: Boxes, k: int) -> tuple[float, ...]:
    return (boxes.lon[k], boxes.lat[k], boxes.length_m[k], boxes.width_m[k], boxes.angle_deg[k])
