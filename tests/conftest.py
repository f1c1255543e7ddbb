"""Fixtures that several areas share, and the option that forbids skips."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from geodata.painter import PaintedScene, paint_scene


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if any test is skipped")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn a green run with skips into a red one under `--no-skips`."""
    if not session.config.getoption("--no-skips") or exitstatus != pytest.ExitCode.OK:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or reporter.stats.get("skipped") or reporter.stats.get("xfailed"):
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


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real Chromium, driven by playwright: `chromium.new_page()`. For tests marked `browser`."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra 'browser' is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("KILNLIGHT_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("Chromium was not found; name it by KILNLIGHT_CHROMIUM")
    with playwright.sync_playwright() as driver:
        # no sandbox: containers and the root user have none; only our own pages are opened
        # the map draws with WebGL, which machines without a graphics card do in software; the rest keeps
        # the browser itself from asking hosts of its own
        quiet = (
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        )
        args = [
            "--no-sandbox",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
            "--disable-quic",
            *quiet,
        ]
        browser = driver.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()
