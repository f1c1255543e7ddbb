"""app.web.guards: what every request must satisfy before anything looks at it; knows no page and no rule.

* `Host` is this machine (a page of another site whose name was made to point here is turned away),
* `Origin` is this app on every websocket and on every request that could write; a missing one is refused,
* every answer carries a Content-Security-Policy, so that the browser itself asks no other host.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.i18n import _

_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_READS = frozenset({"GET", "HEAD"})
_MISDIRECTED, _FORBIDDEN = 421, 403


def is_this_machine(host: str) -> bool:
    """True for the `Host` values 127.0.0.1, localhost and [::1], with any port."""
    return _HOST.fullmatch(host) is not None


def is_same_origin(origin: str, host: str) -> bool:
    """True where `Origin` is this app at the address that the browser used; never for a missing one."""
    return origin.lower() == f"http://{host.lower()}"


def refusal(scope: Scope) -> tuple[int, str] | None:
    """Status and sentence for a request that must not pass, else None."""
    hosts, origins = _header(scope, b"host"), _header(scope, b"origin")
    if len(hosts) != 1 or not is_this_machine(hosts[0]):
        return _MISDIRECTED, _("This app answers only at 127.0.0.1, localhost and [::1].")
    if scope["type"] == "http" and scope["method"] in _READS:
        return None
    if len(origins) != 1 or not is_same_origin(origins[0], hosts[0]):
        return _FORBIDDEN, _("Refused: the request does not come from a page of this app.")
    return None


class Guards:
    """ASGI middleware: applies `refusal` to all requests and the security headers to all answers."""

    def __init__(self, app: ASGIApp, script_hashes: Sequence[str] = ()) -> None:
        self._app = app
        self._script_hashes = tuple(script_hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the refusal."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refused = refusal(scope)
        host = "127.0.0.1" if refused else _header(scope, b"host")[0]
        headers = security_headers(host, self._script_hashes)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _value in headers}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in ours]
                message = {**message, "headers": [*kept, *headers]}
            await send(message)

        if refused:
            await refuse(scope, receive, send_with_headers, *refused)
        else:
            await self._app(scope, receive, send_with_headers)


def security_headers(host: str, script_hashes: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """The headers of every answer; `host` is a checked `Host` value."""
    scripts = " ".join(["'self'", "blob:", *script_hashes])
    policy = {
        "default-src": "'none'",
        "script-src": scripts,
        "worker-src": "'self' blob:",
        # Streamlit writes its styles into the page as it runs
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' blob:",
        "manifest-src": "'self'",
        # named, since some browsers do not count a websocket under 'self'
        "connect-src": f"'self' ws://{host} blob: data:",
        "form-action": "'self'",
        "frame-src": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'self'",
        "object-src": "'none'",
    }
    content = "; ".join(f"{name} {value}" for name, value in policy.items())
    return [
        (b"content-security-policy", content.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
    ]


def inline_script_hashes(html: str) -> tuple[str, ...]:
    """CSP sources for the inline scripts of a page, so that only these very texts may run."""
    texts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


async def refuse(scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
    """Answer with a status and a JSON sentence; a websocket is closed before it opens."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": ""})
        return
    body = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _header(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.lower() == name]
