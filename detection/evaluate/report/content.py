"""detection.evaluate.report.content: all figures of a report; knows nothing of pages or files."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from detection.evaluate.blocks import Blocks, Scored, draw_blocks
from detection.evaluate.crossfit import Travel, cross_fitted_probability, pooled_at_others, travels
from detection.evaluate.curves import Band, precision_by_recall, recall_by_false_alarms
from detection.evaluate.estimate import Estimate
from detection.evaluate.groups import Group, by_land, by_region, by_size, figures_of
from detection.evaluate.matching import Matching
from detection.evaluate.oriented import match_overlaps
from detection.evaluate.paired import Difference, Judged, compare
from detection.evaluate.reliability import NOTABLE, Reliability, reliability
from detection.evaluate.report.entries import (
    ONLY_FIRST,
    ONLY_SECOND,
    Entry,
    entries_of,
    kilns_of,
    without_places,
)
from detection.evaluate.report.errors import error_estimates
from detection.evaluate.sample import Region, Sample, match_sample
from detection.evaluate.summary import Row, report
from geodata.grid import Floats


@dataclass(frozen=True)
class ModelFacts:
    """The model that was scored, in words."""

    model_id: str
    name: str
    threshold: float
    threshold_chosen: str
    """Empty where the card is not at hand."""
    training_data: tuple[str, ...] = ()
    says_ground: bool = False
    """The card lists the ground that it was trained on."""
    cut: bool = False
    """Nothing below the threshold is known."""


@dataclass(frozen=True)
class Subject:
    """What a report is about."""

    sample: Sample
    model: ModelFacts
    probability: Floats
    """(n,) of each detection; NaN where there is none."""
    probability_note: str
    """Where the probabilities come from, or why there are none."""
    command: str
    made_at: datetime
    """UTC."""
    attribution: str = "Contains modified Copernicus Sentinel data"
    notes: tuple[str, ...] = ()
    """What else a reader must know of how it was scored."""
    coordinates: bool = False
    """Tell longitude and latitude of each entry."""


@dataclass(frozen=True)
class Other:
    """Another model on the same ground."""

    sample: Sample
    model: ModelFacts


@dataclass(frozen=True)
class Folds:
    """What the folds show at what the others have chosen."""

    travels: tuple[Travel, ...]
    pooled: Group | None
    """Each fold at the threshold of the others."""


@dataclass(frozen=True)
class Comparison:
    """The other model beside this one."""

    model: ModelFacts
    differences: tuple[Difference, ...]
    only_first: tuple[Entry, ...]
    only_second: tuple[Entry, ...]


@dataclass(frozen=True)
class Report:
    """Everything that page and JSON tell."""

    subject: Subject
    matching: Matching
    rows: tuple[Row, ...]
    """At 50, 100 and 200 m, with and without the unverified places."""
    rotated: Group
    """Matched by overlap of the oriented boxes."""
    precision_recall: Band
    free_response: Band
    calibration: dict[str, Reliability] = field(default_factory=dict)
    """By which detections were taken."""
    errors: dict[str, Estimate] = field(default_factory=dict)
    regions: tuple[Group, ...] = ()
    lands: tuple[Group, ...] = ()
    sizes: tuple[Group, ...] = ()
    folds: Folds | None = None
    comparison: Comparison | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def trained_regions(self) -> list[Region]:
        """Regions that lie, partly at least, on the model's training ground."""
        return [region for region in self.subject.sample.regions if region.trained_share > 0]


def build_report(subject: Subject, other: Other | None = None) -> Report:
    """Work out all figures."""
    sample, threshold = subject.sample, subject.model.threshold
    matching = match_sample(sample)
    scored = sample.found, sample.truth, matching
    blocks = draw_blocks([scored])[0]
    turned = sample.found, sample.sized_truth, match_overlaps(sample)
    entries = entries_of(sample, matching, threshold)
    return Report(
        subject=subject,
        matching=matching,
        rows=tuple(report(sample.looks(), threshold)),
        rotated=figures_of("oriented boxes, IoU of .5 and more", turned, sample.area_km2, threshold),
        precision_recall=precision_by_recall(scored, blocks),
        free_response=recall_by_false_alarms(scored, blocks, sample.area_km2),
        calibration=_calibration(subject.probability, scored, blocks),
        errors=error_estimates(sample, matching, threshold, blocks),
        regions=tuple(by_region(sample, matching, threshold)),
        lands=tuple(by_land(sample, matching, threshold)),
        sizes=tuple(by_size(sample, matching, threshold)),
        folds=_folds(sample, matching) if sample.folds else None,
        comparison=None if other is None else _comparison(subject, matching, other),
        entries=tuple(entries if subject.coordinates else without_places(entries)),
    )


def fold_probability(sample: Sample) -> Floats:
    """Chances of held-out detections by the other folds' calibration, (n,)."""
    return cross_fitted_probability(sample, match_sample(sample))


def _calibration(probability: Floats, scored: Scored, blocks: Blocks) -> dict[str, Reliability]:
    _found, _truth, matching = scored
    out = {}
    for name, least in (("all candidates", 0.0), (f"probability of {NOTABLE:g} and more", NOTABLE)):
        with np.errstate(invalid="ignore"):
            counted = ~matching.excused & (probability >= least)
        found = reliability(
            probability[counted], matching.hit[counted], blocks.found[counted], blocks.weights
        )
        if found is not None:
            out[name] = found
    return out


def _folds(sample: Sample, matching: Matching) -> Folds:
    journeys = travels(sample, matching)
    return Folds(tuple(journeys), pooled_at_others(sample, matching, journeys))


def _comparison(subject: Subject, matching: Matching, other: Other) -> Comparison:
    result = compare(
        Judged(subject.sample, subject.model.threshold, subject.model.cut),
        Judged(other.sample, other.model.threshold, other.model.cut),
    )
    mine = kilns_of(subject.sample, ONLY_FIRST, result.only_first, matching)
    theirs = kilns_of(other.sample, ONLY_SECOND, result.only_second, match_sample(other.sample))
    if not subject.coordinates:
        mine, theirs = without_places(mine), without_places(theirs)
    return Comparison(other.model, result.differences, tuple(mine), tuple(theirs))
