"""geodata.labels.audit: what a data set holds, and what its splits share; knows no models.

Three kinds of leak, each enough to flatter a score: the same ground in two splits, the same kiln labelled in
two, and the same picture under two names.
"""

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import rasterio
import shapely
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.grid import Floats, metres_per_degree
from geodata.labels.kilns import SAME_KILN_M, KilnLabels
from geodata.labels.pictures import Picture, kilns_in
from geodata.labels.split_files import UNUSED, Splits
from geodata.labels.splits import close_pictures
from geodata.near import pairs_within
from geodata.obb import Boxes
from geodata.sources.whole import check_picture
from geodata.tiles import footprint

LENGTH_M = (40.0, 300.0)
"""Known kilns are 90 to 146 m long (5 to 95 %); beyond this a CRS, a frame or a unit is wrong."""
THUMB_PX = 16
WHOLE = {".png", ".jpg", ".jpeg"}
SAME_PICTURE = 0.995
"""Correlation of two pictures, shrunk to 16 x 16 px and each band set to mean 0 and spread 1, so that neither
size nor stretch matters."""


@dataclass(frozen=True)
class Part:
    """One split."""

    name: str
    pictures: int
    empty: int
    """Pictures without a kiln."""
    area_km2: float
    """Ground covered, overlaps once."""
    kilns: int
    """Each kiln once, however many pictures show it."""
    classes: dict[str, int]


@dataclass(frozen=True)
class Leak:
    """What two splits share."""

    one: str
    other: str
    shared_km2: float
    picture_pairs: int
    """Pairs of pictures that overlap."""
    kilns: int
    duplicates: tuple[tuple[str, str], ...]
    """Pairs of pictures that look the same."""


@dataclass(frozen=True)
class Audit:
    """All that was found."""

    parts: tuple[Part, ...]
    leaks: tuple[Leak, ...]
    length_m: tuple[float, float, float]
    """5 %, 50 % and 95 % of the kilns' lengths; NaN without kilns."""
    width_m: tuple[float, float, float]
    broken: tuple[str, ...]
    """Pictures that do not decode."""
    constant: tuple[str, ...]
    """Pictures of one value only."""
    outside: tuple[str, ...]
    """Ids of kilns that lie in no picture."""
    odd_sizes: tuple[str, ...]
    """Ids of kilns that are no kiln's size: a length outside `LENGTH_M`."""
    repeated: tuple[str, ...]
    """Ids of kilns within `SAME_KILN_M` of one before them."""
    unnamed: tuple[str, ...]
    """Pictures that the splits do not name, and names without a picture."""


def audit(pictures: Sequence[Picture], labels: KilnLabels, splits: Splits) -> Audit:
    """Look at a data set.

    Args:
        pictures: all of them; each is read once, shrunk.
        labels: kilns; one that several pictures show may be there once or several times. Those that are
            rather none are left out.
        splits: of pictures by file name; those that are `unused` take no part in leaks.
    """
    labels = labels.take(labels.kiln)
    names = [splits.get(picture.path.name, UNUSED) for picture in pictures]
    thumbs = [thumb(picture) for picture in pictures]
    inside = kilns_in(pictures, labels.boxes)
    used = sorted(set(names) - {UNUSED})
    members = {name: [k for k, other in enumerate(names) if other == name] for name in sorted(set(names))}
    ground = {name: _ground([pictures[k] for k in index]) for name, index in members.items()}
    everywhere = np.unique(np.concatenate([np.empty(0, np.intp), *inside]))
    measured = everywhere[labels.size_known[everywhere]]
    lengths, widths = labels.boxes.length_m[measured], labels.boxes.width_m[measured]
    odd = measured[(lengths < LENGTH_M[0]) | (lengths > LENGTH_M[1])]
    missing = set(splits) - {picture.path.name for picture in pictures}
    return Audit(
        tuple(_part(name, index, ground[name], inside, labels) for name, index in members.items()),
        tuple(
            leak
            for one, other in combinations(used, 2)
            if (leak := _leak(one, other, members, ground, pictures, inside, labels.boxes, thumbs))
        ),
        _range(lengths),
        _range(widths),
        tuple(p.path.name for p, thumb in zip(pictures, thumbs, strict=True) if thumb is None),
        tuple(
            p.path.name
            for p, thumb in zip(pictures, thumbs, strict=True)
            if thumb is not None and not thumb.any()
        ),
        tuple(np.delete(labels.label_id, everywhere).tolist()),
        tuple(labels.label_id[odd].tolist()),
        tuple(labels.label_id[again(labels.boxes.lon, labels.boxes.lat)].tolist()),
        tuple(sorted({p.path.name for p in pictures} - set(splits) if splits else ()))
        + tuple(sorted(missing)),
    )


def _part(
    name: str, index: list[int], ground: BaseGeometry, inside: list[np.ndarray], labels: KilnLabels
) -> Part:
    kilns = _different(labels.boxes, [inside[k] for k in index])
    return Part(
        name,
        len(index),
        sum(len(inside[k]) == 0 for k in index),
        round(_km2(ground), 2),
        len(kilns),
        dict(sorted(Counter(str(c) for c in labels.kiln_class[kilns]).items())),
    )


def _leak(
    one: str,
    other: str,
    members: dict[str, list[int]],
    ground: dict[str, BaseGeometry],
    pictures: Sequence[Picture],
    inside: list[np.ndarray],
    boxes: Boxes,
    thumbs: list[Floats | None],
) -> Leak | None:
    both = members[one] + members[other]
    first = len(members[one])
    a, b = close_pictures([pictures[k] for k in both], 0.0)
    pairs = int(((a < first) & (b >= first)).sum())
    shared = _km2(shapely.intersection(ground[one], ground[other]))
    left, right = (_different(boxes, [inside[k] for k in members[name]]) for name in (one, other))
    mine, _, _ = pairs_within(
        (boxes.lon[left], boxes.lat[left]), (boxes.lon[right], boxes.lat[right]), SAME_KILN_M
    )
    same = same_pictures(members[one], members[other], thumbs)
    twins = tuple((pictures[i].path.name, pictures[j].path.name) for i, j in same)
    if not pairs and not len(mine) and not twins:
        return None
    return Leak(one, other, round(shared, 3), pairs, len(set(mine.tolist())), twins)


def thumb(picture: Picture) -> Floats | None:
    """Each band shrunk, mean 0 and spread 1 (0 if it is constant), in a row; None if it does not decode."""
    try:
        if picture.path.suffix.lower() in WHOLE:
            check_picture(picture.path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(picture.path) as data:
                shape = (data.count, THUMB_PX, THUMB_PX)
                pixels = data.read(out_shape=shape, resampling=Resampling.average).astype(np.float64)
    except (RasterioError, InputError):
        return None
    pixels = np.nan_to_num(pixels.reshape(len(pixels), -1))
    pixels -= pixels.mean(axis=1, keepdims=True)
    spread = pixels.std(axis=1, keepdims=True)
    return np.asarray((pixels / np.where(spread > 0, spread, 1)).ravel())


def same_pictures(ones: list[int], others: list[int], thumbs: list[Floats | None]) -> list[tuple[int, int]]:
    """Pairs, one of each list of indices, that correlate; pictures of one value look like nothing."""
    out = []
    for size in {len(t) for t in thumbs if t is not None}:
        left = [k for k in ones if (t := thumbs[k]) is not None and len(t) == size and t.any()]
        right = [k for k in others if (t := thumbs[k]) is not None and len(t) == size and t.any()]
        if left and right:
            table = np.stack([np.asarray(thumbs[k]) for k in right])
            for k in left:  # row by row: two sets of ten thousand would not fit in memory at once
                alike = table @ np.asarray(thumbs[k]) / size
                out += [(k, right[j]) for j in np.flatnonzero(alike >= SAME_PICTURE)]
    return out


def _different(boxes: Boxes, inside: list[np.ndarray]) -> np.ndarray:
    """Indices of the kilns of several pictures, each kiln once, even if it is labelled twice."""
    found = np.unique(np.concatenate([np.empty(0, np.intp), *inside]))
    return np.asarray(found[~again(boxes.lon[found], boxes.lat[found])])


def again(lon: Floats, lat: Floats) -> np.ndarray:
    """True for places within `SAME_KILN_M` of one before them."""
    one, other, _ = pairs_within((lon, lat), (lon, lat), SAME_KILN_M)
    out = np.zeros(len(lon), np.bool_)
    out[one[other < one]] = True
    return out


def _ground(pictures: Sequence[Picture]) -> BaseGeometry:
    return shapely.union_all([footprint(picture.grid) for picture in pictures])


def _km2(shape: BaseGeometry) -> float:
    _, south, _, north = shapely.bounds(shape)
    if not np.isfinite(south):
        return 0.0
    east_m, north_m = metres_per_degree((south + north) / 2)
    return float(shapely.area(shape) * east_m * north_m / 1e6)


def _range(values: Floats) -> tuple[float, float, float]:
    if not len(values):
        return (float("nan"),) * 3
    low, middle, high = np.percentile(values, (5, 50, 95))
    return float(low), float(middle), float(high)
