"""detection.frames: scans as rows of the detection table; knows the columns' meaning, nothing of files."""

import hashlib
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from detection.scan import Scan
from geodata.tables.columns import DETECTION_COLUMNS, KILN_CLASS_UNKNOWN, SITE_TYPE
from geodata.tables.parquet import CRS, UTC


def detection_rows(scan: Scan, probability: NDArray[np.float32], model_id: str) -> gpd.GeoDataFrame:
    """The boxes of a scan as rows of the detection table, ids yet to be given."""
    n = len(scan.boxes)
    # what is below 180 may be 180 itself as float32
    angle = scan.boxes.angle_deg.astype(np.float32)
    places = zip(scan.boxes.lon, scan.boxes.lat, strict=True)
    columns = {
        "detection_id": _text(
            [f"{scan.info.scene_id}|{model_id}|{lon:.4f}|{lat:.4f}" for lon, lat in places]
        ),
        "scene_id": _text([scan.info.scene_id] * n),
        "acquired_at": pd.Series([scan.info.acquired_at] * n, dtype=UTC),
        "site_type": _text([SITE_TYPE] * n),
        "kiln_class": _text([KILN_CLASS_UNKNOWN] * n),
        "score": scan.scores.astype(np.float32),
        "probability": probability,
        "length_m": scan.boxes.length_m.astype(np.float32),
        "width_m": scan.boxes.width_m.astype(np.float32),
        "angle_deg": np.where(angle >= 180, np.float32(0), angle),
        "model_id": _text([model_id] * n),
        "geometry": shapely.polygons(scan.boxes.corners()),
    }
    return gpd.GeoDataFrame({name: columns[name] for name in DETECTION_COLUMNS}, geometry="geometry", crs=CRS)


def with_ids(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """The rows of all scenes, by scene and falling score, with their ids.

    An id comes from scene, model and the centre to 1e-4 degrees (11 m), and so is the same wherever the run
    lies and in whatever order the scenes were named. Should two boxes cross at one such place without one
    covering the other, the weaker one gets a number.
    """
    rows = pd.concat(tables, ignore_index=True)
    rows = rows.sort_values(
        ["scene_id", "score", "detection_id"], ascending=[True, False, True], ignore_index=True, kind="stable"
    )
    number = rows.groupby("detection_id").cumcount()
    keys = rows["detection_id"].where(number == 0, rows["detection_id"] + "|" + number.astype(str))
    rows["detection_id"] = _text([hashlib.sha256(key.encode()).hexdigest()[:16] for key in keys])
    return rows


def _text(values: list[str]) -> pd.Series:
    return pd.Series(values, dtype="str")
