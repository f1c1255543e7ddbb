"""app.services.detecting: scenes on disk -> a run folder; prints nothing and knows no store."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.services.jobs import Job, Progress, Steps, jobs_of
from app.services.model import open_model
from app.services.run_inputs import ScannedFile, Warn, run_input, warn_of_domain, warn_of_gaps
from app.services.run_output import RunOutput, ensure_run_folder, write_output
from detection.bundle import Card
from detection.pipeline import run_tables
from detection.scan import scan
from geodata.errors import InputError, ProblemsError
from geodata.sources.files import OpenOptions, open_with
from geodata.sources.inputs import GoodScene, check_scenes
from geodata.tables.run import SkippedInput


@dataclass(frozen=True)
class DetectRequest:
    """What a person asked for."""

    scenes: tuple[Path, ...]
    out: Path
    model: Path | None = None
    """None takes the shipped bundle."""
    options: OpenOptions = field(default_factory=OpenOptions)
    """Bands and pixel size are those of the model's card, whatever stands here."""
    candidates: bool = False
    geojson: bool = False
    skip_bad: bool = False
    threads: int = 1
    zoom: float | None = None
    """See `app.services.jobs`; None chooses one."""


@dataclass(frozen=True)
class DetectResult:
    """What was written."""

    detections: int
    candidates: int | None
    """None where they were not asked for."""
    scenes: int
    skipped: int
    observed_km2: float


def detect(request: DetectRequest, warn: Warn, progress: Progress) -> DetectResult:
    """Run scenes and write a run folder, its `run.json` last.

    Raises:
        ProblemsError: with everything that is wrong with scenes and folder, before the first scene is run.
        InputError: for a broken model, or pixels that do not decode.
    """
    detector = open_model(request.model, request.threads)
    request = replace(request, options=for_card(request.options, detector.card))
    good, skipped = check(request, warn)
    jobs = jobs_of(good, detector, request.options, request.zoom, warn)
    for job in jobs:
        warn_of_domain(job.scene, job.detector, warn)
    scanned, broken = run_files(jobs, request, progress)
    skipped += broken
    if not scanned:
        raise ProblemsError([one.problem for one in skipped])
    for left_out in skipped:
        warn(f"{left_out.name} is left out: {left_out.problem}")
    for done in scanned:
        warn_of_gaps(done, warn)
    tables = run_tables([done.scan for done in scanned], detector.card, detector.model_id)
    # whatever the order in which the scenes were named, the run is the same
    inputs = sorted((run_input(done, detector) for done in scanned), key=lambda i: (i.scene_id, i.sha256))
    paths = {done.scan.info.sha256: done.path.resolve() for done in scanned}
    output = RunOutput(
        tables, tuple(inputs), paths, tuple(skipped), detector, request.candidates, request.geojson
    )
    write_output(request.out, output)
    return DetectResult(
        detections=len(tables.detections),
        candidates=len(tables.candidates) if request.candidates else None,
        scenes=len(scanned),
        skipped=len(skipped),
        observed_km2=sum(one.observed_km2 for one in inputs),
    )


def for_card(options: OpenOptions, card: Card) -> OpenOptions:
    """The options with the bands and the pixel size that the model wants."""
    return replace(options, bands=card.bands, pixel_size_m=card.pixel_size_m)


def check(request: DetectRequest, warn: Warn) -> tuple[list[GoodScene], list[SkippedInput]]:
    """Open every scene and try the folder before anything is run; a second copy of a file is left out.

    Raises:
        ProblemsError: with every problem at once; with `skip_bad` only where the folder cannot be written or
            no scene can be run.
    """
    checked = check_scenes(request.scenes, request.options)
    for warning in checked.warnings:
        warn(warning)
    problems = [problem.message for problem in checked.problems]
    fatal = [] if request.skip_bad and checked.good else problems
    try:
        ensure_run_folder(request.out)
    except InputError as error:
        fatal = [*fatal, str(error)]
    if fatal:
        raise ProblemsError(fatal)
    skipped = [_left_out(p.path, p.message) for p in checked.problems]
    first: dict[str, GoodScene] = {}
    for one in checked.good:
        same = first.setdefault(one.info.sha256, one)
        if same is not one:
            skipped.append(SkippedInput(name=one.path.name, problem=f"the same content as {same.path.name}"))
    return list(first.values()), skipped


def run_files(
    jobs: Sequence[Job], request: DetectRequest, progress: Progress
) -> tuple[list[ScannedFile], list[SkippedInput]]:
    """Run the scenes one after the other; with `skip_bad`, those whose pixels do not decode are left out.

    Raises:
        InputError: for pixels that do not decode.
    """
    steps = Steps(sum(len(job.plan) for job in jobs), progress)
    scanned: list[ScannedFile] = []
    broken: list[SkippedInput] = []
    for job in jobs:
        path = job.scene.path
        try:
            with open_with(path, request.options) as scene:
                found = scan(scene, job.detector, job.plan, steps.advance)
                scanned.append(ScannedFile(path, found, scene.damaged_share))
        except InputError as error:
            if not request.skip_bad:
                raise
            broken.append(_left_out(path, str(error)))
    return scanned, broken


def _left_out(path: Path, problem: str) -> SkippedInput:
    """Without the folder that the file lies in: a run is handed on, and tells nothing of its machine."""
    name = path.name or str(path)
    return SkippedInput(name=name, problem=problem.replace(str(path), name))
