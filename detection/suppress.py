"""detection.suppress: of detections that overlap on the ground, keep the best; pure."""

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from geodata.grid import Floats
from geodata.obb import Boxes, offsets_m

IOU = 0.3
COVERED = 0.5
"""Share of the smaller box under the larger one from which both mean the same kiln."""


def polygons_m(boxes: Boxes) -> NDArray[np.object_]:
    """Box outlines as shapely polygons in metres about the boxes' mean place."""
    if not len(boxes):
        return np.zeros(0, dtype=object)
    corners = boxes.corners()
    east, north = offsets_m(corners[..., 0], corners[..., 1], boxes.lon.mean(), boxes.lat.mean())
    return np.asarray(shapely.polygons(np.stack([east, north], -1)), dtype=object)


def suppress(boxes: Boxes, scores: Floats, iou: float = IOU, covered: float = COVERED) -> NDArray[np.intp]:
    """Indices of the boxes kept, best score first.

    A box goes if its overlap with a kept one is at least `iou` of their union or `covered` of the smaller of
    the two. Distance does not count: kilns stand as close as 74 m, side by side. Ties are settled by place,
    so that the order of the input does not matter.
    """
    order = np.lexsort((boxes.lat, boxes.lon, -np.asarray(scores, dtype=np.float64)))
    shapes = polygons_m(boxes)
    if not len(shapes):
        return order
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    first, second = STRtree(shapes).query(shapes, predicate="intersects")
    pairs = rank[first] < rank[second]
    first, second = first[pairs], second[pairs]
    common = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    area = shapely.area(shapes)
    union = area[first] + area[second] - common
    same = (common >= iou * union) | (common >= covered * np.minimum(area[first], area[second]))
    beaten_by: dict[int, list[int]] = {}
    for a, b in zip(first[same], second[same], strict=True):
        beaten_by.setdefault(int(b), []).append(int(a))
    kept = np.zeros(len(order), dtype=bool)
    for index in order:
        kept[index] = not any(kept[a] for a in beaten_by.get(int(index), ()))
    return order[kept[order]]
