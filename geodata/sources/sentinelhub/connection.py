"""geodata.sources.sentinelhub.connection: signs in, renews a refused token, says in one sentence what failed.

No credential is in that sentence, in its cause or in a log.
"""

import logging
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import requests
from oauthlib.oauth2 import OAuth2Error
from sentinelhub.api.catalog import SentinelHubCatalog
from sentinelhub.config import SHConfig
from sentinelhub.decoding import decode_sentinelhub_err_msg
from sentinelhub.download.models import DownloadRequest, DownloadResponse
from sentinelhub.download.session import SentinelHubSession
from sentinelhub.exceptions import (
    BaseSentinelHubException,
    DownloadFailedException,
    OutOfRequestsException,
    SHRateLimitWarning,
)

from geodata.errors import InputError
from geodata.sources.sentinelhub.client import MAX_TOO_MANY, Client, TooLongWait, header_number

T = TypeVar("T")

TOKEN_RENEWALS = 2
_UNITS_SPENT = "X-ProcessingUnits-Spent"
_CHATTY_LOGGERS = ("requests_oauthlib", "oauthlib")
"""At level DEBUG they write the body of the token request, and so the secret."""


class Connection:
    """A signed-in client of one service. Not thread-safe.

    Raises `InputError`, without credentials in it, from every method.
    """

    def __init__(self, config: SHConfig) -> None:
        for name in _CHATTY_LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)
        self.config = config
        self.units_spent = 0.0
        """PU that the service says this connection has used; 0 where it does not say."""
        self._client: Client | None = None

    def download(self, request: DownloadRequest, what: str) -> DownloadResponse:
        """The answer to a request, after the client's retries; `what` begins the error's sentence."""
        response = self._with_token(lambda client: client.fetch(request), what)
        self.units_spent += header_number(response.headers, _UNITS_SPENT)
        return response

    def with_catalog(self, ask: Callable[[SentinelHubCatalog], T], what: str) -> T:
        """What a function gets out of the Catalog; it is called again where the token was refused."""

        def call(client: Client) -> T:
            catalog = SentinelHubCatalog(config=self.config)
            catalog.client = client
            return ask(catalog)

        return self._with_token(call, what)

    def _with_token(self, call: Callable[[Client], T], what: str) -> T:
        for _ in range(TOKEN_RENEWALS):
            try:
                return self._call(call, what)
            except _TokenRefused:
                self._client = None
        try:
            return self._call(call, what)
        except _TokenRefused:
            raise InputError(
                f"{what}: the service refused the token (401), also a new one; check that SH_TOKEN_URL and "
                "SH_BASE_URL belong together."
            ) from None

    def _call(self, call: Callable[[Client], T], what: str) -> T:
        # every `from None` below: the library's errors hold the request, and the request holds the token
        try:
            if self._client is None:
                self._client = Client(_new_session(self.config), self.config)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SHRateLimitWarning)
                return call(self._client)
        except TooLongWait as error:
            raise InputError(f"{what}: {error}; run the same command again later.") from None
        except (BaseSentinelHubException, requests.RequestException) as error:
            if _status(error) == requests.codes.unauthorized:
                raise _TokenRefused from None
            raise InputError(f"{what}: {self._reason(error)}") from None

    def _reason(self, error: Exception) -> str:
        status = _status(error)
        if isinstance(error, OutOfRequestsException):
            return f"the service answered 429 (too many requests) {MAX_TOO_MANY} times; run again later."
        if status == requests.codes.forbidden:
            return "the service forbids it (403): perhaps no processing units are left; check the account."
        if status is None:
            kind = type(getattr(error, "request_exception", None) or error).__name__
            return (
                f"no whole answer came from {self.config.sh_base_url} ({kind}); check the network, run again."
            )
        said = _without_secrets(_said(error), self.config, self._client)
        return f"the service answered {status} ({said}); run the same command again later."


class _TokenRefused(Exception):
    """The service answered 401: the token has ended, or never was good."""


def _new_session(config: SHConfig) -> SentinelHubSession:
    try:
        return SentinelHubSession(config)
    except OAuth2Error as error:
        raise InputError(_not_accepted(config, _without_secrets(str(error.error), config))) from None
    except DownloadFailedException as error:
        status = _status(error)
        if status is None or status >= 500:
            raise InputError(
                f"{config.sh_token_url} gave no token (answer: {status or 'none'}); check the network and "
                "SH_TOKEN_URL, and run the same command again."
            ) from None
        raise InputError(_not_accepted(config, str(status))) from None


def _not_accepted(config: SHConfig, why: str) -> str:
    return (
        f"{config.sh_token_url} did not accept the credentials ({why}); check SH_CLIENT_ID and "
        "SH_CLIENT_SECRET, and that SH_TOKEN_URL is the address of the service that gave them."
    )


def _status(error: Exception) -> int | None:
    response = _response(error)
    return None if response is None else response.status_code


def _said(error: Exception) -> str:
    response = _response(error)
    if response is None:
        return "no message"
    text = decode_sentinelhub_err_msg(response)
    with suppress(ValueError, KeyError, TypeError):
        text = str(response.json()["error"]["message"])
    return " ".join(text.split())[:200] or "no message"


def _response(error: Exception) -> requests.Response | None:
    cause = error.request_exception if isinstance(error, DownloadFailedException) else error
    return cause.response if isinstance(cause, requests.RequestException) else None


def _without_secrets(text: str, config: SHConfig, client: Client | None = None) -> str:
    for secret in (config.sh_client_secret, config.sh_client_id, client.access_token if client else ""):
        text = text.replace(secret, "***") if secret else text
    return re.sub(r"Bearer\s+[^\s\"']+", "Bearer ***", text)
