"""app.services.evaluation_report: an evaluation as `report.html` and `report.json`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from app.services.evaluating import Details, Scored, cut_in_words
from app.services.judging import Source
from detection.bundle import Calibration
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
        notes=(*_notes(scored.zooms), *_cuts([scored, *([other] if other else [])])),
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


def _notes(zooms: Sequence[float]) -> tuple[str, ...]:
    nearer = [zoom for zoom in zooms if zoom != 1.0]
    if not nearer:
        return ()
    times = " or ".join(f"{zoom:g}" for zoom in sorted(set(nearer)))
    return (
        f"{len(nearer)} of {len(zooms)} regions were shown to the model {times} times enlarged, since kilns"
        " seem to be smaller there than where it learnt, or since --zoom says so.",
    )


def _cuts(sides: Sequence[Scored]) -> tuple[str, ...]:
    return tuple(cut_in_words(side.source) for side in sides if side.source.cut)


def _facts(source: Source) -> ModelFacts:
    card = source.card
    if card is None:
        return ModelFacts(source.model_id, source.name, source.threshold, "", cut=source.cut)
    data = tuple(f"{d.name} ({d.kilns:,} kilns, {d.area_km2:,.0f} km²)" for d in card.training_data)
    ground = bool(blocks_of(card))
    return ModelFacts(
        source.model_id, source.name, source.threshold, card.threshold_chosen, data, ground, source.cut
    )


def _probabilities(scored: Scored) -> tuple[Floats, str]:
    """Chances of each detection, and where they come from."""
    sample, card = scored.sample, scored.source.card
    reasons = [region.no_probability for region in sample.regions]
    inside = sum(one is not None for one in scored.calibrations)
    if inside:
        used = [one for one in dict.fromkeys(scored.calibrations) if one is not None]
        how = "; ".join(f"{one.method}, n = {one.n:,}" for one in used)
        chances = _by_region(sample, scored.calibrations)
        if inside == len(reasons):
            return chances, f"The card's calibration ({how}); all scenes lie in its domain."
        return chances, (
            f"The card's calibration ({how}); tested on the {inside} of {len(reasons)} scenes in its domain; "
            f"in the others the model gives no probability: {_first(reasons)}."
        )
    if card is None or card.calibration is None:
        return _by_region(sample, scored.calibrations), f"No probabilities: {_first(reasons)}."
    return _by_region(sample, [card.calibration] * len(reasons)), (
        f"The model gives no probability here: {_first(reasons)}. Shown is what the card's calibration would "
        "have said: a test of whether it could be extended to these scenes, and no figure of the model."
    )


def _by_region(sample: Sample, calibrations: Sequence[Calibration | None]) -> Floats:
    """Each detection's chance by the calibration of its region; NaN where there is none."""
    out = np.full(len(sample.detections), np.nan)
    for k, calibration in enumerate(calibrations):
        mine = sample.detections.region == k
        out[mine] = probability(calibration, sample.detections.score[mine])
    return out


def _first(reasons: Sequence[str]) -> str:
    kinds = list(dict.fromkeys(reason for reason in reasons if reason)) or ["there is none"]
    more = f" (and {len(kinds) - 1} other reasons)" if len(kinds) > 1 else ""
    return kinds[0] + more
