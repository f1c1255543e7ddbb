"""geodata.labels.losses: what a form of labels cannot hold, in words, before somebody misses it."""

import numpy as np

from geodata.labels.kilns import POINT_LENGTH_M, POINT_WIDTH_M, KilnLabels


def lost(labels: KilnLabels, end: str, points: bool) -> list[str]:
    """Sentences on what writing loses or makes up.

    Args:
        labels: what is written.
        end: the file name's end, '' for a folder of YOLO-OBB text.
        points: whether points are written in place of outlines.
    """
    unknown = int((~labels.size_known).sum())
    known = len(labels) - unknown
    out = []
    if end and (points or end == ".csv") and known:
        out.append(
            f"The outlines of {known} are kept as length_m, width_m and angle_deg beside their points; a "
            "program that reads the points only loses them."
        )
    elif unknown and not (points or end == ".csv"):
        told = "marked size_known = false, so that nobody learns it" if end else "which YOLO-OBB cannot tell"
        out.append(
            f"{unknown} points without a size are written as boxes of {POINT_LENGTH_M:.0f} x "
            f"{POINT_WIDTH_M:.0f} m, {told}."
        )
    return out if end else out + _lost_in_yolo(labels)


def _lost_in_yolo(labels: KilnLabels) -> list[str]:
    p = labels.probability
    soft = int(((p > 0) & (p < 1)).sum())
    gone = int((~(p > 0)).sum())
    noted = int((labels.cut_by_edge | ~np.isnat(labels.valid_from)).sum())
    out = []
    if soft:
        out.append(f"{soft} soft labels have a tenth number, their probability, which some programs refuse.")
    if gone:
        out.append(
            f"{gone} places without a kiln or that nobody knows have no line: YOLO-OBB has none for them."
        )
    if noted:
        out.append(f"cut_by_edge and valid_from of {noted} are lost: YOLO-OBB has no place for them.")
    return [*out, "The labels' ids are lost: a line goes by its file and number."]
