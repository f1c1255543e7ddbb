"""The audit of a run file finds ground, and copies of pictures, that a fold learns from and is scored on."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from app.cli.main import build

STEP = 8.983152841195214e-05
RUN = """
[data]
scenes = ["tiles"]
labels = "kilns.csv"
[model]
name = "none"
[folds]
gap_px = 10
file = "folds.{end}"
"""


def name(k: int) -> str:
    """Tiles in a row, each sharing 30 columns with the next."""
    return f"28.7354_{77.3558 + k * 98 * STEP:.4f}.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "tiles").mkdir()
    for k in range(6):
        Image.fromarray(rng.integers(1, 255, (128, 128, 3), np.uint8)).save(tmp_path / "tiles" / name(k))
    # away from the middles, where blocks of land meet
    rows = [f"k{k},{77.3558 + (k * 98 + 26) * STEP},{28.7354 + 25 * STEP}" for k in range(6)]
    (tmp_path / "kilns.csv").write_text("\n".join(["id,lon,lat", *rows, "far,70,20"]))
    return tmp_path


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(build(), [str(a) for a in arguments], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_folds_of_blocks_and_of_pictures_pass_and_a_copied_picture_is_found(folder: Path) -> None:
    options = ("--labels", folder / "kilns.csv", "--folds", 2, "--block-km", 0.8, "--gap-km", 0.1)
    for end in ("geojson", "csv"):
        code, said = run("labels", "split", folder / "tiles", *options, "--out", folder / f"folds.{end}")
        assert code == 0 and "has 3 kilns only" in said and "gap_px = 10" in said, said
        (folder / "RUN.toml").write_text(RUN.format(end=end))
        code, said = run("audit", folder / "RUN.toml")
        assert code == 0 and "No leak between folds" in said and "1 labels lie in no scene: far" in said, said
    code, said = run("audit", folder / "RUN.toml", "--json")
    folds = json.loads(said[: said.rindex("}") + 1])["folds"]
    assert [fold["held_kilns"] for fold in folds] == [3, 3]
    # the same picture once more, elsewhere, in the other fold
    lines = (folder / "folds.csv").read_text().splitlines()
    first = dict(line.split(",") for line in lines[1:])[name(0)]
    picture = (folder / "tiles" / name(0)).read_bytes()
    (folder / "tiles" / name(50)).write_bytes(picture)
    (folder / "folds.csv").write_text("\n".join([*lines, f"{name(50)},{3 - int(first)}"]))
    code, said = run("audit", folder / "RUN.toml")
    assert code == 1 and "look the same" in said


def test_scenes_that_show_the_same_ground_leak_where_columns_are_cut_by_scene(folder: Path) -> None:
    parts = ", ".join(
        "[" + ", ".join(f'{{ scene = "{name(k)}" }}' for k in ks) + "]" for ks in ((0, 2, 4), (1, 3, 5))
    )
    text = RUN.replace('file = "folds.{end}"', f"parts = [{parts}]")
    (folder / "RUN.toml").write_text(text)
    code, said = run("audit", folder / "RUN.toml")
    assert code == 1 and f"LEAK: in fold 1 {name(1)}" in said and "of ground" in said


def test_a_fold_without_kilns_ends_with_2(folder: Path) -> None:
    (folder / "folds.csv").write_text(
        "\n".join(["picture,split", *(f"{name(k)},{1 + (k > 2)}" for k in range(6))])
    )
    (folder / "kilns.csv").write_text("lon,lat\n77.3558,28.7354\n")
    (folder / "RUN.toml").write_text(RUN.format(end="csv"))
    code, said = run("audit", folder / "RUN.toml")
    assert code == 2 and "A split with no positives: what fold 1 leaves to learn from" in said
