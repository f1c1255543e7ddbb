"""app.services.sites: what the map, the site page and the table do with sites."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.i18n import _
from app.services.conclude import conclude_people
from app.services.project import Project, utc_now
from geodata.errors import InputError
from geodata.store.records import Evidence, HistoryEntry, Site


@dataclass(frozen=True)
class SiteView:
    """All that a site's page shows."""

    site: Site
    evidence: tuple[Evidence, ...]
    """Latest scene first; the superseded ones too."""
    history: tuple[HistoryEntry, ...]
    """Oldest first."""


def view_site(project: Project, site_id: str) -> SiteView:
    """A site with its evidence and history, all of one moment.

    Raises:
        InputError: unknown site.
    """
    store = project.store
    with store.reading():
        site = store.site(site_id)
        if site is None:
            raise InputError(_("There is no site {id} in this project.").format(id=repr(site_id)))
        evidence, history = store.evidence(site_id), store.history(site_id)
        return SiteView(site, tuple(evidence), tuple(history))


def record_verdict(
    project: Project,
    site_id: str,
    object_verdict: str,
    note: str,
    reviewer: str,
    *,
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Record what a reviewer says is there. It stands beside the probability and does not change it.

    Raises:
        InputError: unknown site or verdict, or a note that is too long.
    """
    with project.store.writing():
        project.store.add_review(site_id, object_verdict, note, reviewer, now())
        # with a hundred verdicts the chances count as calibrated
        conclude_people(project.store)


def undo_verdict(
    project: Project, site_id: str, reviewer: str, *, now: Callable[[], datetime] = utc_now
) -> None:
    """Take the latest standing verdict of a site back; the one before it counts again.

    Raises:
        InputError: unknown site, or no verdict stands.
    """
    with project.store.writing():
        project.store.undo_review(site_id, reviewer, now())
        conclude_people(project.store)
