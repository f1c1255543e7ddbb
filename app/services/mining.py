"""app.services.mining: one model over labelled scenes, for what it finds beside the labels; no store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.services.detecting import Progress, Steps, for_card
from app.services.model import open_model
from app.services.run_inputs import Warn
from app.services.training_ground import training_shares
from detection.bundle import Card
from detection.evaluate.matching import Found, Look, Truth
from detection.mining import MineOptions, MineResult, SceneFinds, mine
from detection.pipeline import join
from detection.scan import scan, window_plan
from detection.training_ground import blocks_of
from geodata.labels.kilns import NO_PLACES, KilnLabels, Places, check_meet, read_places
from geodata.labels.read import read_kilns
from geodata.sources.files import OpenOptions, open_with
from geodata.sources.inputs import check_scenes


@dataclass(frozen=True)
class MineRequest:
    """What a person asked for."""

    scenes: tuple[Path, ...]
    labels: Path
    ignore: Path | None = None
    model: Path | None = None
    """None takes the shipped bundle."""
    at_least: float | None = None
    possible_from: float | None = None
    options: OpenOptions = field(default_factory=OpenOptions)
    threads: int = 1


def mine_scenes(request: MineRequest, warn: Warn, progress: Progress) -> MineResult:
    """Run a model wall to wall and sort what it finds beside the labels (see `detection.mining`).

    Raises:
        ProblemsError: with everything that is wrong with the scenes.
        InputError: for labels that cannot be read or meet no scene, or a broken model.
    """
    labels = read_kilns(request.labels)
    places = read_places(request.ignore) if request.ignore else NO_PLACES
    detector = open_model(request.model, request.threads)
    options = for_card(request.options, detector)
    checked = check_scenes(request.scenes, options)
    checked.raise_problems()
    for warning in checked.warnings:
        warn(warning)
    check_meet(labels, [one.info.grid for one in checked.good], request.labels)
    plans = [window_plan(one.info, detector.card) for one in checked.good]
    steps = Steps(sum(map(len, plans)), progress)
    scans = []
    for one, plan in zip(checked.good, plans, strict=True):
        with open_with(one.path, options) as scene:
            scans.append(scan(scene, detector, plan, steps.advance))
    truth = truth_of(labels, places)
    finds = [
        SceneFinds(
            one.info.name,
            Look(Found(done.boxes.lon, done.boxes.lat, done.scores), truth, done.observed.km2),
        )
        for one, done in zip(checked.good, join(scans), strict=True)
    ]
    shares = training_shares(detector.card, [one.info for one in checked.good], allowed=True)
    seen = [one.info.name for one, share in zip(checked.good, shares, strict=True) if share.any]
    _warn_of_training_ground(seen, detector.card, warn)
    return mine(finds, options_for(detector.card.threshold, labels, request.at_least, request.possible_from))


def options_for(
    threshold: float, labels: KilnLabels, at_least: float | None, possible_from: float | None
) -> MineOptions:
    """How to sort, with the places where the labels say that no kiln stands."""
    none = labels.boxes.take(labels.probability == 0)
    return MineOptions(threshold, at_least, possible_from, Places(none.lon, none.lat))


def truth_of(labels: KilnLabels, places: Places) -> Truth:
    """All kilns that somebody is sure of; what nobody is sure of is an unverified place."""
    sure = labels.take(labels.sure)
    there = places.and_these(labels)
    return Truth(sure.boxes.lon, sure.boxes.lat, sure.cut_by_edge, there.lon, there.lat)


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
        "mine with the nets of the folds instead: kilnlight mine RUN.toml --run DIR."
    )
