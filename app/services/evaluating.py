"""app.services.evaluating: a model scored on whole scenes with labels; prints nothing and knows no store."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from app.services.detecting import Progress, Steps, for_card
from app.services.model import open_model
from app.services.run_inputs import Warn
from detection.coverage import Observed, together
from detection.evaluate.matching import Found, Look, Truth
from detection.evaluate.report import Outcome, Row, outcomes, report
from detection.evaluate.visible import SeenKilns, seen_kilns
from detection.pipeline import join, same_look
from detection.scan import Detector, Scan, concatenate, scan, window_plan
from geodata.errors import InputError
from geodata.labels.forms import ReadOptions
from geodata.labels.kilns import KilnLabels, Places, check_meet
from geodata.labels.read import read_truth
from geodata.obb import Boxes
from geodata.sources.files import OpenOptions, open_with
from geodata.sources.inputs import GoodScene, check_scenes
from geodata.tables.coverage import read_coverage
from geodata.tables.detections import boxes_of, read_detections
from geodata.tables.run import Run, open_run


@dataclass(frozen=True)
class EvaluateRequest:
    """What a person asked for."""

    scenes: tuple[Path, ...]
    labels: Path
    ignore: Path | None = None
    model: Path | None = None
    """None takes the shipped bundle."""
    run: Path | None = None
    """A run folder whose detections are scored instead of running a model."""
    options: OpenOptions = field(default_factory=OpenOptions)
    label_options: ReadOptions = field(default_factory=ReadOptions)
    threads: int = 1


@dataclass(frozen=True)
class Evaluation:
    """How good a model is on some scenes."""

    model_id: str
    threshold: float
    scenes: tuple[str, ...]
    area_km2: float
    """Observed."""
    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class _Detections:
    """What is to be scored."""

    model_id: str
    threshold: float
    scans: list[Scan]


def evaluate(request: EvaluateRequest, warn: Warn, progress: Progress) -> Evaluation:
    """Score a model, or the detections of a run, on whole scenes.

    Raises:
        ProblemsError: with everything that is wrong with the scenes.
        InputError: for labels that cannot be read or meet no scene, a broken model or run, or a run that has
            not seen one of the scenes.
    """
    labels, places = read_truth(request.labels, request.ignore, request.label_options, warn)
    source = open_run(request.run) if request.run else open_model(request.model, request.threads)
    options = for_card(request.options, source) if isinstance(source, Detector) else request.options
    checked = check_scenes(request.scenes, options)
    checked.raise_problems()
    for warning in checked.warnings:
        warn(warning)
    good = checked.good
    check_meet(labels, [one.info.grid for one in good], request.labels)
    if isinstance(source, Detector):
        judged = _by_model(source, good, options, progress)
    else:
        judged = _by_run(source, good)
    kilns = [_seen_kilns(one, labels.boxes, options) for one in good]
    looks = _looks(join(judged.scans), kilns, labels, places)
    return Evaluation(
        model_id=judged.model_id,
        threshold=judged.threshold,
        scenes=tuple(one.info.name for one in good),
        area_km2=sum(look.area_km2 for look in looks),
        rows=tuple(report(looks, judged.threshold)),
        outcomes=tuple(outcomes(looks, judged.threshold)),
    )


def _by_model(
    detector: Detector, good: Sequence[GoodScene], options: OpenOptions, progress: Progress
) -> _Detections:
    plans = [window_plan(one.info, detector.card) for one in good]
    steps = Steps(sum(map(len, plans)), progress)
    scans = []
    for one, plan in zip(good, plans, strict=True):
        with open_with(one.path, options) as scene:
            scans.append(scan(scene, detector, plan, steps.advance))
    return _Detections(detector.model_id, detector.card.threshold, scans)


def _by_run(run: Run, good: Sequence[GoodScene]) -> _Detections:
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
        # the run may have been told the time
        info = replace(one.info, scene_id=entry.scene_id, acquired_at=entry.acquired_at)
        mine = rows[rows["scene_id"] == info.scene_id]
        tiles = coverage[coverage["scene_id"] == info.scene_id]
        observed = Observed(dict(zip(tiles["tile_id"], tiles["observed_share"].astype(float), strict=True)))
        scans.append(Scan(info, boxes_of(mine), mine["score"].to_numpy(np.float64), observed))
    return _Detections(run.record.model_id, run.record.settings.threshold, scans)


def _seen_kilns(one: GoodScene, kilns: Boxes, options: OpenOptions) -> SeenKilns:
    with open_with(one.path, options) as scene:
        return seen_kilns(scene, kilns)


def _looks(
    scans: Sequence[Scan], kilns: Sequence[SeenKilns], labels: KilnLabels, places: Places
) -> list[Look]:
    """Scenes of one time as one look; kilns cut by an edge, or under cloud in all of them, are ignored."""
    looks = []
    for members in same_look(scans):
        boxes, scores = concatenate([(scans[k].boxes, scans[k].scores) for k in members])
        inside = np.any([kilns[k].inside for k in members], axis=0)
        visible = np.any([kilns[k].visible for k in members], axis=0)
        # a cut kiln's centre may lie outside the scene that shows the rest of it
        there = labels.take(inside | labels.cut_by_edge)
        hidden = ~visible[inside | labels.cut_by_edge]
        truth = Truth(there.boxes.lon, there.boxes.lat, there.cut_by_edge | hidden, places.lon, places.lat)
        area_km2 = together([scans[k].observed for k in members]).km2
        looks.append(Look(Found(boxes.lon, boxes.lat, scores), truth, area_km2))
    return looks
