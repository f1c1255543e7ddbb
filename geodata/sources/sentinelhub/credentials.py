"""geodata.sources.sentinelhub.credentials: who asks which service; reads settings, writes none."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sentinelhub.config import SHConfig

from geodata.errors import InputError

_ENVIRONMENT = {
    "SH_CLIENT_ID": "sh_client_id",
    "SH_CLIENT_SECRET": "sh_client_secret",
    "SH_BASE_URL": "sh_base_url",
    "SH_TOKEN_URL": "sh_token_url",
}
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def read_config(environment: Mapping[str, str] = os.environ, profile: str | None = None) -> SHConfig:
    """Settings of the client: its profile, and over it SH_CLIENT_ID and the other variables.

    Raises:
        InputError: no credentials, an unknown profile, a broken file, or an address that is not https.
    """
    settings = {field: environment[name] for name, field in _ENVIRONMENT.items() if environment.get(name)}
    config = _profile(profile or environment.get("SH_PROFILE"), settings)
    if not (config.sh_client_id and config.sh_client_secret):
        raise InputError(
            "No credentials for Sentinel Hub were found; set SH_CLIENT_ID and SH_CLIENT_SECRET, or run "
            "`sentinelhub.config --sh_client_id ID --sh_client_secret SECRET` (see docs/fetching-imagery.md)."
        )
    for name, url in (("SH_BASE_URL", config.sh_base_url), ("SH_TOKEN_URL", config.sh_token_url)):
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS):
            raise InputError(f"{name} is {url!r}; credentials are sent to https addresses only.")
    return config


def _profile(profile: str | None, settings: dict[str, Any]) -> SHConfig:
    file = Path(SHConfig.get_config_location())
    # without a file the client would write one; reading should not
    if profile is None and not file.exists():
        return SHConfig(use_defaults=True, **settings)
    try:
        return SHConfig(profile, **settings)
    except KeyError as error:
        if profile is None:  # a file with named profiles only
            return SHConfig(use_defaults=True, **settings)
        raise InputError(f"{file} has no profile {profile!r}; name another, or add it there.") from error
    except (OSError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        # without the cause: a parser's message may quote the line, and the line may hold the secret
        raise InputError(f"{file} cannot be read ({type(error).__name__}); mend it or remove it.") from None
