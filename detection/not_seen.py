"""detection.not_seen: does a later valid scene fail to show a site? Pure; knows nothing of stores or votes.

Saying "not seen on" of a place is a claim, so it is made only where the whole outline lies in tiles that the
scene observed, and where nothing the model found there, however weak, overlaps the outline.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from geodata.grid import Floats
from geodata.obb import Boxes
from geodata.overlap import overlapping_pairs
from geodata.tables.columns import OBSERVED_AT_LEAST
from geodata.tiles import tile_ids

SHOWS_AT_IOU = 0.1
"""Less than grouping asks for: a poorly fitting box still speaks against 'not seen'."""


@dataclass(frozen=True)
class SceneLook:
    """What one run says of one scene."""

    acquired_at: datetime | None
    """UTC; a scene without a date can show nothing about 'later'."""
    observed_share: Mapping[str, float]
    """Share of each tile that was observed, by tile id ('15/x/y'); tiles left out were not observed."""
    boxes: Boxes
    """All detections of the scene; give the candidates below the threshold too where there are any."""


def not_seen_on(
    sites: Boxes, last_seen: Sequence[datetime | None], scenes: Iterable[SceneLook]
) -> tuple[datetime | None, ...]:
    """For each site the date of the latest valid scene, later than `last_seen`, that does not show it.

    None where there is no such scene, where a site was never seen at a known date, and for scenes without a
    date. `sites` are the sites' first outlines, row for row with `last_seen` (UTC).
    """
    latest: list[datetime | None] = [None] * len(sites)
    tiles = [_tiles_of(ring) for ring in sites.corners()]
    for scene in scenes:
        at = scene.acquired_at
        if at is None:
            continue
        shown = set(overlapping_pairs(sites, scene.boxes, SHOWS_AT_IOU)[0].tolist())
        for k, seen in enumerate(last_seen):
            if seen is None or at <= seen or k in shown or not _observed(tiles[k], scene.observed_share):
                continue
            known = latest[k]
            latest[k] = at if known is None else max(known, at)
    return tuple(latest)


def _observed(tiles: frozenset[str], observed_share: Mapping[str, float]) -> bool:
    return all(observed_share.get(tile, 0.0) >= OBSERVED_AT_LEAST for tile in tiles)


def _tiles_of(ring: Floats) -> frozenset[str]:
    """Ids of the tiles in which the corners lie; an outline is far smaller than a tile."""
    return frozenset(tile_ids(ring[:, 0], ring[:, 1]))
