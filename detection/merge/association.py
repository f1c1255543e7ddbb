"""detection.merge.association: whose marks lie on which site, on the ground; knows nothing of rates.

* A mark is **for** a site where it lies in the site's outline or at most `REACH_M` from it. Marks and sites
  of one look are paired one to one, nearest first, so that two neighbouring kilns get their own marks; one
  more mark within reach of a site that has its mark already says nothing new.
* Who **saw** the tile in which a site's centre lies, answered `kiln` or `none`, and did not mark it, is
  **against** it. `unsure` and `bad_image` are no votes.
* One volunteer has one vote per site; a mark from the next tile outweighs a `none` on the site's own tile,
  where a kiln on the edge may show only half.
* A mark out of reach of every site is **stray**; stray marks become proposals of new sites.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.merge.evidence import Vote
from detection.sites import Sites
from geodata.grid import Floats
from geodata.looks import Look
from geodata.near import pairs_within
from geodata.obb import Boxes, offsets_m
from geodata.tiles import tile_ids

REACH_M = 60.0
"""Half a kiln's length; on a tile of 1.1 km drawn 360 px wide it is 20 px, the slip of a finger."""


@dataclass(frozen=True)
class StrayMark:
    """A marked kiln where no site lies."""

    volunteer_id: str
    lon: float
    lat: float


@dataclass(frozen=True)
class Association:
    """Votes by site id (sites without votes are left out), and the marks that met no site."""

    votes: dict[str, tuple[Vote, ...]]
    stray: tuple[StrayMark, ...]


def associate(looks: Sequence[Look], sites: Sites, reach_m: float = REACH_M) -> Association:
    """Turn first looks (see `geodata.looks.first_looks`) into votes on sites."""
    marks = [(k, lon, lat) for k, look in enumerate(looks) for lon, lat in look.points]
    near = _near(np.array([m[1] for m in marks]), np.array([m[2] for m in marks]), sites.boxes, reach_m)
    marked = _pair(marks, near)
    votes: dict[str, dict[str, bool]] = defaultdict(dict)
    in_tile = _sites_by_tile(sites.boxes)
    for k, look in enumerate(looks):
        if look.answer in ("kiln", "none"):
            for site in in_tile.get(look.tile_id, ()):
                votes[sites.ids[site]].setdefault(look.volunteer_id, False)
        for site in marked.get(k, ()):
            votes[sites.ids[site]][look.volunteer_id] = True
    reached = {mark for mark, _, _ in near}
    stray = {StrayMark(looks[k].volunteer_id, x, y) for m, (k, x, y) in enumerate(marks) if m not in reached}
    return Association(
        {
            site: tuple(Vote(who, said) for who, said in sorted(said.items()))
            for site, said in sorted(votes.items())
        },
        tuple(sorted(stray, key=lambda s: (s.lon, s.lat, s.volunteer_id))),
    )


def _near(lon: Floats, lat: Floats, boxes: Boxes, reach_m: float) -> list[tuple[int, int, float]]:
    """(mark, site, rank) within reach; the rank is the distance to the outline, then that to the centre."""
    if not len(lon) or not len(boxes):
        return []
    widest = float(np.max(np.hypot(boxes.length_m, boxes.width_m))) / 2 + reach_m
    mark, site, centre = pairs_within((lon, lat), (boxes.lon, boxes.lat), widest)
    gap = _gap_m(lon[mark], lat[mark], boxes.take(site))
    pairs = zip(mark.tolist(), site.tolist(), gap.tolist(), centre.tolist(), strict=True)
    return [(m, s, g + 1e-3 * c) for m, s, g, c in pairs if g <= reach_m]


def _gap_m(lon: Floats, lat: Floats, boxes: Boxes) -> Floats:
    """Metres from points to the outlines of boxes, row for row; 0 inside."""
    east, north = offsets_m(lon, lat, boxes.lon, boxes.lat)
    turn = np.radians(boxes.angle_deg)
    along = np.abs(east * np.cos(turn) + north * np.sin(turn)) - boxes.length_m / 2
    across = np.abs(north * np.cos(turn) - east * np.sin(turn)) - boxes.width_m / 2
    return np.asarray(np.hypot(np.maximum(along, 0), np.maximum(across, 0)), dtype=np.float64)


def _pair(marks: list[tuple[int, float, float]], near: list[tuple[int, int, float]]) -> dict[int, set[int]]:
    """Sites marked by each look: its marks and the sites within reach, one to one, nearest first."""
    marked: dict[int, set[int]] = defaultdict(set)
    used: set[int] = set()
    for _, site, mark in sorted((rank, site, mark) for mark, site, rank in near):
        look = marks[mark][0]
        if mark not in used and site not in marked[look]:
            used.add(mark)
            marked[look].add(site)
    return marked


def _sites_by_tile(boxes: Boxes) -> dict[str, list[int]]:
    tiles: dict[str, list[int]] = defaultdict(list)
    for site, tile in enumerate(tile_ids(boxes.lon, boxes.lat)):
        tiles[tile].append(site)
    return tiles
