"""app.services.conclude: brings the store's facts and detection's methods together: votes, chances, not seen.

What is concluded follows from the state alone, so that a rebuilt store comes to the same conclusions. On
every answer only what it can change is worked out anew: the sites of tiles that volunteers have seen. (A site
without votes depends on its own evidence only.)
"""

from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import Connection

from detection.merge import (
    TRUTHS_TO_CALIBRATE,
    DampedDawidSkene,
    SceneScore,
    SiteEvidence,
    StrayMark,
    Vote,
    associate,
)
from detection.not_seen import SceneLook, not_seen_on
from detection.sites import Sites
from geodata.looks import Look
from geodata.obb import Boxes, from_corners
from geodata.store import conclusions
from geodata.store.boxes import as_columns
from geodata.store.conclusions import Merged, SiteFacts
from geodata.store.places import with_neighbours
from geodata.store.ranks import write_ranks
from geodata.store.records import Ring
from geodata.store.store import Store

METHOD = DampedDawidSkene()
_TRUTH = {"kiln": True, "not_kiln": False}
"""`gone` and `unsure` tell nothing about what the imagery showed."""


def conclude(store: Store) -> None:
    """Work everything out anew, for all sites."""
    with store.writing() as connection:
        _merge(store, connection, conclusions.sites_in_tiles(connection, None))
        write_ranks(connection)
        _write_not_seen(connection, None)


def conclude_import(store: Store, tile_ids: Iterable[str]) -> None:
    """Work out anew what an import can change: chances everywhere, not-seen dates in and around its tiles."""
    with store.writing() as connection:
        _merge(store, connection, conclusions.sites_in_tiles(connection, None))
        write_ranks(connection)
        _write_not_seen(connection, set(tile_ids))


def conclude_people(store: Store) -> None:
    """Work out anew what answers and reviews can change."""
    with store.writing() as connection:
        tiles = with_neighbours(conclusions.looked_tiles(connection))
        sites = conclusions.sites_in_tiles(connection, tiles)
        if len(_truths(sites)) >= TRUTHS_TO_CALIBRATE - 1:
            # from here on an answer may change whether chances count as calibrated, for all sites at once
            sites = conclusions.sites_in_tiles(connection, None)
        _merge(store, connection, sites)


def stray_marks(store: Store) -> tuple[StrayMark, ...]:
    """Marks that lie on no site."""
    with store.reading() as connection:
        tiles = with_neighbours(conclusions.looked_tiles(connection))
        return associate(store.looks(), as_sites(conclusions.sites_in_tiles(connection, tiles))).stray


def as_sites(sites: Sequence[SiteFacts]) -> Sites:
    """Sites as detection takes them."""
    return Sites(tuple(site.site_id for site in sites), as_columns([site.box for site in sites]))


def _truths(sites: Sequence[SiteFacts]) -> dict[str, bool]:
    return {
        site.site_id: _TRUTH[site.object_verdict]
        for site in sites
        if site.object_verdict is not None and site.object_verdict in _TRUTH
    }


def _merge(store: Store, connection: Connection, sites: Sequence[SiteFacts]) -> None:
    looks = store.looks()
    votes = associate(looks, as_sites(sites)).votes
    unsure = _unsure_by_tile(looks)
    truths = _truths(sites)
    evidence = [_evidence(site, votes.get(site.site_id, ())) for site in sites]
    # sites without votes teach nothing of volunteers; leaving them out keeps an answer quick
    merger = METHOD.fit([one for one in evidence if one.votes or one.site_id in truths], truths)
    merged = []
    for site, one in zip(sites, evidence, strict=True):
        chance = merger.merge(one)
        said = dict.fromkeys(unsure.get(site.tile_id, ()), "unsure")
        said |= {vote.volunteer_id: "kiln" if vote.is_kiln else "none" for vote in one.votes}
        probability = chance.probability if chance.backed else None
        merged.append(Merged(site.site_id, probability, chance.log_odds, chance.calibrated, said))
    conclusions.write_merged(connection, merged)


def _evidence(site: SiteFacts, votes: tuple[Vote, ...]) -> SiteEvidence:
    scores = (SceneScore(s.model_id, s.scene_id, s.score, s.probability, s.is_candidate) for s in site.scores)
    return SiteEvidence(site.site_id, tuple(scores), votes)


def _unsure_by_tile(looks: Iterable[Look]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for look in looks:
        if look.answer == "unsure":
            found.setdefault(look.tile_id, []).append(look.volunteer_id)
    return found


def _write_not_seen(connection: Connection, tile_ids: set[str] | None) -> None:
    around = None if tile_ids is None else with_neighbours(tile_ids)
    sites = conclusions.sites_in_tiles(connection, around)
    if not sites:
        return
    # an outline may reach into the next tile, and so may another site's that overlaps it
    near = None if tile_ids is None else with_neighbours({site.tile_id for site in sites})
    outlines = conclusions.current_outlines(connection, near)
    looks = [
        SceneLook(scene.acquired_at, scene.observed_share, _boxes_of_rings(outlines.get(scene.scene_id, [])))
        for scene in conclusions.scenes_of_tiles(connection, near)
    ]
    dates = not_seen_on(as_columns([site.box for site in sites]), [site.last_seen for site in sites], looks)
    conclusions.write_not_seen(connection, {site.site_id: at for site, at in zip(sites, dates, strict=True)})


def _boxes_of_rings(rings: Sequence[Ring]) -> Boxes:
    return from_corners(np.array([ring[:4] for ring in rings], dtype=np.float64).reshape(-1, 4, 2))
