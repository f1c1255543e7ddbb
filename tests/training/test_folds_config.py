"""Run files and folds: what is wrong is said in one sentence."""

import re
from dataclasses import fields

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.errors import InputError  # noqa: E402
from geodata.grid import Grid  # noqa: E402
from training.config import Crops, Fit, Folds, Part, RunConfig, read_config  # noqa: E402
from training.crops import CropOptions  # noqa: E402
from training.example import example  # noqa: E402
from training.fit import FitOptions  # noqa: E402
from training.folds import folds_of  # noqa: E402

GRID = Grid(CRS.from_epsg(32643), Affine(10, 0, 7e5, 0, -10, 3.1e6), 300, 100)
GRIDS = {"a.tif": GRID, "b.tif": GRID}


def parts(*folds: tuple[Part, ...]) -> Folds:
    return Folds(gap_px=20, parts=folds)


def test_a_cut_scene_keeps_a_gap_on_both_sides_and_nothing_is_in_two_folds():
    west, east = Part(scene="a.tif", columns=(0, 120)), Part(scene="a.tif", columns=(120, 999))
    first, second = folds_of(parts((west,), (east, Part(scene="b.tif"))), GRIDS)
    held = [f.held_back("a.tif", GRIDS["a.tif"], 20) for f in (first, second)]
    assert held[0][:, :140].all() and not held[0][:, 140:].any()
    assert held[1][:, 100:].all() and not held[1][:, :100].any()
    lon, lat = GRIDS["a.tif"].lonlat(np.arange(300) + 0.5, np.full(300, 50.0))
    owned = [f.owns("a.tif", GRIDS["a.tif"], lon, lat) for f in (first, second)]
    assert (owned[0] ^ owned[1]).all() and owned[0].sum() == 120
    assert first.share("a.tif", GRIDS["a.tif"]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("folds", "said"),
    [
        (parts((Part(scene="c.tif"),), (Part(scene="a.tif"),)), "c.tif"),
        (parts((Part(scene="a.tif"),), (Part(scene="a.tif", columns=(10, 20)),)), "twice"),
        (parts((Part(scene="a.tif", columns=(300, 310)),), (Part(scene="b.tif"),)), "empty"),
        (parts((Part(scene="a.tif"), Part(scene="b.tif"))), "Fold 1 holds everything back"),
    ],
)
def test_folds_that_cannot_be_are_refused(folds, said):
    with pytest.raises(InputError, match=said):
        folds_of(folds, GRIDS)


def test_the_example_is_a_run_file_with_every_setting(tmp_path):
    path = tmp_path / "RUN.toml"
    path.write_text(example())
    config = read_config(path)
    assert config.fit.steps > 0 and len(config.folds.parts) == 2
    # with the # of every setting taken away it is still one, and then nothing is left to its default
    path.write_text(re.sub(r"^# (?!file)(?=[a-z_]+ = )", "", example(), flags=re.MULTILINE))
    whole = read_config(path)
    assert len(whole.stages) == 1 and whole.stages[0].crops.zoom_min == 0.5 and not config.stages
    for section in set(RunConfig.model_fields) - {"stages"}:
        settings = getattr(whole, section)
        # a file of folds stands in place of the parts
        assert settings.model_fields_set == set(type(settings).model_fields) - {"file"}
    assert '# file = "folds.geojson"' in example() and whole.data.land == {"city.tif": "city"}
    # what stands behind a # is what holds without it
    assert whole.crops == config.crops and whole.model == config.model
    hints = {"band_names": None, "land": {}}
    assert whole.data.model_copy(update=hints) == config.data
    assert whole.fit.model_copy(update={"final_steps": None}) == config.fit


def test_the_run_files_settings_are_those_of_the_code():
    """Two lists, since the run file is read without torch; one line each."""
    crops = {f.name: f.default for f in fields(CropOptions)}
    assert {n: f.default for n, f in Crops.model_fields.items()} == crops
    fit = {f.name: f.default for f in fields(FitOptions) if f.name not in ("threads", "device", "precision")}
    of_the_file = {n: f.default for n, f in Fit.model_fields.items()}
    assert {n: of_the_file[n] for n in fit} == fit
    assert set(of_the_file) - set(fit) == {"final_steps", "nets", "precision"}


@pytest.mark.parametrize(
    "crops",
    [
        "gain = -0.1",
        "zoom_near = 0.9",
        "blank_share = 1.5",
        "size_px = 100",
        "stretch = 1.0",
        "zoom_min = 1.5",
        "kiln_share = 0.8",
    ],
)
def test_crops_out_of_range_are_refused_with_the_setting(tmp_path, crops):
    path = tmp_path / "RUN.toml"
    path.write_text(f"[data]\nscenes=['a']\nlabels='b'\n[model]\nname='x'\n[crops]\n{crops}")
    with pytest.raises(InputError, match=f"wrong settings: crops.*{crops.split()[0]}") as refused:
        read_config(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[data", "TOML"),
        ("[data]\nscenes=['a']\nlabels='b'\nwat=1\n[model]\nname='x'", "data.wat is not known"),
        ("", "data is missing; model is missing"),
        ("[data]\nscenes=['a']\nlabels='b'\n[model]\nname='x'\nmonths=[0]", "model.months.0 = 0"),
        ("[data]\nscenes=['a']\nlabels='b'\n[model]\nname='x'\narea=[[1,1],[2,2]]", "area has to be a ring"),
        (
            "[data]\nscenes=['a']\nlabels='b'\n[model]\nname='x'\narea=[[0,0],[1,1],[1,0],[0,1]]",
            "does not cross itself",
        ),
        (
            "[data]\nscenes=['a']\nlabels='b'\n[model]\nname='x'\n[[stages]]\nsteps=0\ncrops={haze_chance=2}",
            "stages.0.steps = 0.*; stages.0.crops.haze_chance = 2",
        ),
        (
            "[data]\nscenes=['a']\nlabels='b'\n[model]\nname='x'\n[fit]\nsteps=-3\nbatch='x'",
            "fit.steps = -3.*; fit.batch",
        ),
    ],
)
def test_a_wrong_run_file_is_named_with_its_setting(tmp_path, text, said):
    path = tmp_path / "RUN.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_config(path)
