"""app.authorise: who may do what to what; knows nothing of Streamlit, HTTP or the store.

One table; what is not in it is refused. There are no accounts yet: whoever sits at the machine is the one
local person (`LOCAL`) with every role. Accounts will bring other principals, not other rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.i18n import _


@dataclass(frozen=True)
class Principal:
    """Somebody who asks, with the roles that they hold."""

    name: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Target:
    """What is asked for: a kind of thing, and which one where it matters."""

    kind: str
    id: str | None = None


@dataclass(frozen=True)
class Decision:
    """The answer, with a sentence that can be shown."""

    allowed: bool
    reason: str


NGO, VOLUNTEER, RESEARCHER = "ngo", "volunteer", "researcher"
EVERYONE = frozenset({NGO, VOLUNTEER, RESEARCHER})
# Volunteers never get coordinates, so nothing that tells a place is open to their role
PLACES = frozenset({NGO, RESEARCHER})

LOCAL = Principal("local", EVERYONE)
NOBODY = Principal("nobody", frozenset())

RULES: Mapping[tuple[str, str], frozenset[str]] = {
    ("see", "shell"): EVERYONE,  # Streamlit's own files and its websocket; what they show is checked per page
    ("see", "asset"): EVERYONE,
    ("see", "page.map"): PLACES,
    ("see", "page.table"): PLACES,
    ("see", "page.site"): PLACES,
    ("see", "page.sample"): PLACES,
    ("see", "page.model"): EVERYONE,
    ("see", "sites"): PLACES,
    ("see", "coverage"): PLACES,
    ("see", "picture"): PLACES,
    ("see", "print"): PLACES,
    ("export", "sites"): PLACES,
    ("review", "site"): frozenset({NGO}),
    ("undo_review", "site"): frozenset({NGO}),
    ("see", "label"): frozenset({VOLUNTEER}),
    ("answer", "label"): frozenset({VOLUNTEER}),
}
"""(action, kind of object) -> the roles that may; one of them is enough."""


def authorise(principal: Principal | None, action: str, target: Target | None) -> Decision:
    """May this principal do this to that? Whatever the table does not name is refused."""
    if not isinstance(principal, Principal) or not isinstance(target, Target):
        return Decision(False, _("Refused: it is not clear who asks or for what."))
    roles = RULES.get((action, target.kind))
    if roles is None:
        return Decision(False, _("Refused: there is no rule for this."))
    if not roles & principal.roles:
        return Decision(False, _("Refused: this person has no role that may do this."))
    return Decision(True, _("Allowed."))
