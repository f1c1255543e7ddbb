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
from numpy.typing import NDArray

from geodata.errors import InputError
from geodata.files import ensure_output_folder, write_text_atomic
from geodata.grid import Floats
from geodata.labels.forms import Read, ReadOptions, refuse
from geodata.labels.kilns import CLASSES, SAME_KILN_M, KilnLabels
from geodata.labels.pictures import Picture
from geodata.labels.yolo_obb import Row, RowError, format_row, parse_row
from geodata.near import pairs_within
from geodata.obb import Boxes, from_corners


def read_yolo(
    folder: Path,
    pictures: Sequence[Picture],
    options: ReadOptions | None = None,
    broken: Sequence[Path] = (),
) -> Read:
    """Kilns of the label files of pictures.

    Args:
        folder: holds `labels/*.txt` or `*.txt`; a picture without a file has no kiln.
        pictures: the pictures with their places.
        options: classes, frame, and whether broken lines are skipped.
        broken: pictures that do not open, whose label files are passed over.

    Raises:
        ProblemsError: broken lines and label files without a picture, unless the options skip them.
        InputError: no label file at all.
    """
    options = options or ReadOptions()
    inner = folder / "labels"
    where = inner if inner.is_dir() else folder
    files = {path.stem: path for path in sorted(where.glob("*.txt"))}
    if not files:
        raise InputError(f"{where} holds no label file (*.txt); give the folder with the labels.")
    known = {picture.path.stem for picture in pictures} | {path.stem for path in broken}
    problems = [f"{path} has no picture of its name." for stem, path in files.items() if stem not in known]
    found: list[_Line] = []
    for picture in pictures:
        if picture.path.stem in files:
            lines, wrong = _lines(files[picture.path.stem], picture, options)
            found += lines
            problems += wrong
    refuse(problems, len(found), options)
    boxes = from_corners(np.array([line.corners for line in found]).reshape(-1, 4, 2))
    labels = KilnLabels(
        boxes,
        np.zeros(len(boxes), np.bool_),
        np.array([line.kiln_class for line in found], dtype=np.object_),
        np.array([line.probability for line in found]),
        label_id=np.array([line.name for line in found], dtype=np.object_),
    )
    kept = _joined(boxes, np.array([line.depth_px for line in found]))
    return Read(labels.take(kept), len(found), tuple(problems))


def write_yolo(
    folder: Path, labels: KilnLabels, pictures: Sequence[Picture], classes: Sequence[str] = CLASSES
) -> tuple[int, NDArray[np.bool_]]:
    """Write `labels/*.txt`, one file for each picture, empty where it holds no kiln.

    Places without a kiln (probability 0) and those that nobody knows get no line: YOLO has none for them. Nor
    does a kiln that lies whole in no picture.

    Returns:
        The lines, and for each label (n,) whether it has one or more.

    Raises:
        InputError: for a class that has no number, or where no kiln lies whole in a picture.
    """
    written, asked = np.zeros(len(labels), np.bool_), np.flatnonzero(labels.probability > 0)
    labels = labels.take(asked)
    wrong = sorted(set(labels.kiln_class) - set(classes))
    if wrong:
        raise InputError(
            f"The class {wrong[0]} has no number; name all classes in order, for example "
            f"--classes {','.join([*classes, wrong[0]])}."
        )
    shown = [_whole(labels.boxes, picture) for picture in pictures]
    for whole, _ in shown:
        written[asked[whole]] = True
    if len(labels) and not written.any():
        raise InputError(
            f"None of {len(labels)} kilns lies whole in one of {len(pictures)} pictures; give pictures of "
            "the same land."
        )
    ensure_output_folder(folder / "labels")
    for picture, (whole, shares) in zip(pictures, shown, strict=True):
        lines = [
            format_row(Row(str(labels.kiln_class[k]), share, float(labels.probability[k])), classes)
            for k, share in zip(whole, shares, strict=True)
        ]
        write_text_atomic(folder / "labels" / f"{picture.path.stem}.txt", "".join(f"{x}\n" for x in lines))
    return sum(len(whole) for whole, _ in shown), written


def _whole(boxes: Boxes, picture: Picture) -> tuple[NDArray[np.intp], Floats]:
    """The kilns (k,) that a picture shows whole, and their corners (k, 4, 2) in shares of its sides."""
    ground = boxes.corners()
    col, row = picture.grid.pixel(ground[..., 0], ground[..., 1])
    shares = np.stack([col, row], -1) / _frame(picture, None)
    whole = np.flatnonzero(np.all((shares >= 0) & (shares <= 1), axis=(1, 2)))
    return whole, shares[whole]


@dataclass(frozen=True)
class _Line:
    """A line on the ground: corners (4, 2) in lon and lat, and how far from the picture's border it lies."""

    name: str
    kiln_class: str
    corners: Floats
    probability: float
    depth_px: float


def _lines(path: Path, picture: Picture, options: ReadOptions) -> tuple[list[_Line], list[str]]:
    lines, problems = [], []
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not text.strip():
            continue
        try:
            row = parse_row(text, options.classes)
        except RowError as error:
            problems.append(f"{path}, line {number}: {error}.")
            continue
        pixels = row.corners * _frame(picture, options.frame_px)
        corners = np.stack(picture.grid.lonlat(pixels[:, 0], pixels[:, 1]), -1)
        name = f"{path.stem}:{number}"
        lines.append(_Line(name, row.kiln_class, corners, row.probability, _depth_px(pixels, picture)))
    return lines, problems


def _frame(picture: Picture, frame_px: int | None) -> Floats:
    return np.array([frame_px or picture.grid.width, frame_px or picture.grid.height], dtype=np.float64)


def _depth_px(corners: Floats, picture: Picture) -> float:
    """How far from the picture's border the centre lies."""
    centre = corners.mean(axis=0)
    return float(min(*centre, *(np.array([picture.grid.width, picture.grid.height]) - centre)))


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
