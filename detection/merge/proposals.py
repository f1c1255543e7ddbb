"""detection.merge.proposals: new sites where volunteers marked kilns and none lies."""

import heapq
from collections.abc import Sequence

import numpy as np

from detection.merge.association import REACH_M, StrayMark
from geodata.near import pairs_within
from geodata.obb import Boxes

PROPOSED_SIDE_M = 100.0
"""A proposal is a square that overlaps a kiln of 120 x 60 m about the same place with an IoU of .5."""


def propose_sites(stray: Sequence[StrayMark], reach_m: float = REACH_M) -> Boxes:
    """New sites: squares of `PROPOSED_SIDE_M` about the mean of stray marks that lie close together.

    The mark with the most volunteers within `reach_m` gathers its neighbours into one proposal, then the next
    of what is left. A proposal is thus never wider than twice the reach, however long a row of marks is, and
    the order of the input does not matter.
    """
    marks = sorted(set(stray), key=lambda s: (s.lon, s.lat, s.volunteer_id))
    lon, lat = np.array([s.lon for s in marks]), np.array([s.lat for s in marks])
    centres = [(float(lon[group].mean()), float(lat[group].mean())) for group in _gather(marks, reach_m)]
    place = np.array(centres, dtype=np.float64).reshape(-1, 2)
    side = np.full(len(place), PROPOSED_SIDE_M)
    return Boxes(place[:, 0], place[:, 1], side, side.copy(), np.zeros(len(place)))


def _gather(marks: list[StrayMark], reach_m: float) -> list[list[int]]:
    if not marks:
        return []
    points = np.array([m.lon for m in marks]), np.array([m.lat for m in marks])
    near: list[list[int]] = [[] for _ in marks]
    one, other, _ = pairs_within(points, points, reach_m)
    for a, b in zip(one.tolist(), other.tolist(), strict=True):
        near[a].append(b)

    def people(k: int) -> int:
        return len({marks[n].volunteer_id for n in near[k] if n not in gone})

    gone: set[int] = set()
    groups: list[list[int]] = []
    queue = [(-people(k), k) for k in range(len(marks))]
    heapq.heapify(queue)
    while queue:
        count, k = heapq.heappop(queue)
        if k in gone:
            continue
        if -count != people(k):
            # neighbours went to another proposal meanwhile, so its turn comes later
            heapq.heappush(queue, (-people(k), k))
            continue
        groups.append([n for n in near[k] if n not in gone])
        gone.update(near[k])
    return groups
