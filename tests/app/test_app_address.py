"""The app listens on 127.0.0.1 and refuses every other address, wherever it is set."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.address import ADDRESS, config_files, refuse_busy_port, refuse_other_addresses
from app.web.server import open_context
from geodata.errors import InputError

OTHERS = (
    "0.0.0.0",
    "::",
    "192.168.1.7",
    "localhost",
    "example.org",
    "127.0.0.2",
    "",
    " 127.0.0.1",
    "unix:///tmp/s",
)
# the module, not the installed command, so that the code under test is the one that was imported
COMMAND = [sys.executable, "-c", "from app.cli.main import run; run()", "app"]


def config(folder: Path, text: str) -> Path:
    path = folder / ".streamlit" / "config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("address", OTHERS)
def test_the_flag(address: str) -> None:
    with pytest.raises(InputError, match="--host"):
        refuse_other_addresses(address, {}, [])


@given(st.text(max_size=20).filter(lambda text: text not in ("", ADDRESS)))
def test_the_environment(address: str) -> None:
    with pytest.raises(InputError, match="STREAMLIT_SERVER_ADDRESS"):
        refuse_other_addresses(ADDRESS, {"STREAMLIT_SERVER_ADDRESS": address}, [])


@pytest.mark.parametrize(
    "text",
    [
        '[server]\naddress = "0.0.0.0"\n',
        'server.address = "0.0.0.0"\n',
        'server = { address = "0.0.0.0", port = 1 }\n',
        '"server.address" = "0.0.0.0"\n',
        "[server]\naddress = 0\n",
        "[server]\naddress = ['0.0.0.0']\n",
    ],
)
@pytest.mark.parametrize("where", [0, 1, 2], ids=["home", "folder", "launcher"])
def test_each_configuration_file(tmp_path: Path, text: str, where: int) -> None:
    folders = [tmp_path / name for name in "abc"]
    path = config(folders[where], text)
    with pytest.raises(InputError) as error:
        refuse_other_addresses(ADDRESS, {}, config_files(*folders))
    assert str(path) in str(error.value)
    assert "remove" in str(error.value)


@pytest.mark.parametrize("text", ['[server]\naddress = "0.0.0.0\n', "\x00", "[server\n"])
def test_a_file_that_cannot_be_read_is_no_leave(tmp_path: Path, text: str) -> None:
    config(tmp_path, text)
    with pytest.raises(InputError, match="cannot be read"):
        refuse_other_addresses(ADDRESS, {}, config_files(tmp_path, tmp_path, tmp_path))


def test_what_names_this_machine_or_nothing_passes(tmp_path: Path) -> None:
    config(tmp_path / "a", '[server]\naddress = "127.0.0.1"\n')
    config(tmp_path / "b", '[server]\nport = 9\n[theme]\nbase = "dark"\n')
    files = config_files(tmp_path / "a", tmp_path / "b", tmp_path / "none")
    refuse_other_addresses(
        ADDRESS, {"STREAMLIT_SERVER_ADDRESS": ADDRESS, "STREAMLIT_SERVER_PORT": "1"}, files
    )


@pytest.mark.parametrize("port", [0, -1, 65536, 1_000_000])
def test_numbers_that_are_no_port(port: int) -> None:
    with pytest.raises(InputError, match="not a port"):
        refuse_busy_port(port)


def test_a_busy_port_is_named_with_another_one() -> None:
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} .*--port"):
            refuse_busy_port(port)
    refuse_busy_port(port)


def start(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command, which must end by itself."""
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(tmp_path / "home"),
        **environment,
    }
    command = [*COMMAND, "--project", str(project), *arguments]
    return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("how", ["flag", "environment", "home", "folder", "port"])
def test_the_command_ends_with_one_sentence(tmp_path: Path, how: str) -> None:
    arguments: list[str] = []
    environment: dict[str, str] = {}
    with socket.socket() as taken:
        if how == "flag":
            arguments = ["--host", "0.0.0.0"]
        elif how == "environment":
            environment = {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}
        elif how == "port":
            taken.bind((ADDRESS, 0))
            taken.listen()
            arguments = ["--port", str(taken.getsockname()[1])]
        else:
            config(tmp_path / "home" if how == "home" else tmp_path, '[server]\naddress = "0.0.0.0"\n')
        ended = start(tmp_path, *arguments, **environment)
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert list((tmp_path / "project").iterdir()) == []


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(InputError, match="kilnlight import"):
        open_context(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]
    with pytest.raises(InputError, match="kilnlight import"):
        open_context(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


def test_an_empty_folder_becomes_an_empty_project(tmp_path: Path) -> None:
    context = open_context(tmp_path)
    assert context.book.edition().sites == ()
    context.project.close()
