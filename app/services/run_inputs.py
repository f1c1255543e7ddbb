"""app.services.run_inputs: what is said of each scene of a run: warnings, and its entry in `run.json`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from detection.domain import calibration_for, calibrations_at, outside_reasons
from detection.scan import Detector, Scan
from geodata.sources.inputs import GoodScene
from geodata.tables.run import RunInput

Warn = Callable[[str], None]


@dataclass(frozen=True)
class ScannedFile:
    """A scene that was run, and what is known of its file."""

    path: Path
    scan: Scan
    damaged_share: float


def warn_of_domain(one: GoodScene, detector: Detector, warn: Warn) -> None:
    """Warn where the card's figures need not hold for a scene."""
    card = detector.card
    reasons = outside_reasons(card.domain, one.info)
    found = calibration_for(card, one.info, detector.zoom)
    what = "Its detections get a score but no probability."
    if found is not None:
        what = f"Its probabilities come from a calibration on {found.n} reviews there."
    elif calibrations_at(card, one.info):
        what = f"Its detections get a score but no probability: {other_zoom(detector.zoom)}."
        if not reasons:
            warn(f"{one.info.name}: {what}")
    if reasons:
        warn(f"{one.info.name} lies outside what the model was validated on: {'; '.join(reasons)}. {what}")


def other_zoom(zoom: float) -> str:
    """Why a calibration of the very land does not hold."""
    return f"at a zoom of {zoom:g} the same score means another chance than where it was calibrated"


def warn_of_gaps(done: ScannedFile, warn: Warn) -> None:
    """Warn where nothing, or not all, of a scene could be seen."""
    name = done.scan.info.name
    if done.damaged_share > 0:
        share = f"{100 * done.damaged_share:.2f} %"
        warn(f"{name} is damaged: {share} of its pixels do not decode and were left out.")
    if not any(done.scan.observed.shares.values()):
        warn(f"{name} has no valid pixel; its tiles are recorded as not observed.")


def run_input(done: ScannedFile, detector: Detector) -> RunInput:
    """What `run.json` says of a scene; where its file lies is none of it."""
    info = done.scan.info
    return RunInput(
        name=info.name,
        sha256=info.sha256,
        scene_id=info.scene_id,
        acquired_at=info.acquired_at,
        product=info.product,
        bands=info.bands,
        pixel_size_m=info.grid.pixel_size_m(),
        made_up=info.made_up,
        observed_km2=done.scan.observed.km2,
        damaged_share=done.damaged_share,
        zoom=done.scan.zoom,
        outside_domain=outside_reasons(detector.card.domain, info),
    )
