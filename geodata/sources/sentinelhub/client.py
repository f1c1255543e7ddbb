"""geodata.sources.sentinelhub.client: the library's client with a session and a limiter of its own.

Retries of 429, 5xx and lost connections are the library's.
"""

from collections.abc import Mapping

from sentinelhub.config import SHConfig
from sentinelhub.download.models import DownloadRequest, DownloadResponse
from sentinelhub.download.rate_limit import SentinelHubRateLimit
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient
from sentinelhub.download.session import SentinelHubSession

MAX_WAIT_S = 300.0
"""Longest pause that is taken because the service asks for it; a used-up month would ask for weeks."""
MAX_TOO_MANY = 8
"""How often in a row one request may be answered with 429."""


class TooLongWait(Exception):
    """The service asks to wait longer than `MAX_WAIT_S`."""


class Client(SentinelHubDownloadClient):
    """The client with one session of its own (the library shares sessions between all clients)."""

    def __init__(self, session: SentinelHubSession, config: SHConfig) -> None:
        patient = config.copy()
        patient.max_retries = MAX_TOO_MANY
        super().__init__(session=session, config=patient)
        self.access_token = str(session.token["access_token"])
        self._patient_limit = PatientLimit(config.download_sleep_time)
        self.rate_limit = self._patient_limit

    def fetch(self, request: DownloadRequest) -> DownloadResponse:
        """Download in this thread: the public `download` starts others, whose waits Ctrl-C would not end."""
        response = self._single_download(request)
        if response is None:
            raise ValueError("a request with return_data=False has no response")
        return response

    def _process_response(self, request: DownloadRequest, response: DownloadResponse) -> DownloadResponse:
        self._patient_limit.forget()
        return super()._process_response(request, response)


class PatientLimit(SentinelHubRateLimit):
    """The library's limiter, which bears any Retry-After and waits longer from one 429 to the next.

    The library reads Retry-After as milliseconds, as Sentinel Hub means it; a proxy in between may mean
    seconds, so the second and later refusals in a row wait at least a time that doubles.
    """

    def __init__(self, least_s: float) -> None:
        super().__init__()
        self._least_s = least_s
        self._refused = 0

    def forget(self) -> None:
        """An answer came: the next 429 is the first again."""
        self._refused = 0

    def update(self, headers: dict[str, str], *, default: float) -> None:
        """Take note of a 429; `default` in milliseconds. Raises `TooLongWait`."""
        wait_ms = header_number(headers, self.RETRY_HEADER, default)
        if self._refused:
            wait_ms = max(wait_ms, 1000 * min(self._least_s * 2 ** (self._refused - 1), MAX_WAIT_S))
        if wait_ms > 1000 * MAX_WAIT_S:
            raise TooLongWait(f"the service asks to wait {wait_ms / 60_000:.0f} minutes")
        self._refused += 1
        super().update({self.RETRY_HEADER: str(int(wait_ms))}, default=default)


def header_number(headers: Mapping[str, str], name: str, default: float = 0.0) -> float:
    """A header as a number; the default where it is missing or no number (Retry-After may be a date)."""
    found = next((value for key, value in headers.items() if key.lower() == name.lower()), None)
    try:
        number = default if found is None else float(found)
    except ValueError:
        return default
    return number if 0 <= number < float("inf") else default
