"""geodata.labels.splits: which pictures, or which ground, teach and which score; knows nothing of pixels.

Published tiles overlap and kilns stand in clusters, so that a split at random puts the same ground into both
halves. Here whole blocks of land are held back (Roberts et al. 2017, Ecography 40:913-929), and what lies
within a gap of them is used for neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.grid import Floats, metres_per_degree
from geodata.labels.pictures import Picture
from geodata.labels.split_files import HELD_OUT, TRAIN, UNUSED
from geodata.tiles import footprint


@dataclass(frozen=True)
class Blocks:
    """How land is parted."""

    block_m: float = 5000.0
    gap_m: float = 1300.0
    """About one published tile."""
    share: float = 0.2
    """Of the land, held back; blocks are taken whole, so it is met only roughly."""
    seed: int = 0


@dataclass(frozen=True)
class Cells:
    """The blocks that pictures show, as equally long columns."""

    shapes: NDArray[np.object_]
    """Boxes in degrees, WGS 84."""
    area: Floats
    """Of the pictures' ground in each, square degrees."""
    kilns: NDArray[np.intp]


def cells_of(pictures: Sequence[Picture], lon: Floats, lat: Floats, block_m: float) -> Cells:
    """Blocks of a grid of `block_m` over the pictures' ground, with the kilns at (lon, lat) in each."""
    ground = shapely.union_all([footprint(picture.grid) for picture in pictures])
    west, south, east, north = ground.bounds
    x_m, y_m = (float(v) for v in metres_per_degree((south + north) / 2))
    x, y = block_m / x_m, block_m / y_m
    cols = np.arange(np.floor(west / x), np.floor(east / x) + 1)
    rows = np.arange(np.floor(south / y), np.floor(north / y) + 1)
    col, row = (v.ravel() for v in np.meshgrid(cols, rows))
    shapes = shapely.box(col * x, row * y, (col + 1) * x, (row + 1) * y)
    area = shapely.area(shapely.intersection(shapes, ground))
    kilns = np.array(
        [((np.floor(lon / x) == c) & (np.floor(lat / y) == r)).sum() for c, r in zip(col, row, strict=True)],
        dtype=np.intp,
    )
    # a sliver by rounding is no block
    there = area > 1e-6 * x * y
    return Cells(np.asarray(shapes[there]), area[there], kilns[there])


def blocks_held_out(cells: Cells, share: float, seed: int) -> BaseGeometry:
    """Blocks drawn by chance until their pictures are the wanted share of the ground."""
    order = np.random.default_rng(seed).permutation(len(cells.area))
    before = np.cumsum(cells.area[order]) - cells.area[order]
    return shapely.union_all(cells.shapes[order[before < share * cells.area.sum()]])


def folds_by_blocks(cells: Cells, folds: int, seed: int) -> dict[str, BaseGeometry]:
    """The ground of folds `1` to `folds`, with about equally many kilns, and then equally much land.

    Raises:
        InputError: where fewer blocks than folds hold kilns.
    """
    filled = int((cells.kilns > 0).sum())
    if filled < folds:
        raise InputError(
            f"Only {filled} blocks hold kilns, too few for {folds} folds; take smaller blocks (--block-km) "
            "or fewer folds."
        )
    order = np.random.default_rng(seed).permutation(len(cells.area))
    order = order[np.argsort(-cells.kilns[order], kind="stable")]
    kilns, area, fold = np.zeros(folds), np.zeros(folds), np.zeros(len(order), np.intp)
    for k in order:
        # a block with kilns goes where there are fewest, an empty one where there is least land
        fold[k] = np.lexsort((area, kilns))[0] if cells.kilns[k] else np.argmin(area)
        kilns[fold[k]] += cells.kilns[k]
        area[fold[k]] += cells.area[k]
    return {str(n + 1): shapely.union_all(cells.shapes[fold == n]) for n in range(folds)}


def split_by_ground(
    pictures: Sequence[Picture], ground: Mapping[str, BaseGeometry], gap_m: float
) -> dict[str, str]:
    """Name pictures by the ground that their centres lie in.

    Returns the ground's name, `unused` for pictures elsewhere within `gap_m` of a named one, and `train` for
    the rest. Between pictures of two grounds (folds) no gap is left: a run leaves it when it learns.

    Raises:
        InputError: if no picture is left on one of the sides.
    """
    lon, lat = _centres(pictures)
    names = np.full(len(pictures), TRAIN, dtype=np.object_)
    for name, shape in ground.items():
        names[shapely.intersects_xy(shape, lon, lat)] = name
    held = names != TRAIN
    one, other = close_pictures(pictures, gap_m)
    near = np.zeros(len(pictures), np.bool_)
    near[one[held[other]]] = True
    names[near & ~held] = UNUSED
    wanted = [TRAIN, *ground] if list(ground) == [HELD_OUT] else list(ground)
    for side in wanted:
        if side not in names:
            raise InputError(
                f"No picture is left for {side} ({int(held.sum())} of {len(pictures)} are held back, others "
                "lie too near to them); take smaller blocks, a smaller gap or more land."
            )
    return {picture.path.name: str(name) for picture, name in zip(pictures, names, strict=True)}


def split_by_blocks(pictures: Sequence[Picture], how: Blocks) -> dict[str, str]:
    """Hold back blocks of land, as `blocks_held_out`, and name pictures as `split_by_ground`."""
    none = np.empty(0)
    held = blocks_held_out(cells_of(pictures, none, none, how.block_m), how.share, how.seed)
    return split_by_ground(pictures, {HELD_OUT: held}, how.gap_m)


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


def _centres(pictures: Sequence[Picture]) -> tuple[Floats, Floats]:
    places = [p.grid.lonlat(p.grid.width / 2, p.grid.height / 2) for p in pictures]
    lon, lat = np.array(places, dtype=np.float64).reshape(-1, 2).T
    return lon, lat
