"""app.services.grouping: gives a run's detections their sites, with the sites that the store holds."""

from collections.abc import Callable

import numpy as np
from sqlalchemy import Connection

from app.services.conclude import as_sites
from detection.merge import StrayMark, propose_sites
from detection.sites import Found, group
from geodata.store import conclusions
from geodata.store.boxes import as_columns
from geodata.store.incoming import Grouping, IncomingRun, MarkedSite
from geodata.store.places import tile_at, with_neighbours
from geodata.tables.columns import KILN_CLASS_UNKNOWN, SITE_TYPE


def group_run(connection: Connection, run: IncomingRun, mint: Callable[[], str]) -> Grouping:
    """Which site each detection of a run belongs to; new ids come from `mint`."""
    found = _found(connection, run)
    tiles = with_neighbours({tile_at(d.box.lon, d.box.lat) for d in run.detections})
    grouping = group(as_sites(conclusions.sites_in_tiles(connection, tiles)), found, mint)
    site_of = dict(zip(found.detection_id, grouping.site_ids, strict=True))
    founders = [found.detection_id[k] for k in grouping.founders]
    return Grouping(site_of, dict(zip(grouping.founded.ids, founders, strict=True)))


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
        boxes=as_columns([d.box for d in run.detections]),
        known=conclusions.known_detections(connection, ids),
    )
