"""geodata.labels.yolo_obb: lines of YOLO-OBB text, `class x1 y1 x2 y2 x3 y3 x4 y4`; knows no places.

Corners are shares of a frame, x to the right and y down (Ultralytics, "OBB dataset format"). A tenth number,
as in Ultralytics' predictions saved with `save_conf`, is the probability; without one it is 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geodata.grid import Floats


@dataclass(frozen=True)
class Row:
    """One object: its class, its four corners, shape (4, 2), as shares of the frame, and its probability."""

    kiln_class: str
    corners: Floats
    probability: float = 1.0


class RowError(ValueError):
    """A line that is no object; says what is wrong with it."""


def parse_row(line: str, classes: Sequence[str]) -> Row:
    """One line.

    Raises:
        RowError: not nine or ten numbers, an unknown class, corners far outside the frame, sides that cross,
            no area, or a probability that is none.
    """
    words = line.split()
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        raise RowError(f"{line.strip()!r} is not nine numbers") from None
    if len(values) not in (9, 10) or not np.isfinite(values).all():
        raise RowError(f"{line.strip()!r} is not nine numbers")
    number = int(values[0])
    if number != values[0] or not 0 <= number < len(classes):
        raise RowError(f"class {words[0]} is unknown, the classes are 0 to {len(classes) - 1}")
    corners, probability = values[1:9].reshape(4, 2), float(np.append(values, 1.0)[9])
    if not 0 <= probability <= 1:
        raise RowError(f"the tenth number, the probability, is {words[9]}, it has to be 0 to 1")
    if corners.min() < -0.5 or corners.max() > 1.5:
        raise RowError("a corner lies far outside the picture; corners are shares from 0 to 1")
    outline = shapely.Polygon(corners)
    if outline.area < 1e-9:
        raise RowError("it has no area")
    if not outline.is_valid:
        raise RowError("its sides cross each other")
    return Row(classes[number], corners, probability)


def format_row(row: Row, classes: Sequence[str]) -> str:
    """One line, with six digits after the point: a thousandth of a pixel in a tile of 128 px."""
    corners = " ".join(f"{value:.6f}" for value in row.corners.ravel())
    sure = "" if row.probability == 1 else f" {row.probability:.6f}"
    return f"{list(classes).index(row.kiln_class)} {corners}{sure}"
