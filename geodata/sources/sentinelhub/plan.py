"""geodata.sources.sentinelhub.plan: what a fetch would take and cost, before anything is spent."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.scene import Window
from geodata.sources.sentinelhub.acquisitions import Acquisition, acquisitions_of, inseparable
from geodata.sources.sentinelhub.area import Area
from geodata.sources.sentinelhub.area_grid import grid_of, project, window_box
from geodata.sources.sentinelhub.catalog import granules_of
from geodata.sources.sentinelhub.choose import choose
from geodata.sources.sentinelhub.connection import Connection
from geodata.sources.sentinelhub.pieces import pieces_over
from geodata.sources.sentinelhub.process import PieceRequest
from geodata.sources.sentinelhub.products import Product
from geodata.sources.sentinelhub.units import units_of
from geodata.sources.sentinelhub.write import Outline, is_complete

_MUST_HAVE_DATA = 0.2
"""Footprints in the Catalog are coarse; where one covers this share of a window, there must be pixels."""


@dataclass(frozen=True)
class Order:
    """What a person asks for."""

    area: Area
    start: datetime
    end: datetime
    """Both UTC, both included."""
    out: Path
    product: Product
    bands: tuple[str, ...]
    max_cloud_percent: float = 100.0

    def __post_init__(self) -> None:
        """Refuse a span that is turned round. Raises `InputError`."""
        if self.start > self.end:
            raise InputError(
                f"The span starts on {self.start:%Y-%m-%d %H:%M} and ends before that, on "
                f"{self.end:%Y-%m-%d %H:%M}; exchange --from and --to."
            )


@dataclass(frozen=True)
class ScenePlan:
    """One file to write: an acquisition, cut into windows of one request each."""

    path: Path
    outline: Outline
    cloud_percent: float
    covered_share: float
    """Share (0-1) of the area that the acquisition saw."""
    pieces: tuple[PieceRequest, ...]
    units: float
    """Estimated PU."""
    complete: bool
    """True where the file is there already."""


@dataclass(frozen=True)
class Plan:
    """All files of an order, and what is known about the area as a whole."""

    scenes: tuple[ScenePlan, ...]
    covered_share: float
    mixed: tuple[str, ...] = ()
    """Names of acquisitions left out, since a request by time cannot tell them apart."""

    @property
    def missing(self) -> tuple[ScenePlan, ...]:
        """The scenes that are still to be fetched."""
        return tuple(scene for scene in self.scenes if not scene.complete)

    @property
    def units(self) -> float:
        """Estimated PU of what is still to be fetched."""
        return sum(scene.units for scene in self.missing)


def make_plan(connection: Connection, order: Order) -> Plan:
    """Search the Catalog, choose acquisitions and estimate their cost; spends nothing.

    Raises:
        InputError: the area is too large or too small, nothing was found, or the service fails.
    """
    grid = grid_of(order.area, len(order.bands))
    granules = granules_of(connection, order.product.collection, order.area, (order.start, order.end))
    all_found = acquisitions_of(granules)
    mixed = inseparable(all_found)
    found = [one for one in all_found if one not in mixed]
    choice = choose(found, order.area, order.max_cloud_percent)
    if not choice.acquisitions:
        raise InputError(_nothing_found(order, found, mixed))
    scenes = tuple(_scene_plan(order, acquisition, grid) for acquisition in choice.acquisitions)
    return Plan(scenes, choice.covered_share, tuple(one.name for one in mixed))


def _scene_plan(order: Order, acquisition: Acquisition, grid: Grid) -> ScenePlan:
    """The file of one acquisition on the grid of an order's area."""
    seen = acquisition.footprint.intersection(order.area)
    windows = pieces_over(project(seen, grid.crs), grid)
    outline = Outline(
        # the area's part keeps two areas of one product apart; both have the same time
        scene_id=f"{acquisition.name}-{_mark_of(grid, order)}",
        acquired_at=acquisition.acquired_at,
        product=order.product.tag,
        bands=order.bands,
        grid=grid,
        source_products=acquisition.product_ids,
    )
    path = order.out / f"{outline.scene_id}.tif"
    footprint = project(acquisition.footprint, grid.crs)
    return ScenePlan(
        path=path,
        outline=outline,
        cloud_percent=acquisition.cloud_percent(order.area),
        covered_share=float(seen.area / order.area.area),
        pieces=tuple(_piece(order, acquisition, grid, window, footprint) for window in windows),
        units=units_of(windows, len(order.bands)),
        complete=is_complete(path, outline),
    )


def _piece(
    order: Order, acquisition: Acquisition, grid: Grid, window: Window, footprint: BaseGeometry
) -> PieceRequest:
    box = shapely.box(*window_box(grid, window))
    return PieceRequest(
        collection=order.product.collection,
        bands=order.bands,
        interval=acquisition.interval,
        grid=grid,
        window=window,
        must_have_data=footprint.intersection(box).area >= _MUST_HAVE_DATA * box.area,
    )


def _mark_of(grid: Grid, order: Order) -> str:
    text = repr(
        (grid.crs.to_epsg(), tuple(grid.transform), grid.width, grid.height, order.bands, order.product.tag)
    )
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _nothing_found(order: Order, found: list[Acquisition], mixed: list[Acquisition]) -> str:
    span = f"{order.start:%Y-%m-%d} to {order.end:%Y-%m-%d}"
    if not found and mixed:
        return (
            f"All {len(mixed)} {order.product.tag} acquisitions from {span} overlap another in time, so "
            "that a request would mix them; take a longer span."
        )
    if not found:
        return f"The Catalog has no {order.product.tag} scene of the area from {span}; take a longer span."
    least = min(acquisition.cloud_percent(order.area) for acquisition in found)
    if least <= order.max_cloud_percent:
        return f"The {order.product.tag} scenes from {span} only touch the area; take a longer span."
    return (
        f"Of {len(found)} {order.product.tag} acquisitions from {span} none has at most "
        f"{order.max_cloud_percent:g} % cloud (the clearest has {least:.0f} %); raise --max-cloud or take a "
        "longer span."
    )
