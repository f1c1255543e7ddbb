"""app.web.context: what pages and routes of the running app share; one app per process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.authorise import LOCAL, Decision, Principal, Target, authorise
from app.services.project import Project, utc_now
from app.services.site_book import SiteBook
from geodata.store.records import Site
from geodata.store.store import Store


@dataclass(frozen=True)
class AppContext:
    """The open project, who sits before it, and the clock."""

    project: Project
    book: SiteBook
    principal: Principal = LOCAL
    now: Callable[[], datetime] = utc_now

    @property
    def store(self) -> Store:
        """The open project's store."""
        return self.project.store

    def picture_path(self, site: Site) -> Path | None:
        """The file of a site's picture; None where there is none inside the project."""
        return None if site.picture is None else self.project.picture_path(site.picture)

    def may(self, action: str, kind: str, id: str | None = None) -> Decision:
        """`authorise` for the person before this app."""
        return authorise(self.principal, action, Target(kind, id))


_current: AppContext | None = None


def install(context: AppContext) -> None:
    """Make this the context of the process."""
    global _current
    _current = context


def current() -> AppContext:
    """The context of the process. Raises `RuntimeError` where no app was built."""
    if _current is None:
        raise RuntimeError("No project is open in this process; start the app with `kilnlight app`.")
    return _current
