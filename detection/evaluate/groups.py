"""detection.evaluate.groups: the figures of parts of a sample: regions, land, sizes of kilns; pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from detection.evaluate.blocks import Interval, Scored
from detection.evaluate.intervals import intervals
from detection.evaluate.matching import HIT_RADIUS_M, Matching
from detection.evaluate.metrics import Scores, scores_of
from detection.evaluate.sample import Index, Mask, Sample, take_found, take_truth

MOST_REGIONS = 60
"""More scenes than this (tiles) are not told one by one."""


@dataclass(frozen=True)
class Group:
    """The figures of a part of the sample."""

    name: str
    scores: Scores
    intervals: dict[str, Interval]
    """95 %, by the names of `Scores`."""
    regions: int = 1


def scored_part(scored: Scored, of_found: Mask, of_kiln: Mask) -> Scored:
    """Some detections and some kilns of a matching; a hit's kiln must be among the kilns."""
    found, truth, matching = scored
    number = np.full(len(of_kiln), -1, dtype=np.intp)
    number[of_kiln] = np.arange(of_kiln.sum())
    kiln = matching.kiln.copy()
    kiln[matching.hit] = number[kiln[matching.hit]]
    part = Matching(kiln[of_found], matching.distance_m[of_found], matching.excused[of_found])
    return take_found(found, of_found), take_truth(truth, of_kiln), part


def figures_of(
    name: str, scored: Scored, area_km2: float, threshold: float, radius_m: float = HIT_RADIUS_M
) -> Group:
    """The figures of a matching with their intervals; no F1 where there is no kiln to find."""
    found, truth, matching = scored
    scores = scores_of(found, truth, matching, area_km2, threshold, radius_m)
    ranges = intervals(found, truth, area_km2, threshold, matching)
    if not truth.kilns:
        scores = replace(scores, f1=float("nan"))
        ranges.pop("f1", None)
    return Group(name, scores, ranges)


def region_of_found(sample: Sample, matching: Matching) -> Index:
    """The region of each detection; a hit lies where its kiln lies."""
    region = sample.detections.region.copy()
    region[matching.hit] = sample.kilns.region[matching.kiln[matching.hit]]
    return region


def of_regions(
    sample: Sample, matching: Matching, chosen: Iterable[int], name: str, threshold: float
) -> Group:
    """The figures of some regions together; their area is the sum of theirs."""
    chosen = list(chosen)
    scored = sample.found, sample.truth, matching
    of_found = np.isin(region_of_found(sample, matching), chosen)
    of_kiln = np.isin(sample.kilns.region, chosen)
    area_km2 = sum(sample.regions[k].area_km2 for k in chosen)
    group = figures_of(name, scored_part(scored, of_found, of_kiln), area_km2, threshold)
    return replace(group, regions=len(chosen))


def by_region(sample: Sample, matching: Matching, threshold: float) -> list[Group]:
    """Each region by itself; where they are very many, those with the fewest kilns together."""
    kilns = np.bincount(sample.kilns.region[~sample.kilns.ignored], minlength=len(sample.regions))
    order = np.argsort(-kilns, kind="stable").tolist()
    own = sorted(order[:MOST_REGIONS])
    groups = [of_regions(sample, matching, [k], sample.regions[k].name, threshold) for k in own]
    rest = order[MOST_REGIONS:]
    if rest:
        groups.append(of_regions(sample, matching, rest, f"{len(rest)} other scenes", threshold))
    return groups


def by_land(sample: Sample, matching: Matching, threshold: float) -> list[Group]:
    """Each kind of land; empty where none was named."""
    lands = [region.land for region in sample.regions]
    if not any(lands):
        return []
    groups = []
    for land in dict.fromkeys([*sorted({land for land in lands if land}), *lands]):
        chosen = [k for k, one in enumerate(lands) if one == land]
        groups.append(of_regions(sample, matching, chosen, land or "not named", threshold))
    return groups


def by_size(sample: Sample, matching: Matching, threshold: float) -> list[Group]:
    """Thirds of the kilns by their length: what was found of them. False alarms have no true size."""
    length, required = sample.kilns.boxes.length_m, ~sample.kilns.ignored & sample.kilns.has_size
    if required.sum() < 3:
        return []
    low, high = np.percentile(length[required], [100 / 3, 200 / 3])
    parts = (
        (f"below {low:.0f} m", length < low),
        (f"{low:.0f} to {high:.0f} m", (length >= low) & (length < high)),
        (f"{high:.0f} m and longer", length >= high),
    )
    groups = []
    for name, mask in parts:
        of_kiln = mask & required
        of_found = matching.hit.copy()
        of_found[matching.hit] = of_kiln[matching.kiln[matching.hit]]
        scored = scored_part((sample.found, sample.truth, matching), of_found, of_kiln)
        groups.append(figures_of(name, scored, 0.0, threshold))
    return groups
