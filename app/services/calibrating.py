"""app.services.calibrating: reviews of a random sample -> a new bundle with a calibration for that land.

Only verdicts on places of the drawn sample enter, in the order of the draw up to the first place without one.
Volunteers' answers do not: their rates are learnt with the detector's score as prior, and to calibrate the
score by them would be to ask it about itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from app.services.bundle_copy import write_bundle
from app.services.project import Project, utc_now
from app.services.review_sample import ENOUGH, TRUTHS, check_model, progress_of
from detection.bundle import Bundle, Calibration, Domain
from detection.calibrate import standard_errors
from detection.local_domain import local_domains
from detection.recalibration import (
    Reliability,
    Reviewed,
    figures,
    recalibration,
    reliability,
    words_of_before,
)
from detection.review_reliability import blocks_of
from geodata.errors import InputError
from geodata.store.review_draw import ABOVE
from geodata.store.review_samples import (
    ReviewSample,
    Sampled,
    latest_sample,
    scenes_of_model,
    tiles_of_model,
)
from geodata.tiles import tile_from_id

LEAST_OF_EACH = 20
"""Kilns, and places that are none: with fewer of one kind the curve is a guess."""


@dataclass(frozen=True)
class Recalibrated:
    """What was fitted and written."""

    model_id: str
    calibrations: tuple[Calibration, ...]
    """The same curve for each connected part of the land."""
    slope_error: float
    intercept_error: float
    kilns: int
    untold: int
    """Reviewed places about which nobody could tell (unsure, gone)."""
    blocks: int
    before: str
    """What the chances before were, in words."""
    reliability: tuple[Reliability, ...]


def recalibrate(
    project: Project, bundle: Bundle, out: Path, now: Callable[[], datetime] = utc_now
) -> Recalibrated:
    """Fit a calibration on the reviewed random sample and write a new bundle with it.

    Raises:
        InputError: `out` is there already, no sample or detections of this model, too few reviews, too few of
            one outcome, a draw that does not say at which zoom, scores that do not tell kilns from the rest,
            or a folder that cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already and is not overwritten; name a new folder with --out.")
    with project.store.reading() as connection:
        sample = _sample(project, connection, bundle)
        zoom = _zoom_of(project, sample)
        items = _counted(project, connection, sample)
        domains = _domains(connection, sample, items)
    found = columns_of(sample, items)
    fit = recalibration(found, f"{sample.at:%Y-%m-%d}")
    rows, before, at = reliability(found, bundle.card), words_of_before(bundle.card), now()
    fit = fit.model_copy(update={"fitted_at": at, "zoom": zoom})
    calibrations = tuple(fit.model_copy(update={"domain": domain}) for domain in domains)
    changes = {
        "local_calibrations": (*calibrations, *bundle.card.local_calibrations),
        "figures": (*bundle.card.figures, *figures(rows, found, before)),
        "created_at": at,
    }
    slope_error, intercept_error = standard_errors(fit, found.score)
    return Recalibrated(
        write_bundle(bundle, bundle.card.model_copy(update=changes), out),
        calibrations,
        slope_error,
        intercept_error,
        kilns=int(found.is_kiln.sum()),
        untold=len(sample.reviewed()) - len(items),
        blocks=len(np.unique(found.block)),
        before=before,
        reliability=rows,
    )


def _sample(project: Project, connection: Connection, bundle: Bundle) -> ReviewSample:
    sample = latest_sample(connection, bundle.model_id)
    if sample is not None:
        return sample
    check_model(project, connection, bundle)
    chosen = _verdicts(connection)
    apart = (
        f" (the {chosen} verdicts there are on places that people chose, which do not count)"
        if chosen
        else ""
    )
    raise InputError(
        f"No random sample of what {bundle.card.name} ({bundle.model_id}) found was drawn in {project.folder}"
        f"{apart}; draw one with `kilnlight calibrate --sample 250` and review it."
    )


def _zoom_of(project: Project, sample: ReviewSample) -> float:
    """At how much enlarged the scores were given; whatever was detected since does not change them."""
    if sample.zoom is None:
        raise InputError(
            f"The sample of {sample.at:%Y-%m-%d} in {project.folder} does not say how many times enlarged "
            "the model saw the scenes; draw it again with `kilnlight calibrate --sample "
            f"{progress_of(sample).places}`: what was reviewed counts there too."
        )
    return sample.zoom


def _counted(project: Project, connection: Connection, sample: ReviewSample) -> list[Sampled]:
    """The units whose verdict tells what was there. Raises `InputError` where they are too few."""
    items = [item for item in sample.reviewed() if item.object_verdict in TRUTHS]
    state = progress_of(sample)
    if state.counted < ENOUGH:
        raise InputError(_too_few(project, connection, sample))
    kilns = sum(item.object_verdict == "kiln" for item in items)
    if min(kilns, len(items) - kilns) < LEAST_OF_EACH:
        raise InputError(
            f"Of {len(items)} reviews {kilns} are kilns and {len(items) - kilns} are none, and at least "
            f"{LEAST_OF_EACH} of either are needed; draw a larger sample with `kilnlight calibrate --sample "
            f"{2 * state.places}`."
        )
    return items


def _too_few(project: Project, connection: Connection, sample: ReviewSample) -> str:
    """One sentence: how many count, why not more, and what to do."""
    state = progress_of(sample)
    more = ENOUGH - state.counted
    parts = [f"{state.counted} reviews of randomly drawn places count, and {ENOUGH} are needed: {more} more"]
    if state.done > state.counted:
        parts.append(f"{state.done - state.counted} others of the list come after a gap or tell nothing")
    chosen = _verdicts(connection) - state.done
    if chosen > 0:
        parts.append(f"{chosen} verdicts are on places that people chose, which do not count")
    if state.places - state.counted - _untold(sample) >= more:
        what = f"go through the page Random sample of `kilnlight app --project {project.folder}`"
    else:
        what = f"draw a larger sample with `kilnlight calibrate --sample {state.places + 2 * more}`"
    return f"{'; '.join(parts)}; {what}."


def _untold(sample: ReviewSample) -> int:
    """Places of the whole list whose verdict tells nothing."""
    told = {item.drawn.unit.site_id: item.object_verdict for item in sample.items}
    return sum(verdict is not None and verdict not in TRUTHS for verdict in told.values())


def _verdicts(connection: Connection) -> int:
    """How many sites have a verdict, whichever way they were chosen."""
    query = "SELECT count(*) FROM sites WHERE object_verdict IS NOT NULL"
    return int(connection.exec_driver_sql(query).scalar_one())


def _domains(connection: Connection, sample: ReviewSample, items: Sequence[Sampled]) -> tuple[Domain, ...]:
    drawn = {item.drawn.unit.scene_id for item in sample.items}
    scenes = [s for s in scenes_of_model(connection, sample.model_id) if s.scene_id in drawn]
    covered = tiles_of_model(connection, sample.model_id, [scene.scene_id for scene in scenes])
    domains = local_domains(
        [tile_from_id(name) for name in covered],
        [tile_from_id(item.tile_id) for item in items],
        [(scene.acquired_at, scene.product) for scene in scenes if scene.acquired_at is not None],
    )
    if not domains:
        raise InputError(
            f"The {len(items)} reviews are spread over so many lands far from each other that none has "
            "enough of them; keep one region in a project."
        )
    return domains


def columns_of(sample: ReviewSample, items: Sequence[Sampled]) -> Reviewed:
    """The counted reviews as columns; those of a half stand for all detections of that half together."""
    strata = np.array([item.drawn.stratum for item in items])
    judged = {stratum: int((strata == stratum).sum()) for stratum in sample.frame}
    tiles = [tile_from_id(item.tile_id) for item in items]
    return Reviewed(
        score=np.array([item.drawn.unit.score for item in items], dtype=np.float64),
        is_kiln=np.array([TRUTHS[str(item.object_verdict)] for item in items], dtype=np.bool_),
        above=np.asarray(strata == ABOVE),
        weight=np.array([sample.frame[stratum] / judged[stratum] for stratum in strata], dtype=np.float64),
        block=blocks_of([(tile.x, tile.y) for tile in tiles]),
    )
