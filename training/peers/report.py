"""training.peers.report: the own net's held-out detections beside a peer's, in the evaluation report."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from detection.evaluate.report.content import ModelFacts, Other, Subject, build_report
from detection.evaluate.report.write import write_report
from detection.evaluate.sample import Sample, join_samples
from geodata.errors import InputError
from geodata.scene import Scene
from geodata.tables.held_out import HELD_OUT
from training.choose import choose
from training.peers.ground import Ground

_NOTE = (
    "The other model answers boxes along the axes, so that its overlap with turned boxes (rotated AP50) is "
    "low by its form; compare the two by their centres. Both saw the same scenes, labels, folds and crops."
)


@dataclass(frozen=True)
class About:
    """What the report says of how it came about."""

    peer: str
    command: str
    made_at: datetime
    """UTC."""


def write_comparison(
    out: Path, ground: Ground, folds: Sequence[int], own_run: Path, peer: list[Sample], about: About
) -> Path:
    """Write `report.html` and `report.json`: the own net, and the paired comparison with the peer.

    Args:
        out: folder of the report.
        ground: scenes, labels and folds of both.
        folds: numbers (from 1) of those that are compared.
        own_run: folder of `kilnlight train`, with its `held_out.parquet`.
        peer: what the peer found on these folds.
        about: names, command and time.

    Raises:
        InputError: the run's file is missing or broken, or one of the two found nothing.
    """
    path = own_run / HELD_OUT
    if not path.is_file():
        raise InputError(f"{own_run} has no {HELD_OUT}; name the folder of a finished `kilnlight train`.")
    ours = [sample for number in folds for sample in ground.kept(path, number)]
    sample, data = join_samples(ours), ground.config.data
    subject = Subject(
        sample=sample,
        model=_facts("one net per fold", ground.config.model.name, ours, folds, ground),
        probability=np.full(len(sample.detections), np.nan),
        probability_note="No probabilities: this report compares scores.",
        command=about.command,
        made_at=about.made_at,
        attribution=data.attribution,
        notes=(_NOTE,),
    )
    other = Other(join_samples(peer), _facts("one net per fold", about.peer, peer, folds, ground))

    @contextmanager
    def open_region(region: int) -> Iterator[Scene]:
        yield ground.scenes[sample.regions[region].scene]

    made_up = any(scene.info.made_up for scene in ground.scenes.values())
    report = build_report(subject, other)
    return write_report(out, report, open_region, other_sample=other.sample, made_up=made_up)


def _facts(
    model_id: str, name: str, samples: list[Sample], folds: Sequence[int], ground: Ground
) -> ModelFacts:
    chosen = choose([look for one in samples for look in one.looks()], len(folds))
    return ModelFacts(model_id, name, chosen.threshold, chosen.how, (ground.config.data.name,), True)
