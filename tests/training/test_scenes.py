"""What is learnt from a scene, and what is not: unverified places, held-back land, pixels without data."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.labels.kilns import KilnLabels, Places  # noqa: E402
from geodata.obb import Boxes  # noqa: E402
from geodata.painter import PaintedScene, paint_scene  # noqa: E402
from geodata.painter.write import write_scene  # noqa: E402
from geodata.sources.files import open_scene  # noqa: E402
from training.false_alarms import FalseAlarmMemory  # noqa: E402
from training.scenes import Lesson, TrainingScene, load  # noqa: E402

SIDE = 128


@pytest.fixture(scope="module")
def painted() -> PaintedScene:
    whole = paint_scene(5, SIDE, SIDE, n_kilns=0)
    pixels = whole.pixels.copy()
    pixels[:, :, -10:] = 0  # nodata
    return replace(whole, pixels=pixels)


def kilns_at(painted: PaintedScene, *places: tuple[float, float]) -> Boxes:
    col, row = np.array(places, np.float64).T
    n = np.ones(len(places))
    return Boxes(*painted.grid.lonlat(col, row), 120 * n, 60 * n, 30 * n)


def loaded(painted: PaintedScene, folder: Path, kilns: Boxes, **more: object) -> TrainingScene:
    n = len(kilns)
    labels = KilnLabels(kilns, np.zeros(n, bool), np.full(n, "unknown", object))
    places = {name: more.pop(name) for name in ("negatives", "ignored") if name in more}
    with open_scene(write_scene(painted, folder / "a.tif")) as scene:
        return load(scene, Lesson(labels, **places), **more)  # type: ignore[arg-type]


def test_nothing_is_learnt_within_80_m_of_an_unverified_place(painted: PaintedScene, tmp_path: Path) -> None:
    lon, lat = painted.grid.lonlat(np.array([40.0]), np.array([60.0]))
    got = loaded(painted, tmp_path, kilns_at(painted, (90, 90)), ignored=Places(lon, lat))
    row, col = np.indices((SIDE, SIDE)) + 0.5
    far_m = 10 * np.hypot(col - 40, row - 60)
    seen = col < SIDE - 10
    assert not got.weight[(far_m < 79)].any() and got.weight[(far_m > 81) & seen].all()


def test_pixels_without_data_and_kilns_on_them_or_outside_are_left_out(
    painted: PaintedScene, tmp_path: Path
) -> None:
    got = loaded(painted, tmp_path, kilns_at(painted, (20, 30), (122, 30), (-5, 30), (30, SIDE + 4)))
    assert got.kilns.col == pytest.approx([20]) and got.kilns.row == pytest.approx([30])
    assert not got.weight[:, -10:].any() and got.weight[:, :-10].all()


def test_held_back_land_is_not_learnt_but_still_seen_as_surroundings(
    painted: PaintedScene, tmp_path: Path
) -> None:
    kilns = kilns_at(painted, (20, 30), (90, 30))
    held = np.zeros((SIDE, SIDE), dtype=bool)
    held[:, 64:] = True
    whole, part = (loaded(painted, tmp_path, kilns, held_back=mask) for mask in (None, held))
    assert len(whole.kilns.col) == 2 and part.kilns.col == pytest.approx([20])
    assert not part.weight[:, 64:].any() and part.weight[:, :64].all()
    np.testing.assert_array_equal(part.pixels, whole.pixels)


def test_nothing_is_learnt_at_the_border_of_a_tile_that_cuts_kilns(
    painted: PaintedScene, tmp_path: Path
) -> None:
    got = loaded(painted, tmp_path, kilns_at(painted, (20, 5), (20, 30)), border_px=8)
    assert got.kilns.row == pytest.approx([30])
    assert not got.weight[:8].any() and not got.weight[-8:].any() and not got.weight[:, :8].any()
    assert got.weight[8:-8, 8 : SIDE - 10].all()


def test_places_known_to_be_none_are_shown_like_false_alarms(painted: PaintedScene, tmp_path: Path) -> None:
    lon, lat = painted.grid.lonlat(np.array([40.0, 500.0]), np.array([60.0, 60.0]))
    got = loaded(painted, tmp_path, kilns_at(painted, (90, 90)), negatives=Places(lon, lat))
    np.testing.assert_allclose(got.negatives, [[40, 60]], atol=1e-3)
    assert got.weight[60, 40] == 1
    drawn = FalseAlarmMemory.empty([got]).draw(np.random.default_rng(0))
    assert drawn == (0, 48, 48)
