"""geodata.sources.sentinelhub.source: a Sentinel Hub service as a `Source` of scenes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely

from geodata.errors import InputError
from geodata.scene import Query, Scene, SceneRef
from geodata.sources.sentinelhub.acquisitions import Acquisition
from geodata.sources.sentinelhub.area_grid import grid_of
from geodata.sources.sentinelhub.connection import Connection
from geodata.sources.sentinelhub.fetch import DEFAULT_MAX_UNITS, carry_out, check_budget
from geodata.sources.sentinelhub.plan import Order, Plan, scene_plan, search_acquisitions
from geodata.sources.sentinelhub.products import DEFAULT_BANDS, PRODUCTS, Product, bands_of


@dataclass(frozen=True)
class _Found:
    order: Order
    acquisition: Acquisition


class SentinelHubSource:
    """Finds acquisitions and opens them; opening downloads one into `out`, unless it lies there already.

    Implements `geodata.scene.Source`. Opening spends processing units, `max_units` at most for each scene.
    """

    def __init__(
        self,
        connection: Connection,
        out: Path,
        open_file: Callable[[Path], Scene],
        product: Product = PRODUCTS["l2a"],
        max_units: float = DEFAULT_MAX_UNITS,
    ) -> None:
        self._connection = connection
        self._out = out
        self._open_file = open_file
        self._product = product
        self._max_units = max_units
        self._found: dict[str, _Found] = {}

    def search(self, query: Query) -> Sequence[SceneRef]:
        """All acquisitions that meet the query, earliest first; spends nothing. Raises `InputError`."""
        order = Order(
            area=shapely.box(query.west, query.south, query.east, query.north),
            start=query.start,
            end=query.end,
            out=self._out,
            product=self._product,
            bands=bands_of(self._product, DEFAULT_BANDS),
        )
        grid = grid_of(order.area, len(order.bands))
        acquisitions, _ = search_acquisitions(self._connection, order)
        refs = []
        for acquisition in acquisitions:
            scene = scene_plan(order, acquisition, grid)
            self._found[scene.outline.scene_id] = _Found(order, acquisition)
            hull = acquisition.footprint.convex_hull
            refs.append(
                SceneRef(
                    scene_id=scene.outline.scene_id,
                    acquired_at=acquisition.acquired_at,
                    cloud_percent=scene.cloud_percent,
                    footprint=tuple((float(x), float(y)) for x, y in shapely.get_coordinates(hull)),
                )
            )
        return refs

    def open(self, ref: SceneRef) -> Scene:
        """Download a scene that `search` gave, where it is not there yet, and open it.

        Raises:
            InputError: the scene is not from this source, costs too much, or the service fails.
        """
        found = self._found.get(ref.scene_id)
        if found is None:
            raise InputError(f"Scene {ref.scene_id} was not found by this source; search for it first.")
        grid = grid_of(found.order.area, len(found.order.bands))
        scene = scene_plan(found.order, found.acquisition, grid)
        plan = Plan((scene,), scene.covered_share)
        check_budget(plan, self._max_units)
        carry_out(self._connection, plan)
        return self._open_file(scene.path)
