"""Fixtures that several areas share, and the option that forbids skips."""

import os
from pathlib import Path

import pytest

from geodata.painter import PaintedScene, paint_scene


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if any test is skipped")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn a green run with skips (or with no test at all) into a red one under `--no-skips`."""
    if not session.config.getoption("--no-skips") or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter is not None else []
    if skipped:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def delhi() -> Path:
    """Folder with the real scenes and labels."""
    folder = os.environ.get("KILNLIGHT_DATA")
    if not folder:
        pytest.skip("KILNLIGHT_DATA is not set: the real scenes are not here")
    return Path(folder) / "delhi"


@pytest.fixture(scope="session")
def painted_scene() -> PaintedScene:
    """A small made-up scene with twelve kilns and look-alikes."""
    return paint_scene(7, width=384, height=320, n_kilns=12)
