"""Kilns and land of each part are counted, and a split with no positives is refused."""

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.errors import InputError  # noqa: E402
from geodata.grid import Grid  # noqa: E402
from geodata.obb import Boxes  # noqa: E402
from training.folds import Fold  # noqa: E402
from training.parts import check_positives, count_parts, count_scenes  # noqa: E402

GRID = Grid(CRS.from_epsg(32643), Affine(10, 0, 7e5, 0, -10, 3.1e6), 300, 100)
EAST = Grid(CRS.from_epsg(32643), Affine(10, 0, 7.1e5, 0, -10, 3.1e6), 200, 100)
GRIDS = {"a.tif": GRID, "b.tif": EAST}
FOLDS = [Fold({"a.tif": (0, 120)}), Fold({"a.tif": (120, 300), "b.tif": (0, 200)})]


def kilns(*places: tuple[str, float]) -> Boxes:
    """One kiln at each (scene, column), in row 50."""
    at = [GRIDS[scene].lonlat(col, 50.0) for scene, col in places]
    n = np.ones(len(at))
    lon, lat = (np.array([float(p[k]) for p in at]) for k in (0, 1))
    return Boxes(lon, lat, 120 * n, 60 * n, 30 * n)


def test_what_lies_in_the_gap_is_on_neither_side() -> None:
    found = count_parts(FOLDS, kilns(("a.tif", 50), ("a.tif", 130), ("a.tif", 200), ("b.tif", 5)), GRIDS, 20)
    assert [(p.name, p.held_back.kilns, p.learnt.kilns) for p in found] == [
        ("fold1", 1, 2),  # the kiln at column 130 is within 20 px of the part
        ("fold2", 3, 1),
        ("final", 0, 4),
    ]
    km2 = [(p.held_back.km2, p.learnt.km2) for p in found]
    np.testing.assert_allclose(km2, [(1.2, 3.6), (3.8, 1.0), (0, 5.0)], rtol=2e-3)


def test_scenes_are_counted() -> None:
    found = count_scenes(kilns(("a.tif", 50), ("a.tif", 130), ("b.tif", 5)), GRIDS)
    assert {name: side.kilns for name, side in found.items()} == {"a.tif": 2, "b.tif": 1}
    assert found["b.tif"].km2 == pytest.approx(2, rel=2e-3)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ([("a.tif", 50), ("a.tif", 60)], "what fold 1 leaves to learn from .* has no whole kiln"),
        ([("a.tif", 200), ("b.tif", 5)], "fold 1 holds back 1 km² without a whole kiln"),
        ([], "with no positives"),
    ],
)
def test_a_split_with_no_positives_is_refused(places: list[tuple[str, float]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_positives(count_parts(FOLDS, kilns(*places), GRIDS, 20))


def test_a_good_split_passes() -> None:
    check_positives(count_parts(FOLDS, kilns(("a.tif", 50), ("a.tif", 200)), GRIDS, 20))
