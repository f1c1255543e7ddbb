"""Folds of ground: what one holds back is held back in every scene that shows it, with its gap."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import CRS

from geodata.errors import InputError
from geodata.grid import Grid, metres_per_degree
from geodata.labels.kilns import NO_PLACES, KilnLabels
from geodata.labels.split_files import write_ground, write_splits
from geodata.obb import Boxes
from geodata.tile_names import grid_of_name
from training.config import Folds
from training.data import Labels
from training.folds import everything, folds_of, held_out_of
from training.parts import check_positives, count_parts
from training.split import Split

STEP = 8.983152841195214e-05
ONE = Grid(CRS.from_epsg(4326), Affine(STEP, 0, 77.2, 0, -STEP, 28.6), 300, 200)
UTM = Grid(CRS.from_epsg(32643), Affine(10, 0, 715_000, 0, -10, 3_165_500), 300, 200)
GRIDS = {"one.tif": ONE, "utm.tif": UTM}
GAP_PX = 12


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """Two folds, west and east of a meridian that both scenes show, and land beyond for a later test."""
    ground = {"1": shapely.box(77, 28, 77.212, 29), "2": shapely.box(77.212, 28, 77.222, 29)}
    write_ground(tmp_path / "folds.geojson", ground | {"val": shapely.box(77.222, 28, 78, 29)})
    return tmp_path


def centres(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    col, row = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    return grid.lonlat(col.ravel(), row.ravel())


@pytest.mark.parametrize("name", GRIDS)
def test_a_fold_owns_its_ground_and_holds_back_a_gap_around_it_in_every_crs(halves: Path, name: str) -> None:
    config, grid = Folds(gap_px=GAP_PX, file="folds.geojson"), GRIDS[name]
    folds, held_out = folds_of(config, GRIDS, halves), held_out_of(config, GRIDS, halves)
    lon, lat = centres(grid)
    west, between, east = lon < 77.212, (lon >= 77.212) & (lon < 77.222), lon >= 77.222
    assert len(folds) == 2 and all(part.any() for part in (west, between, east))
    np.testing.assert_array_equal(folds[0].owns(name, grid, lon, lat), west)
    np.testing.assert_array_equal(folds[1].owns(name, grid, lon, lat), between)
    assert folds[0].share(name, grid) == pytest.approx(west.mean(), abs=0.01)
    held = folds[0].held_back(name, grid, GAP_PX).ravel()
    away_px = (lon - 77.212) * float(metres_per_degree(28.59)[0]) / grid.pixel_size_m()[0]
    assert held[away_px < GAP_PX - 1].all() and not held[away_px > GAP_PX + 1].any()
    for_good = held_out.held_back(name, grid, GAP_PX).ravel()
    assert for_good[east].all() and not for_good[west].any()
    rest = everything(GRIDS, held_out)
    np.testing.assert_array_equal(rest.owns(name, grid, lon, lat), ~east)


def test_pictures_of_another_fold_do_not_teach_the_ground_they_share(tmp_path: Path) -> None:
    names = [f"28.7354_{77.3558 + k * 38 * STEP:.4f}.png" for k in range(4)]
    grids = {name: grid for name in names if (grid := grid_of_name(Path(name), 128, 128))}
    write_splits(tmp_path / "folds.csv", dict(zip(names, ("1", "2", "val", "unused"), strict=True)))
    config = Folds(gap_px=5, file="folds.csv")
    first, second = folds_of(config, grids, tmp_path, dict.fromkeys(names, 8))
    held = first.held_back(names[1], grids[names[1]], 5)
    # they share 90 columns; of the rest five are the gap
    assert held[:, :95].all() and not held[:, 96:].any()
    lon, lat = centres(grids[names[1]])
    mine = second.owns(names[1], grids[names[1]], lon, lat).reshape(128, 128)
    assert mine[8:-8, 8:-8].all() and mine.sum() == 112**2
    held_out = held_out_of(config, grids, tmp_path)
    assert held_out.held_back(names[2], grids[names[2]], 5).all()
    assert held_out.held_back(names[3], grids[names[3]], 5).all()
    assert not held_out.held_back(names[0], grids[names[0]], 5)[:, :40].any()


def kiln_at(lon: float, lat: float) -> KilnLabels:
    boxes = Boxes(*(np.array([v]) for v in (lon, lat, 120.0, 60.0, 0.0)))
    return KilnLabels(boxes, np.zeros(1, bool), np.full(1, "unknown", object))


def test_folds_without_kilns_without_land_or_that_overlap_are_refused(halves: Path) -> None:
    config = Folds(gap_px=GAP_PX, file="folds.geojson")
    folds = folds_of(config, GRIDS, halves)
    labels = Labels(kiln_at(77.205, 28.59), NO_PLACES)
    [first, second, final] = count_parts(
        Split(GRIDS, GAP_PX, folds, held_out_of(config, GRIDS, halves)), labels
    )
    assert (first.held_back.kilns, first.learnt.kilns) == (1, 0)  # both scenes show it: it counts once
    assert (second.held_back.kilns, second.learnt.kilns, final.learnt.kilns) == (0, 1, 1)
    with pytest.raises(InputError, match=r"fold 2 holds back .* without a whole kiln"):
        check_positives([second])
    write_ground(
        halves / "far.geojson", {"1": shapely.box(10, 10, 11, 11), "2": shapely.box(77, 28, 77.21, 29)}
    )
    with pytest.raises(InputError, match="Fold 1 holds back no ground"):
        folds_of(Folds(file="far.geojson"), GRIDS, halves)
    write_ground(halves / "all.geojson", {"1": shapely.box(77, 28, 78, 29)})
    with pytest.raises(InputError, match="Fold 1 holds everything back"):
        folds_of(Folds(file="all.geojson"), GRIDS, halves)
    west, east = shapely.box(77, 28, 77.22, 29), shapely.box(77.21, 28, 78, 29)
    write_ground(halves / "twice.geojson", {"1": west, "2": east})
    with pytest.raises(InputError, match="holds ground back twice, in 1 and in 2"):
        folds_of(Folds(file="twice.geojson"), GRIDS, halves)
    write_splits(halves / "names.csv", {"three.tif": "1"})
    with pytest.raises(InputError, match=r"names three\.tif .*which is not there"):
        folds_of(Folds(file="names.csv"), GRIDS, halves)
    with pytest.raises(ValueError, match="not both"):
        Folds.model_validate({"file": "a.geojson", "parts": [[{"scene": "a"}]]})
