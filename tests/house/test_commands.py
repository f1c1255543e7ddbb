"""The commands' help, and that bad options end with one sentence."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli.demo import steps
from app.cli.main import build

WIDE = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
COMMANDS = (
    *("fetch", "detect", "evaluate", "import", "app", "paint", "demo", "train", "labels", "audit"),
    *("mine", "queue", "models"),
    "calibrate",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    done = CliRunner().invoke(build(), [command, "--help"], env=WIDE)
    assert done.exit_code == 0
    assert re.search(r"Examples?:", done.output), done.output
    assert f"kilnlight {command} " in done.output


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_fits_a_terminal_of_80_columns(command: list[str]) -> None:
    done = CliRunner().invoke(build(), [*command, "--help"], env={**WIDE, "COLUMNS": "80"})
    lines = [line.strip() for line in done.output.splitlines()]
    assert max(map(len, lines)) <= 80
    prose = [
        line for line in lines[3:] if line and line[0] not in "╭│╰" and not line.startswith("kilnlight ")
    ]
    # no line breaks off in the middle of a paragraph because the source did
    stumps = [(one, two) for one, two in pairwise(prose) if one[-1].isalpha() and len(one) < 55]
    assert not stumps
    assert "kilnlight " in done.output.split("Options")[0]


def test_every_command_is_listed_here() -> None:
    group = typer.main.get_command(build())
    assert sorted(group.commands) == sorted(COMMANDS)  # type: ignore[attr-defined]  # typer gives a group


def test_importing_the_command_line_is_light() -> None:
    """`--help` must not pay for rasterio, onnxruntime, streamlit or torch."""
    heavy = "{'rasterio', 'onnxruntime', 'streamlit', 'torch', 'geopandas', 'sqlalchemy'}"
    code = f"import sys; from app.cli.main import build; build(); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("wrong", [["--size", "3"], ["--kilns", "-1"], ["--seed", "-1"]])
def test_paint_refuses_what_cannot_be_painted(tmp_path: Path, wrong: list[str]) -> None:
    done = CliRunner().invoke(build(), ["paint", "--out", str(tmp_path / "out"), *wrong], env=os.environ)
    assert done.exit_code == 2
    assert wrong[1] in done.output
    assert not (tmp_path / "out").exists()


def test_paint_writes_scene_truth_and_marks(tmp_path: Path) -> None:
    done = CliRunner().invoke(build(), ["paint", "--out", str(tmp_path), "--size", "96", "--kilns", "2"])
    assert done.exit_code == 0, done.output
    assert {p.name for p in tmp_path.iterdir()} == {
        "made_up.tif",
        "made_up_kilns.geojson",
        "made_up_marks.csv",
    }


def test_the_demo_uses_the_commands_that_a_user_types(tmp_path: Path) -> None:
    names = [step[0] for step in steps(tmp_path, 1)]
    assert names == ["paint", "detect", "import", "evaluate"]
    assert "--candidates" in steps(tmp_path, 1)[1]
