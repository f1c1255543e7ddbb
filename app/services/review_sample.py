"""app.services.review_sample: a random sample of a model's detections to review, drawn and counted.

`kilnlight calibrate` fits a calibration on its verdicts, and on no others (see `calibrating`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from app.services.cutting import CutOptions, cut_missing
from app.services.imagery import Warn
from app.services.project import Project, utc_now
from app.services.review_zoom import zoom_of_scenes
from app.services.run_models import models_of_runs
from detection.bundle import Bundle
from geodata.errors import InputError
from geodata.store.review_draw import Unit, draw_reviews
from geodata.store.review_samples import (
    ReviewSample,
    latest_sample,
    models_of_evidence,
    record_sample,
    runs_of_model,
    scenes_of_model,
    units_of,
)
from geodata.tables.run import open_run

ENOUGH = 200
"""So many reviewed places are the least that a calibration rests on."""
UNKNOWN = "unknown"
TRUTHS = {"kiln": True, "not_kiln": False}
"""`unsure` tells nothing, and `gone` not what the drawn scene showed."""


@dataclass(frozen=True)
class Progress:
    """How far a sample has been reviewed."""

    model_id: str
    places: int
    done: int
    """Places with a verdict, whichever."""
    counted: int
    """Places with the verdict kiln or not a kiln, up to the first place without any."""
    next_site: str | None
    """The first place without a verdict, in the order of the draw."""


@dataclass(frozen=True)
class SampleRequest:
    """What a person asked for."""

    n: int
    scene_folders: tuple[Path, ...] = ()
    """Where the imagery lies, for pictures of faint places."""
    band_names: tuple[str, ...] | None = None
    warn: Warn = lambda _sentence: None
    progress: Callable[[int, int], None] = lambda _done, _total: None


def progress_of(sample: ReviewSample) -> Progress:
    """How far a sample has been reviewed; a place that was drawn in several scenes is one."""
    verdicts = {item.drawn.unit.site_id: item.object_verdict for item in sample.items}
    counted = {item.drawn.unit.site_id for item in sample.reviewed() if item.object_verdict in TRUTHS}
    waiting = [site for site, verdict in verdicts.items() if verdict is None]
    return Progress(
        sample.model_id,
        places=len(verdicts),
        done=len(verdicts) - len(waiting),
        counted=len(counted),
        next_site=waiting[0] if waiting else None,
    )


def sample_progress(project: Project, model_id: str | None = None) -> Progress | None:
    """The progress of the latest sample (of one model, or of any); None where none was drawn."""
    with project.store.reading() as connection:
        sample = latest_sample(connection, model_id)
    return None if sample is None else progress_of(sample)


def draw_sample(project: Project, bundle: Bundle, request: SampleRequest) -> Progress:
    """Draw a random sample of a model's current detections and candidates, and cut the pictures it lacks.

    A larger sample of the same detections holds the smaller one, so that nothing was reviewed in vain.

    Raises:
        InputError: detections of another model, runs without candidates, scenes without date or product or
            seen at several zooms, or too few places.
    """
    if request.n < ENOUGH:
        raise InputError(
            f"A sample of {request.n} cannot calibrate a model: {ENOUGH} reviews are needed, and some places "
            "nobody can tell; draw 250 or more."
        )
    with project.store.writing() as connection:
        check_model(project, connection, bundle)
        check_candidates(project, connection, bundle)
        units = _in_known_scenes(connection, bundle, request.warn)
        zoom = zoom_of_scenes(project, connection, bundle.model_id, {unit.scene_id for unit in units})
        places = len({unit.site_id for unit in units})
        if places < ENOUGH:
            raise InputError(
                f"{project.folder} holds {places} places that {bundle.card.name} found, and a calibration "
                f"needs reviews of {ENOUGH}; run `kilnlight detect --candidates` on more scenes and import "
                "them."
            )
        draw = draw_reviews(units, bundle.card.threshold, request.n)
        record_sample(project.store, bundle.model_id, draw, utc_now(), zoom)
        sample = latest_sample(connection, bundle.model_id)
        assert sample is not None
    _cut(project, sample, request)
    return progress_of(sample)


def check_model(project: Project, connection: Connection, bundle: Bundle) -> None:
    """Raises `InputError` where no current detection comes from this model."""
    found = models_of_evidence(connection)
    if bundle.model_id in found:
        return
    names = {model.model_id: model.model_name for model in models_of_runs(project.runs)}
    others = ", ".join(f"{names.get(one, 'a model')} ({one})" for one in found) or "no model at all"
    raise InputError(
        f"The detections that count in {project.folder} come from {others}, not from {bundle.folder} "
        f"({bundle.model_id}); name that model's bundle with --model, or run `kilnlight detect --model "
        f"{bundle.folder} --candidates` on the scenes and import them."
    )


def check_candidates(project: Project, connection: Connection, bundle: Bundle) -> None:
    """Raises `InputError` where a run of the model kept no candidates."""
    for run_id in runs_of_model(connection, bundle.model_id):
        record = open_run(project.runs / run_id).record
        if not record.settings.candidates:
            names = ", ".join(scene.name for scene in record.inputs)
            raise InputError(
                f"The run on {names} kept nothing below the threshold, so what a low score means cannot be "
                "learnt from it; run `kilnlight detect --candidates` on it and import the result."
            )


def _in_known_scenes(connection: Connection, bundle: Bundle, warn: Warn) -> list[Unit]:
    """Units of scenes whose date and product are known: without them no scene ever lies in a domain."""
    scenes = scenes_of_model(connection, bundle.model_id)
    dim = {s.scene_id: s.name for s in scenes if s.acquired_at is None or s.product == UNKNOWN}
    if len(dim) == len(scenes):
        raise InputError(
            f"Of none of the {len(scenes)} scenes are date and product known, without which no probability "
            "is given; run `kilnlight detect` again with --acquired and --product, and import the result."
        )
    for name in dim.values():
        warn(f"{name} is left out of the draw: its date or product is not known.")
    return [unit for unit in units_of(connection, bundle.model_id) if unit.scene_id not in dim]


def _cut(project: Project, sample: ReviewSample, request: SampleRequest) -> None:
    drawn = {item.drawn.unit.site_id for item in sample.items}
    options = CutOptions(request.scene_folders, request.band_names, request.warn, request.progress)
    with project.store.reading() as connection:
        runs = runs_of_model(connection, sample.model_id)
    for run_id in runs:
        folder = project.runs / run_id
        cut_missing(project, run_id, open_run(folder).record.inputs, folder, options, utc_now(), drawn)
