"""geodata.obb: oriented boxes on the ground; knows nothing of pixels or files.

A box is its centre (lon, lat), `length_m` >= `width_m` in true metres and `angle_deg`, the long
axis counter-clockwise from true east, in [0, 180).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geodata.grid import Floats, metres_per_degree


@dataclass(frozen=True)
class Boxes:
    """n oriented boxes as equally long float64 columns."""

    lon: Floats
    lat: Floats
    length_m: Floats
    width_m: Floats
    angle_deg: Floats

    def __len__(self) -> int:
        return len(self.lon)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "Boxes":
        """The boxes at an index or under a mask."""
        return Boxes(
            self.lon[index], self.lat[index], self.length_m[index], self.width_m[index], self.angle_deg[index]
        )

    def corners(self) -> Floats:
        """Corner longitudes and latitudes, shape (n, 4, 2), counter-clockwise."""
        t = np.radians(self.angle_deg)
        along = np.stack([np.cos(t), np.sin(t)], -1) * (self.length_m / 2)[:, None]
        across = np.stack([-np.sin(t), np.cos(t)], -1) * (self.width_m / 2)[:, None]
        metres = np.stack([-along - across, along - across, along + across, -along + across], 1)
        east, north = metres_per_degree(self.lat)
        scale = np.stack([east, north], -1)[:, None, :]
        return np.stack([self.lon, self.lat], -1)[:, None, :] + metres / scale


def canonical(
    side_a_m: ArrayLike, side_b_m: ArrayLike, angle_a_deg: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """(length, width, angle) with the long side first and the angle in [0, 180)."""
    a, b = np.asarray(side_a_m, dtype=np.float64), np.asarray(side_b_m, dtype=np.float64)
    angle = np.where(a >= b, np.asarray(angle_a_deg, dtype=np.float64), np.asarray(angle_a_deg) + 90.0)
    angle = np.mod(angle, 180.0)
    # mod of a tiny negative number rounds up to 180 itself
    return np.maximum(a, b), np.minimum(a, b), np.where(angle >= 180.0, 0.0, angle)


def from_corners(corners: Floats) -> Boxes:
    """Boxes of corner rings, shape (n, 4, 2) in lon/lat: the means of opposite sides."""
    corners = np.asarray(corners, dtype=np.float64).reshape(-1, 4, 2)
    centre = corners.mean(axis=1)
    east, north = metres_per_degree(centre[:, 1])
    metres = (corners - centre[:, None, :]) * np.stack([east, north], -1)[:, None, :]
    one = (metres[:, 1] - metres[:, 0] + metres[:, 2] - metres[:, 3]) / 2
    two = (metres[:, 3] - metres[:, 0] + metres[:, 2] - metres[:, 1]) / 2
    length, width, angle = canonical(
        np.hypot(one[:, 0], one[:, 1]),
        np.hypot(two[:, 0], two[:, 1]),
        np.degrees(np.arctan2(one[:, 1], one[:, 0])),
    )
    return Boxes(centre[:, 0], centre[:, 1], length, width, angle)


def offsets_m(lon: ArrayLike, lat: ArrayLike, lon0: ArrayLike, lat0: ArrayLike) -> tuple[Floats, Floats]:
    """Metres east and north of (lon, lat) from (lon0, lat0); good for distances of some kilometres."""
    a, b = np.asarray(lat, dtype=np.float64), np.asarray(lat0, dtype=np.float64)
    east, north = metres_per_degree((a + b) / 2)
    return (np.asarray(lon, dtype=np.float64) - np.asarray(lon0, dtype=np.float64)) * east, (a - b) * north
