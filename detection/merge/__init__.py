"""Merging detector and volunteers: pure functions behind two Protocols.

The way to use it::

    looks = first_looks(read_marks(path).marks)        # geodata.looks, geodata.tables.marks
    association = associate(looks, sites)              # votes per site, marks left over
    proposals = propose_sites(association.stray)       # mint an id for each, then associate again
    merger = DampedDawidSkene().fit(evidence, truths)  # once, over all sites of the project
    merged = [merger.merge(one) for one in evidence]
"""

from detection.merge.association import Association, StrayMark, associate
from detection.merge.calibration import TRUTHS_TO_CALIBRATE
from detection.merge.evidence import (
    MergeMethod,
    SceneScore,
    SiteEvidence,
    SiteMerger,
    SiteProbability,
    Vote,
)
from detection.merge.method import DampedDawidSkene
from detection.merge.proposals import propose_sites

__all__ = [
    "TRUTHS_TO_CALIBRATE",
    "Association",
    "DampedDawidSkene",
    "MergeMethod",
    "SceneScore",
    "SiteEvidence",
    "SiteMerger",
    "SiteProbability",
    "StrayMark",
    "Vote",
    "associate",
    "propose_sites",
]
