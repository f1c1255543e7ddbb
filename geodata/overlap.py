"""geodata.overlap: which oriented boxes overlap which others, and by how much."""

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.grid import Floats
from geodata.obb import Boxes

Index = NDArray[np.intp]


def overlapping_pairs(boxes: Boxes, others: Boxes, min_iou: float) -> tuple[Index, Index, Floats]:
    """Pairs whose intersection over union is at least `min_iou` (> 0).

    Returns the index in `boxes`, the index in `others` and the IoU, in order of the first, then the second.

    The outlines are compared in degrees: over the size of a box, degrees and metres differ by one affine map,
    and an affine map changes neither side of that ratio. Boxes across the 180th meridian do not meet.
    """
    if not len(boxes) or not len(others):
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    rings, other_rings = _outlines(boxes), _outlines(others)
    one, two = shapely.STRtree(other_rings).query(rings, predicate="intersects")
    shared = shapely.area(shapely.intersection(rings[one], other_rings[two]))
    whole = shapely.area(rings)[one] + shapely.area(other_rings)[two] - shared
    iou = shared / whole
    enough = iou >= min_iou
    one, two, iou = one[enough], two[enough], iou[enough]
    order = np.lexsort((two, one))
    return one[order], two[order], iou[order]


def _outlines(boxes: Boxes) -> NDArray[np.object_]:
    return np.asarray(shapely.polygons(boxes.corners()), dtype=np.object_)
