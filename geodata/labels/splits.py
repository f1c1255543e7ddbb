"""geodata.labels.splits: which pictures teach and which score, by place; knows nothing of pixels.

Published tiles overlap and kilns stand in clusters, so that a split at random puts the same ground into both
halves. Here whole blocks of land are held back, and what lies within a gap of them is used for neither.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.errors import InputError
from geodata.files import write_text_atomic
from geodata.grid import metres_per_degree
from geodata.labels.pictures import Picture
from geodata.tiles import footprint

TRAIN, VAL, UNUSED = "train", "val", "unused"
Splits = Mapping[str, str]
"""File name of a picture -> the name of its split."""


@dataclass(frozen=True)
class Blocks:
    """How land is parted."""

    block_m: float = 5000.0
    gap_m: float = 1300.0
    """About one published tile."""
    share: float = 0.2
    """Of the pictures, held back; blocks are taken whole, so it is met only roughly."""
    seed: int = 0


def split_by_blocks(pictures: Sequence[Picture], how: Blocks) -> dict[str, str]:
    """Hold back blocks of land drawn by chance until their pictures are the wanted share.

    Returns `val` for pictures whose centre lies in a block that is held back, `unused` for others within
    `gap_m` of one of them, and `train` for the rest.

    Raises:
        InputError: if no picture is left on one of the sides.
    """
    lon, lat = _centres(pictures)
    east, north = metres_per_degree(lat.mean())
    cells = np.stack([np.floor(lon * east / how.block_m), np.floor(lat * north / how.block_m)], -1)
    blocks, block = np.unique(cells, axis=0, return_inverse=True)
    held = np.zeros(len(pictures), np.bool_)
    for k in np.random.default_rng(how.seed).permutation(len(blocks)):
        if held.sum() >= how.share * len(pictures):
            break
        held |= block.ravel() == k
    return _named(pictures, held, how.gap_m)


def split_by_box(
    pictures: Sequence[Picture], box: tuple[float, float, float, float], gap_m: float
) -> dict[str, str]:
    """Hold back a region: west, south, east, north in degrees. Otherwise as `split_by_blocks`."""
    lon, lat = _centres(pictures)
    west, south, east, north = box
    return _named(pictures, (lon >= west) & (lon < east) & (lat >= south) & (lat < north), gap_m)


def _named(pictures: Sequence[Picture], held: NDArray[np.bool_], gap_m: float) -> dict[str, str]:
    near = np.zeros(len(pictures), np.bool_)
    one, other = close_pictures(pictures, gap_m)
    near[one[held[other]]] = True
    names = np.where(held, VAL, np.where(near, UNUSED, TRAIN))
    for side in (TRAIN, VAL):
        if side not in names:
            raise InputError(
                f"No picture is left for {side} ({int(held.sum())} of {len(pictures)} are held back, others "
                "lie too near to them); take smaller blocks, a smaller gap or more land."
            )
    return {picture.path.name: str(name) for picture, name in zip(pictures, names, strict=True)}


def close_pictures(pictures: Sequence[Picture], gap_m: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs (both ways) of pictures whose extents in degrees come within `gap_m`; with 0, that overlap."""
    bounds = np.array([footprint(picture.grid).bounds for picture in pictures])
    east, north = metres_per_degree(bounds[:, [1, 3]].mean(axis=1))
    reach = np.stack([gap_m / east, gap_m / north], -1) if gap_m else np.full((len(bounds), 2), -1e-9)
    wide = shapely.box(
        bounds[:, 0] - reach[:, 0],
        bounds[:, 1] - reach[:, 1],
        bounds[:, 2] + reach[:, 0],
        bounds[:, 3] + reach[:, 1],
    )
    one, other = shapely.STRtree(shapely.box(*bounds.T)).query(wide, predicate="intersects")
    apart = one != other
    return one[apart], other[apart]


def _centres(pictures: Sequence[Picture]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    places = [p.grid.lonlat(p.grid.width / 2, p.grid.height / 2) for p in pictures]
    lon, lat = np.array(places, dtype=np.float64).reshape(-1, 2).T
    return lon, lat


def write_splits(path: Path, splits: Splits) -> None:
    """Write a CSV with the columns `picture` and `split`."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([("picture", "split"), *sorted(splits.items())])
    write_text_atomic(path, out.getvalue())


def read_splits(path: Path) -> dict[str, str]:
    """Read such a file.

    Raises:
        InputError: no such file or columns, or a picture that is named twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read ({error}); give a CSV with picture and split.") from error
    if not rows or not {"picture", "split"} <= set(rows[0]):
        raise InputError(f"{path} has no rows with picture and split; `kilnlight labels split` writes them.")
    out: dict[str, str] = {}
    for number, row in enumerate(rows, 2):
        if row["picture"] in out:
            raise InputError(f"{path}, line {number}, names {row['picture']} again; leave one line for it.")
        out[row["picture"]] = (row["split"] or "").strip()
    return out
