"""Bad input to `train` ends in one sentence before anything is learnt; the extra is not needed for that."""

import subprocess
import sys
from pathlib import Path

import pytest
from painted_files import kilnlight, write

RUN = """
[data]
scenes = ["*.tif"]
labels = "kilns.geojson"
[model]
name = "short"
"""
KILN = """{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {},
"geometry": {"type": "Point", "coordinates": [77.2, 28.6]}}]}"""


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    path = tmp_path / "RUN.toml"
    path.write_text(RUN)
    return path


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fold", "2"], "There is no fold 2"),
        (["--init", "nowhere"], "nowhere is no model bundle"),
        (["--example", "RUN.toml"], "exists already"),
    ],
)
def test_bad_options_are_one_sentence(tmp_path, run_file, monkeypatch, options, says):
    monkeypatch.chdir(tmp_path)
    done = kilnlight("train", run_file, "--out", tmp_path / "out", *options)
    assert done.exit_code == 2 and says in done.output, done.output
    assert not (tmp_path / "out").exists()


def test_an_unknown_setting_is_named(tmp_path, run_file):
    run_file.write_text(RUN + "[fit]\nstpes = 3\n")
    done = kilnlight("train", run_file, "--out", tmp_path / "out")
    assert done.exit_code == 2 and "fit.stpes" in done.output


def test_without_the_extra_it_says_how_to_get_it(tmp_path, run_file):
    write(tmp_path / "scene.tif")
    # broken labels are told before torch is needed
    (tmp_path / "kilns.geojson").write_text(KILN)
    code = "import sys; sys.modules['torch'] = None; from app.cli.main import run; run()"
    command = [sys.executable, "-c", code, "train", str(run_file), "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Training needs torch" in done.stderr and 'pip install -e ".[train]"' in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out").exists()
