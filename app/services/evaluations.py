"""app.services.evaluations: evaluations that lie in a project, with the sites at their hits and misses."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from app.i18n import _
from app.services.evaluation_file import EVALUATION, OUTCOMES
from detection.evaluate.metrics import f1_of
from detection.evaluate.summary import FALSE_ALARM, HIT, MISSED, Outcome
from geodata.errors import InputError
from geodata.grid import Floats
from geodata.near import pairs_within
from geodata.store.records import Site

SITE_REACH_M = 100.0
"""As far as a hit may lie from its kiln."""
_STEPS = 8


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FigureRow(_Content):
    """The figures at one radius. None stands for what could not be worked out."""

    unverified_places_excused: bool
    radius_m: float
    kilns: int
    hits: int
    false_alarms: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    false_per_1000_km2: float | None
    centre_error_m: float | None
    intervals_95: dict[str, tuple[float | None, float | None]]


class Summary(_Content):
    """What `evaluation.json` holds."""

    model_id: str
    threshold: float
    scenes: tuple[str, ...]
    observed_km2: float
    rows: tuple[FigureRow, ...]


class _Point(_Content):
    coordinates: tuple[float, float]


class _Fate(_Content):
    outcome: Literal["hit", "missed", "false_alarm", "excused"]
    score: float | None
    distance_m: float | None


class _Feature(_Content):
    geometry: _Point
    properties: _Fate

    def outcome(self) -> Outcome:
        fate = self.properties
        return Outcome(*self.geometry.coordinates, fate.outcome, fate.score, fate.distance_m)


class _Features(_Content):
    features: tuple[_Feature, ...]


@dataclass(frozen=True)
class SavedEvaluation:
    """An evaluation that `kilnlight evaluate --out` wrote."""

    name: str
    summary: Summary
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class CurvePoint:
    """Precision and recall when only scores from `threshold` on count."""

    threshold: float
    hits: int
    false_alarms: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ShownOutcome:
    """A hit, miss or false alarm with the project's site there, if there is one."""

    outcome: Outcome
    site: Site | None


def evaluation_folders(project: Path) -> list[Path]:
    """The folders of a project that hold an evaluation, sorted by name."""
    return sorted(path.parent for path in project.glob(f"evaluations/*/{EVALUATION}"))


def load_evaluation(folder: Path) -> SavedEvaluation:
    """Read an evaluation.

    Raises:
        InputError: a file is missing or has another form.
    """
    try:
        summary = Summary.model_validate_json((folder / EVALUATION).read_bytes())
        outcomes = _Features.model_validate_json((folder / OUTCOMES).read_bytes())
    except (OSError, ValidationError) as error:
        sentence = _("The evaluation in {folder} cannot be read; run `kilnlight evaluate --out` again.")
        raise InputError(sentence.format(folder=folder)) from error
    return SavedEvaluation(folder.name, summary, tuple(feature.outcome() for feature in outcomes.features))


def curve_points(evaluation: SavedEvaluation) -> list[CurvePoint]:
    """Precision and recall at some thresholds from the model's own one upwards, at 100 m."""
    hits = _scores(evaluation.outcomes, HIT)
    alarms = _scores(evaluation.outcomes, FALSE_ALARM)
    kilns = len(hits) + sum(one.outcome == MISSED for one in evaluation.outcomes)
    if not kilns or not len(hits) + len(alarms):
        return []
    scores = np.sort(np.concatenate([hits, alarms]))
    every = ceil(len(scores) / _STEPS)
    thresholds = dict.fromkeys([evaluation.summary.threshold, *(float(s) for s in scores[every::every])])
    return [_point(threshold, hits, alarms, kilns) for threshold in thresholds]


def beside_sites(outcomes: Sequence[Outcome], sites: Sequence[Site]) -> list[ShownOutcome]:
    """Each outcome with the nearest site in reach."""
    places = (np.array([one.lon for one in outcomes]), np.array([one.lat for one in outcomes]))
    centres = (np.array([site.lon for site in sites]), np.array([site.lat for site in sites]))
    nearest: dict[int, tuple[float, int]] = {}
    if outcomes and sites:
        for k, n, distance in zip(*pairs_within(places, centres, SITE_REACH_M), strict=True):
            nearest[int(k)] = min(nearest.get(int(k), (np.inf, -1)), (float(distance), int(n)))
    return [
        ShownOutcome(one, sites[nearest[k][1]] if k in nearest else None) for k, one in enumerate(outcomes)
    ]


def _scores(outcomes: Sequence[Outcome], kind: str) -> Floats:
    scores = [one.score for one in outcomes if one.outcome == kind and one.score is not None]
    return np.array(scores, dtype=np.float64)


def _point(threshold: float, hits: Floats, alarms: Floats, kilns: int) -> CurvePoint:
    right, wrong = int((hits >= threshold).sum()), int((alarms >= threshold).sum())
    precision = right / (right + wrong) if right + wrong else float("nan")
    return CurvePoint(threshold, right, wrong, precision, right / kilns, f1_of(right, wrong, kilns))
