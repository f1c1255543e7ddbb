"""geodata.labels.check: labels that detections contradict strongly, for a person to look at; knows no models.

Only detections of a model that has not learnt from the place may be asked: `kilnlight train` asks each fold's
net on the fold's own ground.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geodata.errors import InputError
from geodata.files import write_text_atomic
from geodata.grid import Floats, Grid
from geodata.labels.kilns import SAME_KILN_M, KilnLabels
from geodata.near import pairs_within
from geodata.obb import Boxes

FILE = "label_check.csv"
NEAR_M = 100.0
SURE = 0.9
LONGER = 1.4
"""Boxes less long than this times their width have no angle that could be wrong."""
TURNED_DEG = 60.0
NOT_FOUND, TURNED, UNLABELLED = "not found", "turned", "no label"


@dataclass(frozen=True)
class Contradiction:
    """One label, or place without one, that a person should look at."""

    label: str
    """The label's id; empty where there is none."""
    scene: str
    col: int
    row: int
    """Pixel of the scene."""
    what: str
    """`not found` (a label with nothing near it), `turned` (by more than 60 degrees) or `no label`."""
    score: float
    """Of the detection; 0 where there is none."""


def contradictions(
    labels: KilnLabels, asked: NDArray[np.bool_], found: Boxes, scores: Floats, scene: tuple[str, Grid]
) -> list[Contradiction]:
    """Compare labels with the detections on a part of a scene.

    Args:
        labels: all of them, soft ones too: nothing near any of these is without a label.
        asked: those that the part holds and shows; of these the sure ones are compared.
        found: detections on the part, down to the model's candidate floor.
        scores: theirs, 0 to 1.
        scene: its name and grid.
    """
    name, grid = scene
    places = (labels.boxes.lon, labels.boxes.lat)
    box, label, distance = pairs_within((found.lon, found.lat), places, NEAR_M)

    def one(label_id: str, lon: float, lat: float, what: str, score: float) -> Contradiction:
        col, row = (int(v) for v in grid.pixel(lon, lat))
        return Contradiction(label_id, name, col, row, what, round(float(score), 3))

    out = [
        one(str(labels.label_id[k]), labels.boxes.lon[k], labels.boxes.lat[k], NOT_FOUND, 0)
        for k in np.flatnonzero(asked & labels.sure & ~labels.cut_by_edge)
        if k not in label
    ]
    turn = np.abs((found.angle_deg[box] - labels.boxes.angle_deg[label] + 90) % 180 - 90)
    long = (found.length_m > LONGER * found.width_m)[box] & (
        labels.boxes.length_m > LONGER * labels.boxes.width_m
    )[label]
    sized = (asked & labels.size_known)[label]
    for k in np.flatnonzero((turn > TURNED_DEG) & long & sized & (distance < SAME_KILN_M)):
        place = labels.boxes.lon[label[k]], labels.boxes.lat[label[k]]
        out.append(one(str(labels.label_id[label[k]]), *place, TURNED, scores[box[k]]))
    alone = scores >= SURE
    alone[box] = False
    out += [one("", found.lon[k], found.lat[k], UNLABELLED, scores[k]) for k in np.flatnonzero(alone)]
    return out


def write_contradictions(path: Path, rows: Sequence[Contradiction]) -> None:
    """Write them as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([field.name for field in fields(Contradiction)])
    writer.writerows(astuple(row) for row in rows)
    write_text_atomic(path, out.getvalue())


def read_contradictions(folder: Path) -> list[Contradiction]:
    """All that the folds of a training run found, the kinds one after another, the surest first.

    Raises:
        InputError: no fold there has looked at labels.
    """
    paths = sorted(folder.glob(f"fold*/{FILE}"))
    if not paths:
        raise InputError(
            f"{folder} holds no fold*/{FILE}; give the folder of a `kilnlight train` with folds."
        )
    rows = []
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                at = int(row["col"]), int(row["row"])
                rows.append(Contradiction(row["label"], row["scene"], *at, row["what"], float(row["score"])))
    order = (NOT_FOUND, TURNED, UNLABELLED)
    return sorted(rows, key=lambda row: (order.index(row.what), -row.score, row.label))
