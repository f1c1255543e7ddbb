"""app.services.evaluation_sample: scans and labels as one sample to score, look by look."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.coverage import together
from detection.evaluate.sample import Detections, Kilns, Region, Sample, join_samples
from detection.evaluate.visible import SeenKilns
from detection.pipeline import same_look
from detection.scan import Scan, concatenate
from detection.training_ground import TrainedOn
from geodata.labels.kilns import KilnLabels, Places

Lands = tuple[tuple[str, str], ...]
"""(kind of land, name or pattern of a scene's file)."""


@dataclass(frozen=True)
class Known:
    """What is known of the ground, whatever the model."""

    labels: KilnLabels
    places: Places
    seen: tuple[SeenKilns, ...]
    """Of each scene."""
    lands: tuple[str | None, ...]
    """Of each scene."""


def sample_of(
    scans: Sequence[Scan], known: Known, trained: Sequence[TrainedOn], no_probability: Sequence[str]
) -> tuple[Sample, list[int]]:
    """The sample, and the index of the scan of each of its regions.

    Scenes of one time are one look; kilns cut by an edge, or under cloud in all of them, are ignored.
    """
    parts, of_region = [], []
    for members in same_look(scans):
        ks = members.tolist()
        of_region += ks
        boxes, scores = concatenate([(scans[k].boxes, scans[k].scores) for k in ks])
        region = np.repeat(np.arange(len(ks)), [len(scans[k].scores) for k in ks])
        regions = tuple(_region(scans[k], known.lands[k], trained[k], no_probability[k]) for k in ks)
        parts.append(
            Sample(
                regions,
                Detections(boxes, scores, region),
                _kilns(known, ks),
                (together([scans[k].observed for k in ks]).km2,),
                known.places,
            )
        )
    return join_samples(parts), of_region


def _region(one: Scan, land: str | None, trained: TrainedOn, no_probability: str) -> Region:
    return Region(
        name=one.info.name,
        scene=one.info.name,
        grid=one.info.grid,
        area_km2=one.observed.km2,
        land=land,
        acquired_at=one.info.acquired_at,
        product=one.info.product,
        trained_share=trained.share,
        no_probability=no_probability,
    )


def _kilns(known: Known, scenes: Sequence[int]) -> Kilns:
    labels = known.labels
    inside = np.stack([known.seen[k].inside for k in scenes])
    visible = np.any([known.seen[k].visible for k in scenes], axis=0)
    # a cut kiln's centre may lie outside the scene that shows the rest of it
    near = np.any([known.seen[k].near for k in scenes], axis=0)
    there = inside.any(axis=0) | (near & labels.cut_by_edge)
    some = labels.take(there)
    return Kilns(
        some.boxes,
        tuple(str(name) for name in some.label_id),
        some.cut_by_edge | ~visible[there],
        inside.argmax(axis=0)[there].astype(np.intp),
        some.size_known,
    )
