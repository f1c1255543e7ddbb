"""geodata.store.boxes: one oriented box as a value; `geodata.obb.Boxes` holds many as columns."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from sqlalchemy import Row

from geodata.obb import Boxes


@dataclass(frozen=True)
class OrientedBox:
    """Centre in degrees (WGS 84), sides in true metres, long axis counter-clockwise from true east."""

    lon: float
    lat: float
    length_m: float
    width_m: float
    angle_deg: float


def box_of(row: Row[Any]) -> OrientedBox:
    """The box of a row that has its columns."""
    return OrientedBox(row.lon, row.lat, row.length_m, row.width_m, row.angle_deg)


def as_columns(boxes: Sequence[OrientedBox]) -> Boxes:
    """Many boxes as columns, row for row."""
    rows = np.array([astuple(box) for box in boxes], dtype=np.float64).reshape(-1, 5)
    return Boxes(*rows.T)


def as_values(boxes: Boxes) -> list[OrientedBox]:
    """The rows of columns, one by one."""
    columns = (boxes.lon, boxes.lat, boxes.length_m, boxes.width_m, boxes.angle_deg)
    return [OrientedBox(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
