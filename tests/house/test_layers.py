"""The arrows between the packages, and what may be imported where."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_import_linter_holds_the_layers() -> None:
    pytest.importorskip("importlinter", reason="the extra 'dev' is not installed")
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_all_but_training_imports_without_torch() -> None:
    """With torch made unfindable, every module outside training can still be imported."""
    code = """
import importlib, pkgutil, sys
sys.modules["torch"] = sys.modules["torchvision"] = None
import geodata, detection, app
for package in (geodata, detection, app):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        # migrations and the page script are run by Alembic and Streamlit, never imported
        if ".migrations." not in module.name and module.name != "app.web.script":
            importlib.import_module(module.name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
