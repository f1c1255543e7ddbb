"""app.services.jobs: which detector looks at which scene, enlarged where kilns are smaller than at home."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.services.run_inputs import Warn
from detection.bundle import Card
from detection.domain import calibrations_at, in_area
from detection.scan import Detector, Scan, look, scan, zoomed_plan
from detection.windows import ScanWindow
from detection.zoom import zoom_for
from geodata.errors import InputError
from geodata.grid import Floats
from geodata.sources.files import OpenOptions, open_with
from geodata.sources.inputs import GoodScene

LEAST_PX = 200_000
"""Less land, 20 km2, is not looked at: it does not hold enough kilns to tell their size."""
SAMPLE_PX = 4 << 20
"""Pixels of a first look at the least, some 400 km2 ..."""
SAMPLE_SHARE = 0.05
"""... or this share of the scenes, if that is more."""
LENGTHS = 60
"""The first look ends with so many lengths."""
LOOKS = 2
"""The first look finds the larger ones sooner; once enlarged, it finds the others too."""
SEED = 20_240_115

Progress = Callable[[int, int], None]
"""Called with the windows done and the windows in all."""


class Steps:
    """Counts the windows that are done."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._done, self._progress = total, 0, progress
        progress(0, total)

    def advance(self) -> None:
        """One more is done."""
        self._done += 1
        self._progress(self._done, self._total)


@dataclass(frozen=True)
class Job:
    """One scene, the detector that is to look at it, and its windows."""

    scene: GoodScene
    detector: Detector
    plan: list[ScanWindow]


def jobs_of(
    good: Sequence[GoodScene], detector: Detector, options: OpenOptions, zoom: float | None, warn: Warn
) -> list[Job]:
    """What is to be done.

    Args:
        good: the scenes.
        detector: the model.
        options: how the scenes are opened.
        zoom: for all of them; None keeps scenes of the model's area as they are, takes the zoom of a local
            calibration where there is one, and chooses one for all others, from the lengths of what a first
            look at a sample of them finds.
        warn: is told of a zoom that was chosen.
    """
    zooms = {one.info.sha256: zoom if zoom is not None else _known(one, detector.card) for one in good}
    far = [one for one in good if zooms[one.info.sha256] is None]
    chosen = _chosen(far, detector, options, warn)
    out = []
    for one in good:
        mine = replace(detector, zoom=zooms[one.info.sha256] or chosen)
        out.append(Job(one, mine, zoomed_plan(one.info, mine)))
    return out


def _known(one: GoodScene, card: Card) -> float | None:
    """The zoom that a scene's land is known to need; None where nothing is known of it."""
    if in_area(card.domain, one.info):
        return 1.0
    return next((local.zoom for local in calibrations_at(card, one.info)), None)


def run_jobs(jobs: Sequence[Job], options: OpenOptions, progress: Progress) -> list[Scan]:
    """One scan a job. Raises `InputError` for pixels that do not decode."""
    steps = Steps(sum(len(job.plan) for job in jobs), progress)
    scans = []
    for job in jobs:
        with open_with(job.scene.path, options) as scene:
            scans.append(scan(scene, job.detector, job.plan, steps.advance))
    return scans


def _chosen(far: Sequence[GoodScene], detector: Detector, options: OpenOptions, warn: Warn) -> float:
    learnt_m = detector.card.kiln_length_m
    if learnt_m is None or sum(_pixels(one) for one in far) < LEAST_PX:
        return 1.0
    zoom = 1.0
    for _ in range(LOOKS):
        lengths = _first_look(far, replace(detector, zoom=zoom), options)
        before, zoom = zoom, zoom_for(lengths, learnt_m)
        if zoom == before:
            break
    if zoom != 1.0:
        warn(
            f"Possible kilns are about {np.median(lengths):.0f} m long here and {learnt_m:.0f} m where the"
            f" model learnt: scenes outside its area are enlarged {zoom} times for it (--zoom 1 leaves them)."
        )
    return zoom


def _first_look(far: Sequence[GoodScene], detector: Detector, options: OpenOptions) -> Floats:
    """Lengths of what is found in windows at random."""
    rng = np.random.default_rng(SEED)
    order = sorted(far, key=lambda one: one.info.sha256)  # whatever order they were named in
    budget = max(SAMPLE_PX, SAMPLE_SHARE * sum(_pixels(one) for one in far))
    lengths: list[Floats] = []
    for k in rng.permutation(len(order)):
        if budget <= 0 or sum(map(len, lengths)) >= LENGTHS:
            break
        plan = zoomed_plan(order[k].info, detector)
        try:
            with open_with(order[k].path, options) as scene:
                for w in rng.permutation(len(plan)):
                    boxes, scores = look(scene, detector, [plan[w]])
                    lengths.append(boxes.length_m[scores >= detector.card.threshold])
                    budget -= plan[w].core.width * plan[w].core.height
                    if budget <= 0 or sum(map(len, lengths)) >= LENGTHS:
                        break
        except InputError:
            continue  # whoever runs all of it says what is wrong with it
    return np.concatenate([np.empty(0), *lengths])


def _pixels(one: GoodScene) -> int:
    return one.info.grid.width * one.info.grid.height
