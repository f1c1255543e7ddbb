"""geodata.sources.sentinelhub.source: a Sentinel Hub service as a `Source` of scenes."""

from collections.abc import Callable
from pathlib import Path

from geodata.errors import InputError
from geodata.sources.sentinelhub.connection import Connection
from geodata.sources.sentinelhub.fetch import carry_out
from geodata.sources.sentinelhub.plan import Order, Plan, ScenePlan, make_plan
from geodata.sources.sentinelhub.products import Product
from geodata.sources.source import Offer, Query, SceneRef


class SentinelHubSource:
    """One product and its bands from one service, written into the folder `out`.

    Implements `geodata.sources.source.Source`.
    """

    def __init__(self, connection: Connection, out: Path, product: Product, bands: tuple[str, ...]) -> None:
        self._connection = connection
        self._out = out
        self._product = product
        self._bands = bands
        self._plans: dict[str, ScenePlan] = {}

    @property
    def units_spent(self) -> float:
        """Processing units spent through this connection, as the service counts them."""
        return self._connection.units_spent

    def search(self, query: Query) -> Offer:
        """The fewest and least cloudy acquisitions that cover the area; see `Source.search`."""
        order = Order(
            area=query.area,
            start=query.start,
            end=query.end,
            out=self._out,
            product=self._product,
            bands=self._bands,
            max_cloud_percent=query.max_cloud_percent,
        )
        plan = make_plan(self._connection, order)
        self._plans |= {scene.outline.scene_id: scene for scene in plan.scenes}
        return Offer(tuple(map(_scene_ref, plan.scenes)), plan.covered_share, plan.mixed)

    def fetch(self, scene: SceneRef, on_part: Callable[[], None] = lambda: None) -> Path:
        """Download one acquisition and write it; see `Source.fetch`."""
        planned = self._plans.get(scene.scene_id)
        if planned is None:
            raise InputError(f"Scene {scene.scene_id} was not found by this source; search for it first.")
        carry_out(self._connection, Plan((planned,), planned.covered_share), lambda _scene, _done: on_part())
        return planned.path


def _scene_ref(scene: ScenePlan) -> SceneRef:
    return SceneRef(
        scene_id=scene.outline.scene_id,
        acquired_at=scene.outline.acquired_at,
        cloud_percent=scene.cloud_percent,
        covered_share=scene.covered_share,
        masks_clouds=scene.outline.has_scene_classes,
        path=scene.path,
        parts=len(scene.pieces),
        units=scene.units,
        complete=scene.complete,
    )
