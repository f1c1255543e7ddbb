"""geodata.labels.yolo_folder: folders of YOLO-OBB text files beside pictures <-> kilns on the ground.

Plain YOLO-OBB over georeferenced pictures, and the published SentinelKilnDB form (tiles named by their
place). What is known to be wrong with the latter, and what is done about it:

- tiles overlap, so one kiln has a line in several: lines within 45 m are joined, the one farthest from its
  tile's border stays;
- a kiln that the border cuts has no line: none is written for it either;
- some label files count in 129 px, not 128: `frame_px`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geodata.errors import InputError, ProblemsError
from geodata.files import ensure_output_folder, write_text_atomic
from geodata.grid import Floats
from geodata.labels.kilns import KilnLabels
from geodata.labels.pictures import Picture
from geodata.labels.yolo_obb import Row, RowError, format_row, parse_row
from geodata.near import pairs_within
from geodata.obb import Boxes, from_corners

CLASSES = ("CFCBK", "FCBK", "Zigzag")
"""Those of SentinelKilnDB, in its order."""
SAME_KILN_M = 45.0


@dataclass(frozen=True)
class Read:
    """What a folder held."""

    labels: KilnLabels
    lines: int
    """Lines that were read; more than there are kilns where tiles overlap."""
    problems: tuple[str, ...]
    """Each broken line, with its file and number."""


def read_yolo(
    folder: Path,
    pictures: Sequence[Picture],
    classes: Sequence[str] = CLASSES,
    frame_px: int | None = None,
    skip_bad: bool = False,
) -> Read:
    """Kilns of the label files of pictures.

    Args:
        folder: holds `labels/*.txt` or `*.txt`; a picture without a file has no kiln.
        pictures: the pictures with their places.
        classes: names of the class numbers.
        frame_px: side that the shares count in, if it is not the picture's own.
        skip_bad: read the good lines where others are broken.

    Raises:
        ProblemsError: every broken line and every label file without a picture, unless `skip_bad`.
        InputError: no label file at all.
    """
    inner = folder / "labels"
    where = inner if inner.is_dir() else folder
    files = {path.stem: path for path in sorted(where.glob("*.txt"))}
    if not files:
        raise InputError(f"{where} holds no label file (*.txt); give the folder with the labels.")
    known = {picture.path.stem for picture in pictures}
    problems = [f"{path} has no picture of its name." for stem, path in files.items() if stem not in known]
    corners, names, depth = [np.empty((0, 4, 2))], [], [np.empty(0)]
    for picture in pictures:
        if picture.path.stem not in files:
            continue
        rows, wrong = _rows(files[picture.path.stem], classes)
        problems += wrong
        if rows:
            pixels = np.stack([row.corners for row in rows]) * _frame(picture, frame_px)
            corners.append(np.stack(picture.grid.lonlat(pixels[..., 0], pixels[..., 1]), -1))
            names += [row.kiln_class for row in rows]
            depth.append(_depth_px(pixels.mean(axis=1), picture))
    if problems and not skip_bad:
        raise ProblemsError([*problems, "Mend these lines, or take the good ones with --skip-bad."])
    boxes = from_corners(np.concatenate(corners))
    kept = _joined(boxes, np.concatenate(depth))
    labels = KilnLabels(boxes, np.zeros(len(boxes), np.bool_), np.array(names, dtype=np.object_))
    return Read(labels.take(kept), len(boxes), tuple(problems))


def write_yolo(
    folder: Path, labels: KilnLabels, pictures: Sequence[Picture], classes: Sequence[str] = CLASSES
) -> int:
    """Write `labels/*.txt`, one file for each picture, empty where it holds no kiln; returns the lines.

    Raises:
        InputError: for a class that has no number.
    """
    wrong = sorted(set(labels.kiln_class) - set(classes))
    if wrong:
        raise InputError(
            f"The class {wrong[0]} has no number; name all classes in order, for example "
            f"--classes {','.join([*classes, wrong[0]])}."
        )
    ensure_output_folder(folder / "labels")
    count, ground = 0, labels.boxes.corners()
    for picture in pictures:
        col, row = picture.grid.pixel(ground[..., 0], ground[..., 1])
        shares = np.stack([col, row], -1) / _frame(picture, None)
        whole = np.flatnonzero(np.all((shares >= 0) & (shares <= 1), axis=(1, 2)))
        lines = [format_row(Row(str(labels.kiln_class[k]), shares[k]), classes) for k in whole]
        count += len(lines)
        write_text_atomic(folder / "labels" / f"{picture.path.stem}.txt", "".join(f"{x}\n" for x in lines))
    return count


def _rows(path: Path, classes: Sequence[str]) -> tuple[list[Row], list[str]]:
    rows, problems = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if line.strip():
            try:
                rows.append(parse_row(line, classes))
            except RowError as error:
                problems.append(f"{path}, line {number}: {error}.")
    return rows, problems


def _frame(picture: Picture, frame_px: int | None) -> Floats:
    return np.array([frame_px or picture.grid.width, frame_px or picture.grid.height], dtype=np.float64)


def _depth_px(centres: Floats, picture: Picture) -> Floats:
    """How far from the picture's border each centre lies."""
    size = np.array([picture.grid.width, picture.grid.height])
    return np.asarray(np.minimum(centres, size - centres).min(axis=1))


def _joined(boxes: Boxes, depth_px: Floats) -> np.ndarray:
    """Indices of the boxes that stay, in their order: of those within `SAME_KILN_M` the deepest."""
    one, other, _ = pairs_within((boxes.lon, boxes.lat), (boxes.lon, boxes.lat), SAME_KILN_M)
    near: dict[int, list[int]] = {}
    for a, b in zip(one, other, strict=True):
        near.setdefault(int(a), []).append(int(b))
    gone: set[int] = set()
    for k in np.argsort(-depth_px, kind="stable"):
        if int(k) not in gone:
            gone.update(b for b in near[int(k)] if b != int(k))
    return np.array([k for k in range(len(boxes)) if k not in gone], dtype=np.intp)
