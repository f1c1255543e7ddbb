"""app.web.access: which action on which kind of object each address stands for; decides nothing itself.

An address without a rule is answered with 404 before any handler sees it, so a route that somebody adds
without thinking of access is closed, not open.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from app.authorise import Principal, Target, authorise
from app.i18n import _
from app.web.guards import refuse

_NOT_FOUND, _FORBIDDEN = 404, 403
READ = frozenset({"GET", "HEAD"})
WRITE = frozenset({"POST"})
WEBSOCKET = frozenset({"WEBSOCKET"})


@dataclass(frozen=True)
class Rule:
    """Methods and paths (a regular expression over the whole path) that stand for one action."""

    methods: frozenset[str]
    path: str
    action: str
    kind: str


_ID = r"(?P<id>[A-Za-z0-9_.-]{1,64})"
RULES = (
    Rule(READ, r"/assets/.+", "see", "asset"),
    Rule(READ, r"/api/sites", "see", "sites"),
    Rule(READ, r"/api/coverage", "see", "coverage"),
    Rule(READ, rf"/api/(picture|outlined)/{_ID}", "see", "picture"),
    Rule(READ, rf"/print/site/{_ID}", "see", "print"),
    Rule(READ, r"/print/sites", "see", "print"),
    Rule(READ, r"/export/sites\.(geojson|csv|html)", "export", "sites"),
    Rule(READ, r"/(api/)?label(/.*)?", "see", "label"),
    Rule(WRITE, r"/(api/)?label(/.*)?", "answer", "label"),
    # Streamlit's own addresses, only those that the pages need
    Rule(WEBSOCKET, r"/_stcore/stream", "see", "shell"),
    Rule(READ, r"/_stcore/(health|host-config|bidi-components/.+)", "see", "shell"),
    Rule(READ, r"/media/.+", "see", "shell"),
    Rule(READ, r"/static/.+|/favicon\.(png|ico)|/manifest\.json|/robots\.txt", "see", "shell"),
    Rule(READ, r"/(table|site|sample|model)?/?", "see", "shell"),
)


def rule_for(method: str, path: str) -> tuple[Rule, Target] | None:
    """The first rule that an address falls under, with what is asked for; None where there is none."""
    for rule in RULES:
        found = re.fullmatch(rule.path, path) if method in rule.methods else None
        if found:
            return rule, Target(rule.kind, found.groupdict().get("id"))
    return None


class Access:
    """ASGI middleware: every request goes through `authorise` before it reaches a route."""

    def __init__(self, app: ASGIApp, principal: Callable[[], Principal]) -> None:
        self._app = app
        self._principal = principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on where a rule and `authorise` allow it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        found = rule_for(method, scope["path"])
        if found is None:
            await refuse(scope, receive, send, _NOT_FOUND, _("There is nothing at this address."))
            return
        rule, target = found
        decision = authorise(self._principal(), rule.action, target)
        if decision.allowed:
            await self._app(scope, receive, send)
        else:
            await refuse(scope, receive, send, _FORBIDDEN, decision.reason)
