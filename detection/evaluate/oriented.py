"""detection.evaluate.oriented: hits by overlap of the turned boxes, and how far a hit's box is off; pure."""

from dataclasses import dataclass

import numpy as np

from detection.evaluate.matching import Found, Matching, Truth, match
from detection.evaluate.sample import Index, Sample, match_by_look
from geodata.grid import Floats
from geodata.overlap import overlapping_pairs

IOU = 0.5
LONGISH = 1.3
"""Length over width of a kiln from which its angle means something."""


@dataclass(frozen=True)
class BoxErrors:
    """Detection minus kiln, for n hits; all but the centre's is NaN where the kiln's size is not known."""

    centre_m: Floats
    length_m: Floats
    width_m: Floats
    length_ratio: Floats
    width_ratio: Floats
    angle_deg: Floats
    """Smallest turn between the long axes, 0 to 90; NaN where the kiln is nearly as wide as long."""


def match_overlaps(sample: Sample, iou: float = IOU) -> Matching:
    """Match by intersection over union of the oriented boxes: by falling score each takes the best free kiln.

    As in the Pascal VOC protocol (Everingham et al. 2010, section 4.2) with oriented boxes (DOTA, Xia et al.
    2018), except that the best *free* kiln is taken, as COCO does. What is excused is what matching by
    centres excuses; a box on a verified kiln that overlaps it too little is a false alarm, its kiln missed.
    A kiln without a known size is left out, and the detection on it with it (`Sample.sized_truth`).
    """

    def one(found: Found, truth: Truth, of_found: Index, of_kiln: Index) -> Matching:
        by_centre = match(found, truth)
        sized = sample.kilns.has_size[of_kiln]
        on_point = by_centre.hit.copy()
        on_point[by_centre.hit] = ~sized[by_centre.kiln[by_centre.hit]]
        boxes, kilns = sample.detections.boxes.take(of_found), sample.kilns.boxes.take(of_kiln)
        required = np.flatnonzero(~truth.kiln_ignored & sized)
        box, near, overlap = overlapping_pairs(boxes, kilns.take(required), iou)
        kiln = np.full(len(found), -1, dtype=np.intp)
        taken: set[int] = set()
        for k in np.lexsort((-overlap, box, -found.score[box])):
            if kiln[box[k]] < 0 and int(near[k]) not in taken:
                taken.add(int(near[k]))
                kiln[box[k]] = required[near[k]]
        # its centre may excuse a detection that overlaps a kiln all the same: then it is a hit
        excused = (by_centre.excused | on_point) & (kiln < 0)
        return Matching(kiln, np.full(len(found), np.nan), excused)

    return match_by_look(sample, one)


def box_errors(sample: Sample, matching: Matching, hits: Index) -> BoxErrors:
    """Errors of some hits, by their indexes in the sample's detections."""
    box = sample.detections.boxes.take(hits)
    kiln = sample.kilns.boxes.take(matching.kiln[hits])
    turn = np.abs(box.angle_deg - kiln.angle_deg) % 180
    turn = np.minimum(turn, 180 - turn)
    sized = sample.kilns.has_size[matching.kiln[hits]]

    def known(values: Floats) -> Floats:
        return np.where(sized, values, np.nan)

    return BoxErrors(
        matching.distance_m[hits],
        known(box.length_m - kiln.length_m),
        known(box.width_m - kiln.width_m),
        known(box.length_m / kiln.length_m),
        known(box.width_m / kiln.width_m),
        known(np.where(kiln.length_m >= LONGISH * kiln.width_m, turn, np.nan)),
    )
