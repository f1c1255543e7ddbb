"""detection.coverage: what was looked at, tile by tile: an empty area is not a clean one."""

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import mercantile
import numpy as np
import pandas as pd

from geodata.grid import metres_per_degree
from geodata.obb import Boxes
from geodata.scene import SceneInfo
from geodata.tables.columns import COVERAGE_COLUMNS, OBSERVED_AT_LEAST
from geodata.tables.parquet import CRS, UTC
from geodata.tiles import tile_from_id, tile_ids, tile_polygon

KILN, NONE, NOT_OBSERVED = "kiln", "none", "not_observed"


@dataclass(frozen=True)
class Observed:
    """How much was seen of each tile that a scene meets."""

    shares: dict[str, float]
    """Share (0-1) of the tile's area, by tile name."""

    @property
    def km2(self) -> float:
        """Ground area of what was observed, in km²."""
        total = 0.0
        for name, share in self.shares.items():
            west, south, east, north = mercantile.bounds(tile_from_id(name))
            per_lon, per_lat = metres_per_degree((south + north) / 2)
            total += share * (east - west) * float(per_lon) * (north - south) * float(per_lat) / 1e6
        return total


def together(parts: Sequence[Observed]) -> Observed:
    """What several scenes of one look observed; where they overlap within a tile, a little too much."""
    shares: dict[str, float] = {}
    for part in parts:
        for name, share in part.shares.items():
            shares[name] = min(1.0, shares.get(name, 0.0) + share)
    return Observed(shares)


def state(has_kiln: bool, observed_share: float) -> str:
    """State of a tile: a detection's centre makes it `kiln`, however little of it was seen."""
    if has_kiln:
        return KILN
    return NONE if observed_share >= OBSERVED_AT_LEAST else NOT_OBSERVED


def coverage_rows(info: SceneInfo, observed: Observed, found: Boxes, model_id: str) -> gpd.GeoDataFrame:
    """The tiles of one scene as rows of the coverage table.

    Args:
        info: of the scene.
        observed: of every tile that the scene meets.
        found: the detections of the run at the scene's time; candidates do not count.
        model_id: of the model that looked.
    """
    with_kiln = set(tile_ids(found.lon, found.lat))
    names = list(observed.shares)
    shares = np.array(list(observed.shares.values()), dtype=np.float32)
    states = [state(name in with_kiln, share) for name, share in zip(names, shares.tolist(), strict=True)]
    n = len(names)
    columns = {
        "tile_id": pd.Series(names, dtype="str"),
        "scene_id": pd.Series([info.scene_id] * n, dtype="str"),
        "acquired_at": pd.Series([info.acquired_at] * n, dtype=UTC),
        "model_id": pd.Series([model_id] * n, dtype="str"),
        "observed_share": shares,
        "state": pd.Series(states, dtype="str"),
        "geometry": [tile_polygon(tile_from_id(name)) for name in names],
    }
    return gpd.GeoDataFrame({name: columns[name] for name in COVERAGE_COLUMNS}, geometry="geometry", crs=CRS)


def in_order(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """The rows of all scenes, by scene and tile; of parts of one scene the better look at a tile counts."""
    rows = pd.concat(tables, ignore_index=True)
    rows = rows.sort_values(
        ["scene_id", "tile_id", "observed_share"], ascending=[True, True, False], ignore_index=True
    )
    return rows.drop_duplicates(["scene_id", "tile_id"], ignore_index=True)
