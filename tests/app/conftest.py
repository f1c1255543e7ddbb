"""A project that the tests of pages and routes share."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from make_project import make_project

from app.services.project import Project, open_project


@pytest.fixture(scope="session")
def project_pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder that is made once; copy it, do not change it."""
    folder = tmp_path_factory.mktemp("pattern") / "project"
    make_project(folder, n=12).close()
    return folder


@pytest.fixture
def project(project_pattern: Path, tmp_path: Path) -> Iterator[Project]:
    """An open copy of the pattern for one test."""
    folder = tmp_path / "project"
    shutil.copytree(project_pattern, folder)
    with open_project(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def copy_project(
    project_pattern: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Project]]:
    """Makes open copies that live as long as the module's tests."""
    with ExitStack() as opened:

        def copy() -> Project:
            folder = tmp_path_factory.mktemp("copy") / "project"
            shutil.copytree(project_pattern, folder)
            return opened.enter_context(open_project(folder))

        yield copy
