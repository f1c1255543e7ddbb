"""geodata.labels.project: labels from a project's store: verdicts, and merged probabilities as soft targets.

Of all that a project knows only `object_verdict` and the merged probability enter; `concern` is about people
and is not read here.
"""

from contextlib import closing
from pathlib import Path

import numpy as np

from geodata.errors import InputError
from geodata.labels.forms import Read
from geodata.labels.kilns import KilnLabels
from geodata.labels.rows import VERDICTS
from geodata.obb import Boxes
from geodata.store.opening import STORE
from geodata.store.records import Site, SiteFilter
from geodata.store.store import Store

GONE = "gone"


def is_project(folder: Path) -> bool:
    """Whether a folder holds a store."""
    return (folder / STORE).is_file()


def read_project(folder: Path, answered: bool = False) -> Read:
    """Every listed site, candidates included, with its probability; or only those that people looked at.

    `kiln` gives 1, `not_kiln` and `gone` 0, `unsure` NaN (nobody knows), no verdict the merged probability. A
    kiln that is gone stood there once: its 0 holds from the latest scene that does not show it, or else from
    the review.

    Raises:
        InputError: a store that cannot be used, or one without sites.
    """
    with closing(Store.open(folder / STORE)) as store:
        sites = store.sites(SiteFilter(above_threshold_only=False))
        if answered:
            sites = [site for site in sites if site.object_verdict is not None or _votes(site)]
        since = [_gone_since(store, site) for site in sites]
    if not sites:
        told = "no site that anybody looked at" if answered else "no site"
        raise InputError(f"{folder} holds {told}; import a run first (kilnlight import RUN_DIR) and label.")
    columns = np.array([(s.lon, s.lat, s.length_m, s.width_m, s.angle_deg) for s in sites], np.float64)
    labels = KilnLabels(
        Boxes(*columns.T),
        np.zeros(len(sites), np.bool_),
        np.array([s.kiln_class for s in sites], np.object_),
        np.array([_probability(s) for s in sites], np.float64),
        # a site that only volunteers marked has a size that nobody measured
        np.array([not s.marked_only for s in sites], np.bool_),
        np.array([s.site_id for s in sites], np.object_),
        np.array(since, "datetime64[us]"),
    )
    return Read(labels, len(sites))


def _probability(site: Site) -> float:
    if site.object_verdict is not None:
        return VERDICTS[site.object_verdict]
    if site.probability is None and _votes(site) and site.log_odds is not None:
        # nothing that may be shown as a chance where the detector is not calibrated, but what people and
        # detector say together is the best target there is
        return float(1 / (1 + np.exp(-site.log_odds)))
    return np.nan if site.probability is None else site.probability


def _votes(site: Site) -> int:
    return site.votes_kiln + site.votes_none


def _gone_since(store: Store, site: Site) -> np.datetime64:
    if site.object_verdict != GONE:
        return np.datetime64("NaT", "us")
    reviews = [
        entry.at
        for entry in store.history(site.site_id)
        if entry.kind == "reviewed" and entry.detail.get("object_verdict") == GONE
    ]
    at = site.not_seen_on or reviews[-1]
    return np.datetime64(at.replace(tzinfo=None), "us")
