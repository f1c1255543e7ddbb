"""app.services.evaluating: a model scored on whole scenes with labels; prints nothing and knows no store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.services.detecting import for_card
from app.services.evaluation_sample import Known, Lands, sample_of
from app.services.jobs import Progress
from app.services.judging import Source, open_against, open_source, scans_of
from app.services.run_inputs import Warn, other_zoom
from app.services.training_ground import training_shares
from detection.bundle import Calibration
from detection.domain import calibration_for, calibrations_at, outside_reasons
from detection.evaluate.lands import lands_of
from detection.evaluate.sample import Sample
from detection.evaluate.summary import Outcome, Row, outcomes, report
from detection.evaluate.visible import SeenKilns, seen_kilns
from detection.scan import Scan
from detection.training_ground import TrainedOn
from geodata.errors import InputError
from geodata.labels.forms import ReadOptions
from geodata.labels.kilns import check_meet
from geodata.labels.read import read_truth
from geodata.obb import Boxes
from geodata.sources.files import OpenOptions, open_with
from geodata.sources.inputs import GoodScene, check_scenes


@dataclass(frozen=True)
class EvaluateRequest:
    """What a person asked for."""

    scenes: tuple[Path, ...]
    labels: Path
    ignore: Path | None = None
    model: Path | None = None
    """None takes the shipped bundle."""
    run: Path | None = None
    """A run folder whose detections are scored instead of running a model; `model` then names its bundle."""
    against: Path | None = None
    """A bundle or a run folder to compare with."""
    lands: Lands = ()
    allow_training_data: bool = False
    options: OpenOptions = field(default_factory=OpenOptions)
    label_options: ReadOptions = field(default_factory=ReadOptions)
    threads: int = 1
    zoom: float | None = None
    """See `app.services.jobs`; None chooses one."""


@dataclass(frozen=True)
class Scored:
    """One model on the scenes."""

    source: Source
    sample: Sample
    calibrations: tuple[Calibration | None, ...]
    """The one of the card that holds in each region, if one does."""
    zooms: tuple[float, ...]
    """How many times enlarged each region was shown."""


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
    training_shares: dict[str, float] = field(default_factory=dict)
    """Scenes of which the card lists a share (0 to 1) as training ground, by name."""


@dataclass(frozen=True)
class Details:
    """What a report needs beside the figures."""

    scored: Scored
    other: Scored | None
    paths: tuple[Path, ...]
    """The file of each region."""
    made_up: bool
    options: OpenOptions


def evaluate(request: EvaluateRequest, warn: Warn, progress: Progress) -> tuple[Evaluation, Details]:
    """Score a model, or the detections of a run, on whole scenes.

    Raises:
        ProblemsError: with everything that is wrong with the scenes.
        InputError: for labels that cannot be read or meet no scene, a broken model or run, a run that has
            not seen one of the scenes, or scenes that the model was trained on.
    """
    sources = [open_source(request.model, request.run, request.threads)]
    sources += [open_against(request.against, request.threads)] if request.against else []
    for source in sources:
        if source.cut:
            warn(cut_in_words(source))
    options = _options(request.options, sources[0])
    checked = check_scenes(request.scenes, options)
    checked.raise_problems()
    for warning in checked.warnings:
        warn(warning)
    good = checked.good
    allowed = request.allow_training_data
    trained = [training_shares(s.card, [one.info for one in good], allowed=allowed) for s in sources]
    known = _known(request, good, options, warn)
    scored = []
    for source, ground in zip(sources, trained, strict=True):
        opening = _options(request.options, source)
        scans = scans_of(source, good, opening, request.zoom, warn, progress)
        scored.append(_scored(source, scans, known, ground))
    if len(scored) == 2:
        _check_comparable(scored[0][0], scored[1][0])
    first, of_region = scored[0]
    if not first.sample.area_km2:
        warn("Nothing of these scenes was observed (nodata or cloud everywhere): there is no figure of them.")
    paths = tuple(good[k].path for k in of_region)
    made_up = any(one.info.made_up for one in good)
    other = scored[1][0] if len(scored) == 2 else None
    return _evaluation(first, good), Details(first, other, paths, made_up, options)


def cut_in_words(source: Source) -> str:
    """What cannot be measured on a run that kept no candidates."""
    return (
        f"The run of {source.name} kept nothing below the threshold of {source.threshold:g}: its average "
        "precision and its curves end there and are too low, and no two models are compared by them; "
        "`kilnlight detect --candidates` keeps the rest."
    )


def _known(request: EvaluateRequest, good: Sequence[GoodScene], options: OpenOptions, warn: Warn) -> Known:
    labels, places = read_truth(request.labels, request.ignore, request.label_options, warn)
    check_meet(labels, [one.info.grid for one in good], request.labels)
    return Known(
        labels,
        places,
        tuple(_seen_kilns(one, labels.boxes, options) for one in good),
        lands_of(request.lands, [one.info.name for one in good]),
    )


def _options(options: OpenOptions, source: Source) -> OpenOptions:
    return for_card(options, source.card) if source.card else options


def _scored(
    source: Source, scans: Sequence[Scan], known: Known, trained: Sequence[TrainedOn]
) -> tuple[Scored, list[int]]:
    sample, of_region = sample_of(scans, known, trained, [_no_probability(source, one) for one in scans])
    card = source.card
    holding = [calibration_for(card, scans[k].info, scans[k].zoom) if card else None for k in of_region]
    zooms = tuple(scans[k].zoom for k in of_region)
    return Scored(source, sample, tuple(holding), zooms), of_region


def _no_probability(source: Source, one: Scan) -> str:
    if source.card is None:
        return "the card of the run's model is not at hand (name it with --model)"
    if calibration_for(source.card, one.info, one.zoom) is not None:
        return ""
    if calibrations_at(source.card, one.info):
        return other_zoom(one.zoom)
    if source.card.calibration is None:
        return "the card has no calibration for it"
    return "; ".join(outside_reasons(source.card.domain, one.info))


def _check_comparable(one: Scored, other: Scored) -> None:
    if one.sample.kilns.names != other.sample.kilns.names:
        raise InputError(
            "The two models saw the scenes at different times, so their looks cannot be paired; give the "
            "--acquired that the run was told."
        )


def _evaluation(scored: Scored, good: Sequence[GoodScene]) -> Evaluation:
    sample, threshold = scored.sample, scored.source.threshold
    looks = sample.looks()
    return Evaluation(
        model_id=scored.source.model_id,
        threshold=threshold,
        scenes=tuple(one.info.name for one in good),
        area_km2=sample.area_km2,
        rows=tuple(report(looks, threshold)),
        outcomes=tuple(outcomes(looks, threshold)),
        training_shares={r.scene: r.trained_share for r in sample.regions if r.trained_share > 0},
    )


def _seen_kilns(one: GoodScene, kilns: Boxes, options: OpenOptions) -> SeenKilns:
    with open_with(one.path, options) as scene:
        return seen_kilns(scene, kilns)
