"""Kilns and land of each part are counted, and a split with no positives is refused."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.errors import InputError  # noqa: E402
from geodata.grid import Grid  # noqa: E402
from geodata.labels.kilns import NO_PLACES, KilnLabels  # noqa: E402
from geodata.obb import Boxes  # noqa: E402
from training.data import Labels  # noqa: E402
from training.folds import Fold  # noqa: E402
from training.parts import check_positives, count_parts, count_scenes  # noqa: E402
from training.split import Split  # noqa: E402

GRID = Grid(CRS.from_epsg(32643), Affine(10, 0, 7e5, 0, -10, 3.1e6), 300, 100)
EAST = Grid(CRS.from_epsg(32643), Affine(10, 0, 7.1e5, 0, -10, 3.1e6), 200, 100)
GRIDS = {"a.tif": GRID, "b.tif": EAST}


def fold(**columns: tuple[int, int]) -> Fold:
    ground = {f"{name}.tif": shapely.box(first, 0, last, 100) for name, (first, last) in columns.items()}
    return Fold(ground, ground)


SPLIT = Split(GRIDS, 20, [fold(a=(0, 120)), fold(a=(120, 300), b=(0, 200))])


def boxes(*places: tuple[str, float]) -> Boxes:
    """One kiln at each (scene, column), in row 50."""
    at = [GRIDS[scene].lonlat(col, 50.0) for scene, col in places]
    n = np.ones(len(at))
    lon, lat = (np.array([float(p[k]) for p in at]) for k in (0, 1))
    return Boxes(lon, lat, 120 * n, 60 * n, 30 * n)


def kilns(*places: tuple[str, float], probability: float = 1.0) -> Labels:
    """Labels of such kilns, all of that probability."""
    some, n = boxes(*places), len(places)
    known = KilnLabels(
        some, np.zeros(n, bool), np.full(n, "unknown", object), probability=np.full(n, probability)
    )
    return Labels(known, NO_PLACES)


def test_what_lies_in_the_gap_is_on_neither_side() -> None:
    found = count_parts(SPLIT, kilns(("a.tif", 50), ("a.tif", 130), ("a.tif", 200), ("b.tif", 5)))
    assert [(p.name, p.held_back.kilns, p.learnt.kilns) for p in found] == [
        ("fold1", 1, 2),  # the kiln at column 130 is within 20 px of the part
        ("fold2", 3, 1),
        ("final", 0, 4),
    ]
    km2 = [(p.held_back.km2, p.learnt.km2) for p in found]
    np.testing.assert_allclose(km2, [(1.2, 3.6), (3.8, 1.0), (0, 5.0)], rtol=2e-3)


def test_scenes_are_counted() -> None:
    found = count_scenes(boxes(("a.tif", 50), ("a.tif", 130), ("b.tif", 5)), GRIDS)
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
        check_positives(count_parts(SPLIT, kilns(*places)))


def test_a_good_split_passes() -> None:
    check_positives(count_parts(SPLIT, kilns(("a.tif", 50), ("a.tif", 200))))


def test_what_is_held_out_for_good_and_borders_are_on_neither_side() -> None:
    split = replace(SPLIT, held_out=fold(b=(0, 100)), borders={"a.tif": 10})
    [*_, final] = count_parts(split, kilns(("a.tif", 5), ("a.tif", 50), ("b.tif", 110), ("b.tif", 150)))
    assert final.learnt.kilns == 2
    assert final.learnt.km2 == pytest.approx(2.8 * 0.8 + 0.8, rel=2e-3)


def test_soft_labels_are_learnt_but_nothing_is_scored_on_them() -> None:
    [first, *_] = count_parts(SPLIT, kilns(("a.tif", 50), ("a.tif", 200), probability=0.6))
    assert (first.held_back.kilns, first.learnt.kilns) == (0, 1)
    [*_, final] = count_parts(SPLIT, kilns(("a.tif", 50), probability=0.01))
    assert final.learnt.kilns == 0
