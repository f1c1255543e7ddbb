"""app.services.mining: what a model finds beside the labels, on scenes or on the held-out parts of a run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.services.detecting import for_card
from app.services.jobs import Progress, jobs_of, run_jobs
from app.services.model import open_model
from app.services.run_inputs import Warn
from app.services.training_ground import training_shares
from detection.bundle import Card, load_bundle
from detection.evaluate.matching import Found, Look, Truth
from detection.mining import MineOptions, MineResult, SceneFinds, mine
from detection.pipeline import join
from detection.training_ground import blocks_of
from geodata.errors import InputError
from geodata.labels.kilns import NO_PLACES, KilnLabels, Places, check_meet, read_places
from geodata.labels.kilns import join as join_labels
from geodata.labels.read import read_kilns
from geodata.sources.files import OpenOptions
from geodata.sources.inputs import check_scenes
from geodata.tables.detections import boxes_of
from geodata.tables.held_out import HELD_OUT, read_held_out

BUNDLE, REPORT = "bundle", "report/report.json"
"""Where `kilnlight train` leaves them in a run's folder."""


@dataclass(frozen=True)
class Limits:
    """From which scores on; None: see `detection.mining`."""

    at_least: float | None = None
    possible_from: float | None = None


@dataclass(frozen=True)
class Known:
    """Files of labels (where they meet the earlier speaks), and of unverified places."""

    labels: tuple[Path, ...]
    ignore: Path | None = None

    def read(self) -> tuple[KilnLabels, Truth]:
        """The labels, and what of them counts as known. Raises `InputError` as their readers."""
        labels = join_labels([read_kilns(path) for path in self.labels])
        sure = labels.take(labels.sure)
        places = (read_places(self.ignore) if self.ignore else NO_PLACES).and_these(labels)
        truth = Truth(sure.boxes.lon, sure.boxes.lat, sure.cut_by_edge, places.lon, places.lat)
        return labels, truth


@dataclass(frozen=True)
class MineRequest:
    """What a person asked for."""

    scenes: tuple[Path, ...]
    known: Known
    model: Path | None = None
    """None takes the shipped bundle."""
    limits: Limits = Limits()
    options: OpenOptions = field(default_factory=OpenOptions)
    threads: int = 1


def mine_scenes(request: MineRequest, warn: Warn, progress: Progress) -> MineResult:
    """Run a model wall to wall and sort what it finds beside the labels (see `detection.mining`).

    Raises:
        ProblemsError: with everything that is wrong with the scenes.
        InputError: for labels that cannot be read or meet no scene, or a broken model.
    """
    labels, truth = request.known.read()
    detector = open_model(request.model, request.threads)
    options = for_card(request.options, detector.card)
    checked = check_scenes(request.scenes, options)
    checked.raise_problems()
    for warning in checked.warnings:
        warn(warning)
    check_meet(labels, [one.info.grid for one in checked.good], ", ".join(map(str, request.known.labels)))
    shares = training_shares(detector.card, [one.info for one in checked.good], allowed=True)
    seen = [one.info.name for one, share in zip(checked.good, shares, strict=True) if share.any]
    _warn_of_training_ground(seen, detector.card, warn)
    # at the size that training shows
    scans = run_jobs(jobs_of(checked.good, detector, options, 1.0, warn), options, progress)
    finds = [
        SceneFinds(
            done.info.name, Look(Found(done.boxes.lon, done.boxes.lat, done.scores), truth, done.observed.km2)
        )
        for done in join(scans)
    ]
    return mine(finds, _options(detector.card, labels, request.limits))


def mine_run(run: Path, known: Known, limits: Limits) -> MineResult:
    """Sort what each fold's net found on the parts that it has not learnt from; no model is run.

    Raises:
        InputError: no finished run with folds, or labels that cannot be read.
    """
    labels, truth = known.read()
    if not (run / HELD_OUT).is_file():
        raise InputError(
            f"{run} has no {HELD_OUT}: it is no finished run of `kilnlight train`, or one without folds; "
            "name such a run, or scenes and --model."
        )
    card, rows, areas = load_bundle(run / BUNDLE).card, read_held_out(run / HELD_OUT), _areas(run)
    boxes, scores = boxes_of(rows), rows["score"].to_numpy(np.float64)
    finds = []
    for (fold, scene), index in sorted(rows.groupby(["fold", "scene"]).indices.items()):
        found = Found(boxes.lon[index], boxes.lat[index], scores[index])
        finds.append(SceneFinds(str(scene), Look(found, truth, areas.pop((int(fold), str(scene)), 0.0))))
    # parts where nothing at all was found were looked at too
    nothing = Found(*(np.empty(0) for _ in range(3)))
    finds += [SceneFinds(scene, Look(nothing, truth, area)) for (_, scene), area in sorted(areas.items())]
    return mine(finds, _options(card, labels, limits))


def _areas(run: Path) -> dict[tuple[int, str], float]:
    """Observed ground in km² by fold and scene, from the run's report."""
    try:
        regions = json.loads((run / REPORT).read_text("utf-8"))["regions"]
        return {(int(one["fold"]), str(one["scene"])): float(one["observed_km2"]) for one in regions}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{run / REPORT} cannot be read, so nobody knows how much ground was looked at; let `kilnlight "
            "train` write it again."
        ) from error


def _options(card: Card, labels: KilnLabels, limits: Limits) -> MineOptions:
    none = labels.boxes.take(labels.probability == 0)
    return MineOptions(card.threshold, limits.at_least, limits.possible_from, Places(none.lon, none.lat))


def _warn_of_training_ground(seen: Sequence[str], card: Card, warn: Warn) -> None:
    """A net does not fire where it has learnt that no kiln stands."""
    if seen:
        told = f"{card.name} has learnt from {', '.join(seen)}"
    elif not blocks_of(card):
        told = f"The card of {card.name} does not say which ground it has learnt from; if it is this ground"
    else:
        return
    warn(
        f"{told}, it does not fire where it was taught that there is no kiln, and this finds too little; "
        "mine with the nets of the folds instead: kilnlight mine --run DIR --labels FILE."
    )
