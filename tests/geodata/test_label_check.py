"""Labels that detections contradict are listed by id, places without a label by their pixel."""

from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.labels.check import FILE, contradictions, read_contradictions, write_contradictions
from geodata.labels.kilns import KilnLabels
from geodata.obb import Boxes

GRID = Grid(CRS.from_epsg(32643), Affine(10, 0, 700_000, 0, -10, 3_180_000), 300, 200)


def boxes(*rows: tuple[float, float, float, float, float]) -> Boxes:
    col, row, *rest = np.array(rows, np.float64).reshape(-1, 5).T
    return Boxes(*GRID.lonlat(col, row), *rest)


def test_missing_turned_and_unlabelled_kilns_are_told_and_others_are_not(tmp_path: Path) -> None:
    known = boxes(
        (20, 20, 120, 60, 10),  # found
        (60, 20, 120, 60, 10),  # not found
        (100, 20, 120, 60, 10),  # found, but turned
        (140, 20, 70, 60, 10),  # turned, but almost square
        (180, 20, 120, 60, 10),  # not found, but in another fold
        (220, 20, 120, 60, 10),  # not found, but soft
    )
    labels = KilnLabels(
        known,
        np.zeros(6, bool),
        np.full(6, "unknown", object),
        np.array([1, 1, 1, 1, 1, 0.5]),
        label_id=np.array(list("abcdef"), object),
    )
    found = boxes(
        (21, 20, 120, 60, 15),
        (100, 21, 120, 60, 95),
        (140, 20, 120, 60, 100),
        (20, 150, 120, 60, 0),  # nothing known there
        (60, 150, 120, 60, 0),  # nor there, but not sure
    )
    scores = np.array([0.9, 0.95, 0.9, 0.97, 0.6])
    asked = np.array([1, 1, 1, 1, 0, 1], bool)
    rows = contradictions(labels, asked, found, scores, ("s.tif", GRID))
    assert [(r.label, r.what, r.score) for r in rows] == [
        ("b", "not found", 0),
        ("c", "turned", 0.95),
        ("", "no label", 0.97),
    ]
    assert (rows[2].col, rows[2].row) == (pytest.approx(20, abs=1), pytest.approx(150, abs=1))
    for fold in (1, 2):
        (tmp_path / f"fold{fold}").mkdir()
        write_contradictions(tmp_path / f"fold{fold}" / FILE, rows[fold - 1 : fold + 1])
    assert read_contradictions(tmp_path) == [rows[0], rows[1], rows[1], rows[2]]
    with pytest.raises(InputError, match="give the folder of a `kilnlight train` with folds"):
        read_contradictions(tmp_path / "fold1")
