"""app.services.evaluation_report: an evaluation as `report.html` and `report.json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from app.services.evaluating import Details, Scored
from app.services.judging import Source
from detection.calibrate import probability
from detection.evaluate.report.content import ModelFacts, Other, Subject, build_report
from detection.evaluate.report.write import write_report
from detection.evaluate.sample import Sample
from detection.training_ground import blocks_of
from geodata.grid import Floats
from geodata.sources.files import open_with

_ATTRIBUTION = "Contains modified Copernicus Sentinel data"


@dataclass(frozen=True)
class ReportOptions:
    """How the report is to look."""

    folder: Path
    command: str
    """As it was typed."""
    made_at: datetime
    """UTC."""
    pictures: int = 60
    """At most so many of each kind."""
    coordinates: bool = False


def report_evaluation(details: Details, options: ReportOptions) -> Path:
    """Write the report; the page's path.

    Raises:
        InputError: the folder cannot be written, or pixels do not decode.
    """
    scored, other = details.scored, details.other
    chances, note = _probabilities(scored)
    subject = Subject(
        sample=scored.sample,
        model=_facts(scored.source),
        probability=chances,
        probability_note=note,
        command=options.command,
        made_at=options.made_at,
        attribution="Made-up imagery" if details.made_up else _ATTRIBUTION,
        coordinates=options.coordinates,
    )
    report = build_report(subject, Other(other.sample, _facts(other.source)) if other else None)
    return write_report(
        options.folder,
        report,
        lambda region: open_with(details.paths[region], details.options),
        other_sample=other.sample if other else None,
        most_pictures=options.pictures,
        made_up=details.made_up,
    )


def _facts(source: Source) -> ModelFacts:
    card = source.card
    if card is None:
        return ModelFacts(source.model_id, source.name, source.threshold, "")
    data = tuple(f"{d.name} ({d.kilns:,} kilns, {d.area_km2:,.0f} km²)" for d in card.training_data)
    ground = bool(blocks_of(card))
    return ModelFacts(source.model_id, source.name, source.threshold, card.threshold_chosen, data, ground)


def _probabilities(scored: Scored) -> tuple[Floats, str]:
    """Chances of each detection, and where they come from."""
    sample, card = scored.sample, scored.source.card
    reasons = [region.no_probability for region in sample.regions]
    if card is None or card.calibration is None:
        why = next((reason for reason in reasons if reason), "there is no calibration")
        return np.full(len(sample.detections), np.nan), f"No probabilities: {why}."
    calibration = card.calibration
    chances = probability(calibration, sample.detections.score, in_domain=True).astype(np.float64)
    how = f"The card's calibration ({calibration.method}, n = {calibration.n:,})"
    inside = [not reason for reason in reasons]
    if all(inside):
        return chances, f"{how}; all scenes lie in its domain."
    if not any(inside):
        return chances, (
            "The model gives no probability here, since the scenes lie outside its card's domain: "
            f"{_first(reasons)}. Shown is what the card's calibration would have said: a test of whether it "
            "could be extended to them, and no figure of the model."
        )
    return np.where(_of(sample, inside), chances, np.nan), (
        f"{how}; tested on the {sum(inside)} of {len(inside)} scenes that lie in its domain. In the others "
        f"the model gives no probability: {_first(reasons)}."
    )


def _of(sample: Sample, inside: list[bool]) -> np.ndarray:
    return sample.of_region(inside)[0]


def _first(reasons: Sequence[str]) -> str:
    kinds = list(dict.fromkeys(reason for reason in reasons if reason))
    more = f" (and {len(kinds) - 1} other reasons)" if len(kinds) > 1 else ""
    return kinds[0] + more
