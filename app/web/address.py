"""app.web.address: the one address the app may listen on, and the refusal of every other; opens nothing.

Until there are accounts, whoever reaches the port may read and write, so it must not be reachable from
another machine. Streamlit would take an address from its configuration files or from the environment too;
each of these places is looked at, so that nobody believes the app to be shared when it is not.
"""

import os
import socket
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from geodata.errors import InputError

ADDRESS = "127.0.0.1"
ENVIRONMENT = "STREAMLIT_SERVER_ADDRESS"


def config_files(*folders: Path) -> tuple[Path, ...]:
    """The configuration files that Streamlit would read in these folders."""
    return tuple(folder / ".streamlit" / "config.toml" for folder in folders)


def refuse_other_addresses(flag: str, environment: Mapping[str, str], files: Sequence[Path]) -> None:
    """Raise unless every place that can set the address leaves it alone or names 127.0.0.1.

    Raises:
        InputError: one of them names another address, or a configuration file cannot be read.
    """
    _refuse(flag, "--host")
    if environment.get(ENVIRONMENT):
        _refuse(environment[ENVIRONMENT], f"the environment variable {ENVIRONMENT}")
    for path in files:
        if address := _address_in(path):
            _refuse(address, str(path))


def _refuse(address: str, where: str) -> None:
    if address != ADDRESS:
        raise InputError(
            f"The app has no accounts yet and listens on {ADDRESS} only, but {where} asks for the address"
            f" {address!r}; remove that setting and start it again."
        )


def _address_in(path: Path) -> str | None:
    """`server.address` of a TOML file, however it is spelled there; None where it says nothing."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"The Streamlit configuration {path} cannot be read ({error}), so it is not certain that the app"
            " stays on this machine; mend or remove the file."
        ) from error
    section = content.get("server", {})
    address = section.get("address") if isinstance(section, dict) else None
    address = content.get("server.address", address)
    return None if address in (None, "") else str(address)


def refuse_busy_port(port: int) -> None:
    """Raise where the port cannot be opened on 127.0.0.1.

    Raises:
        InputError: the number is no port, another program listens there, or the system does not allow it.
    """
    if not 1 <= port <= 65535:
        raise InputError(f"{port} is not a port; choose a number from 1024 to 65535 with --port.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            # as the server does it: a port that was closed a moment ago is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise InputError(
                f"Port {port} on {ADDRESS} cannot be used ({error.strerror}); end the program that uses it or"
                f" choose another with --port {port + 1 if port < 65535 else 8501}."
            ) from error
