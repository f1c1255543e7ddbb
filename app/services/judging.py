"""app.services.judging: what is to be scored: a model that is run on scenes, or the detections of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from app.services.jobs import Progress, jobs_of, run_jobs
from app.services.model import model_folder, open_model
from app.services.run_inputs import Warn
from detection.bundle import CARD, Card, load_bundle
from detection.coverage import Observed
from detection.pipeline import join
from detection.scan import Detector, Scan
from geodata.errors import InputError
from geodata.grid import Grid
from geodata.sources.files import OpenOptions
from geodata.sources.inputs import GoodScene
from geodata.tables.coverage import read_coverage
from geodata.tables.detections import boxes_of, read_detections
from geodata.tables.run import RUN, Run, open_run
from geodata.tiles import footprint, tile_from_id, tile_id, tile_polygon, tiles_of


@dataclass(frozen=True)
class Source:
    """A model, or a run with the card of its model where that is at hand."""

    model_id: str
    name: str
    threshold: float
    card: Card | None
    detector: Detector | None = None
    run: Run | None = None

    @property
    def cut(self) -> bool:
        """Nothing below the threshold is known: a run that kept no candidates."""
        return self.run is not None and self.run.candidates is None


def open_source(model: Path | None, run: Path | None, threads: int) -> Source:
    """A run where one is named, else a model (None: the shipped one).

    Raises:
        InputError: a broken model or run, or a model that is not the run's.
    """
    if run is None:
        detector = open_model(model, threads)
        own = detector.card
        return Source(detector.model_id, own.name, own.threshold, own, detector=detector)
    opened = open_run(run)
    record = opened.record
    card = _card_of_run(record.model_id, model, run)
    return Source(record.model_id, record.model_name, record.settings.threshold, card, run=opened)


def open_against(folder: Path, threads: int) -> Source:
    """The other model of a comparison: a bundle, or a run folder.

    Raises:
        InputError: it is neither, or broken.
    """
    if (folder / RUN).is_file():
        return open_source(None, folder, threads)
    if (folder / CARD).is_file():
        return open_source(folder, None, threads)
    raise InputError(
        f"{folder} is neither a model bundle nor a run; name the folder that `kilnlight train` or "
        "`kilnlight detect` wrote."
    )


def _card_of_run(model_id: str, model: Path | None, run: Path) -> Card | None:
    """The card of a run's model: a run does not carry it. None where nobody has named it."""
    bundle = load_bundle(model_folder(model))
    if bundle.model_id == model_id:
        return bundle.card
    if model is not None:
        raise InputError(
            f"The run {run} comes from the model {model_id}, not from {model} ({bundle.model_id}); "
            "name the bundle of the run, or leave --model out."
        )
    return None


def scans_of(
    source: Source,
    good: Sequence[GoodScene],
    options: OpenOptions,
    zoom: float | None,
    warn: Warn,
    progress: Progress,
) -> list[Scan]:
    """One scan per scene, what is double within a look taken away.

    Raises:
        InputError: a run that has not seen one of the scenes, or pixels that do not decode.
    """
    if source.run is not None:
        return join(_by_run(source.run, good))
    assert source.detector is not None  # a source is one or the other
    return join(run_jobs(jobs_of(good, source.detector, options, zoom, warn), options, progress))


def _by_run(run: Run, good: Sequence[GoodScene]) -> list[Scan]:
    tables = [read_detections(path) for path in (run.detections, run.candidates) if path]
    rows = pd.concat(tables, ignore_index=True)
    coverage = read_coverage(run.coverage)
    known = {one.sha256: one for one in run.record.inputs}
    scans = []
    for one in good:
        entry = known.get(one.info.sha256)
        if entry is None:
            raise InputError(
                f"{one.info.name} was not part of the run {run.folder}; name scenes of that run only."
            )
        # the run may have been told the time and the product
        info = replace(
            one.info, scene_id=entry.scene_id, acquired_at=entry.acquired_at, product=entry.product
        )
        # clips of one product share its id: only what lies in this one is this one's
        mine = rows[(rows["scene_id"] == info.scene_id) & _in(info.grid, rows)]
        clips = sum(other.scene_id == info.scene_id for other in run.record.inputs)
        observed = _observed(coverage[coverage["scene_id"] == info.scene_id], info.grid, several=clips > 1)
        scores = mine["score"].to_numpy(np.float64)
        scans.append(Scan(info, boxes_of(mine), scores, observed, entry.zoom))
    return scans


def _observed(coverage: pd.DataFrame, grid: Grid, *, several: bool) -> Observed:
    """What a scene shows of its tiles; where `several` clips of a product share one, its own part at most."""
    ours = {tile_id(tile) for tile in tiles_of(grid)}
    rows = coverage[coverage["tile_id"].isin(ours)]
    shares = dict(zip(rows["tile_id"], rows["observed_share"].astype(float), strict=True))
    if several:
        shape = footprint(grid)
        for name, share in shares.items():
            tile = tile_polygon(tile_from_id(name))
            shares[name] = min(share, tile.intersection(shape).area / tile.area)
    return Observed(shares)


def _in(grid: Grid, rows: pd.DataFrame) -> NDArray[np.bool_]:
    boxes = boxes_of(rows)
    col, row = grid.pixel(boxes.lon, boxes.lat)
    rim = 0.5  # rounding may put a centre at the edge outside
    inside: NDArray[np.bool_] = (col >= -rim) & (col <= grid.width + rim)
    return inside & (row >= -rim) & (row <= grid.height + rim)
