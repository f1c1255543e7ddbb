"""training.held_out: what nets found on the parts held back from them, kept and reported."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from detection.evaluate.crossfit import cross_fitted_probability
from detection.evaluate.matching import Matching
from detection.evaluate.report.content import ModelFacts, Subject, build_report
from detection.evaluate.report.write import write_report
from detection.evaluate.sample import Detections, Kilns, Region, Sample, join_samples, match_sample
from detection.evaluate.visible import seen_kilns
from detection.scan import Scan
from geodata.grid import Floats
from geodata.labels.kilns import Places
from geodata.scene import Scene, Window
from geodata.tables.held_out import HELD_OUT, write_held_out
from geodata.tables.parquet import CRS
from training.data import Labels
from training.folds import Fold

REPORT = "report"
_WHOLE = 0.999
_NOTE = (
    "Probabilities of each fold are by a beta calibration that was fitted on the other folds' scores alone "
    "(cross-fitted). The card's own is fitted on all of them; judging it by the same scores would flatter."
)


@dataclass(frozen=True)
class About:
    """What the report says of the run."""

    name: str
    threshold: float
    how: str
    training_data: tuple[str, ...]
    attribution: str
    command: str
    made_at: datetime
    notes: tuple[str, ...] = ()
    """What else a reader must know."""


def part_sample(
    scene: Scene, result: Scan, labels: Labels, fold: Fold, number: int, land: str | None
) -> Sample:
    """What was found on a fold's own part of a scene, and the kilns there; one look.

    Args:
        scene: open.
        result: what the fold's net gave on the whole scene.
        labels: of all scenes.
        fold: which parts are held back.
        number: of the fold, from 1; 0 without folds.
        land: kind of land of the scene.
    """
    name, grid = scene.info.name, scene.info.grid
    mine = fold.owns(name, grid, result.boxes.lon, result.boxes.lat)
    kilns, share = labels.kilns, fold.share(name, grid)
    inside = fold.owns(name, grid, kilns.boxes.lon, kilns.boxes.lat)
    seen = seen_kilns(scene, kilns.boxes)
    # a cut kiln's centre may lie outside the scene that shows the rest of it
    there = inside | (seen.near & kilns.cut_by_edge)
    truth = labels.truth(there, seen.visible)
    some = kilns.take(there & kilns.sure)  # those of `truth`, in its order
    region = Region(
        name=name if share > _WHOLE else f"{name}, its part in fold {number}",
        scene=name,
        grid=grid,
        area_km2=_observed_km2(scene, result, fold),
        land=land,
        acquired_at=scene.info.acquired_at,
        product=scene.info.product,
        fold=number,
    )
    score = result.scores[mine]
    return Sample(
        (region,),
        Detections(result.boxes.take(mine), score, np.zeros(len(score), np.intp)),
        Kilns(
            some.boxes,
            tuple(str(one) for one in some.label_id),
            truth.kiln_ignored,
            np.zeros(len(some), np.intp),
            some.size_known,
        ),
        (region.area_km2,),
        Places(truth.place_lon, truth.place_lat),
    )


def _observed_km2(scene: Scene, result: Scan, fold: Fold) -> float:
    """What was seen of the fold's own part: clouds and gaps lie in one part rather than in another."""
    name, grid = scene.info.name, scene.info.grid
    if fold.share(name, grid) > _WHOLE:
        return result.observed.km2
    valid = scene.read(Window(0, 0, grid.width, grid.height)).valid
    mine = valid & fold.owned_pixels(name, grid)
    return result.observed.km2 * float(mine.sum()) / max(float(valid.sum()), 1.0)


def keep_held_out(out: Path, parts: list[Sample], about: About, scenes: dict[str, Scene]) -> Path:
    """Write `held_out.parquet` and the pooled report; the report's page.

    Raises:
        InputError: the folder cannot be written.
    """
    sample = join_samples(parts)
    matching = match_sample(sample)
    chances = cross_fitted_probability(sample, matching)
    write_held_out(out / HELD_OUT, held_out_table(sample, matching, chances))
    calibrated = bool(np.isfinite(chances).any())
    subject = Subject(
        sample=sample,
        model=ModelFacts(
            "one net per fold", about.name, about.threshold, about.how, about.training_data, True
        ),
        probability=chances,
        probability_note=_NOTE if calibrated else "No probabilities: too few held-out detections.",
        command=about.command,
        made_at=about.made_at,
        attribution=about.attribution,
        notes=about.notes,
    )

    @contextmanager
    def open_region(region: int) -> Iterator[Scene]:
        yield scenes[sample.regions[region].scene]

    made_up = any(scene.info.made_up for scene in scenes.values())
    return write_report(out / REPORT, build_report(subject), open_region, made_up=made_up)


def held_out_table(sample: Sample, matching: Matching, probability: Floats) -> gpd.GeoDataFrame:
    """Held-out detections as rows, by fold, scene and falling score."""
    boxes, regions = sample.detections.boxes, sample.regions
    of = sample.detections.region
    # what is below 180 may be 180 itself as float32
    angle = boxes.angle_deg.astype(np.float32)
    kilns = [sample.kilns.names[k] if k >= 0 else None for k in matching.kiln]
    table = gpd.GeoDataFrame(
        {
            "fold": np.array([regions[k].fold for k in of], dtype=np.int64),
            "scene": pd.Series([regions[k].scene for k in of], dtype="str"),
            "score": sample.detections.score.astype(np.float32),
            "probability": probability.astype(np.float32),
            "outcome": pd.Series(_outcomes(matching), dtype="str"),
            "kiln": pd.Series(kilns, dtype="str"),
            "distance_m": matching.distance_m.astype(np.float32),
            "length_m": boxes.length_m.astype(np.float32),
            "width_m": boxes.width_m.astype(np.float32),
            "angle_deg": np.where(angle >= 180, np.float32(0), angle),
        },
        geometry=shapely.polygons(boxes.corners()),
        crs=CRS,
    )
    order = ["fold", "scene", "score"]
    return table.sort_values(order, ascending=[True, True, False], ignore_index=True, kind="stable")


def _outcomes(matching: Matching) -> list[str]:
    words = np.where(matching.hit, "hit", np.where(matching.excused, "excused", "false_alarm"))
    return [str(word) for word in words]
