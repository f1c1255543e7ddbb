"""geodata.labels.split_kilns: how many kilns each split holds; none can be scored."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.errors import InputError
from geodata.labels.kilns import KilnLabels
from geodata.labels.pictures import Picture, kilns_in
from geodata.labels.split_files import UNUSED, Splits

FEW = 20
"""Fewer kilns than this say little of a model: at 20 the 95 % interval of a recall of .9 is .70 to .97."""


def kilns_of_splits(pictures: Sequence[Picture], labels: KilnLabels, splits: Splits) -> dict[str, int]:
    """Kilns whose centre a picture of each split shows, each once."""
    boxes = labels.boxes.take(labels.kiln)
    inside = kilns_in(pictures, boxes)
    names = [splits.get(picture.path.name, UNUSED) for picture in pictures]
    return {
        name: len(np.unique(np.concatenate([k for k, n in zip(inside, names, strict=True) if n == name])))
        for name in sorted(set(names))
    }


def kilns_of_ground(labels: KilnLabels, ground: Mapping[str, BaseGeometry]) -> dict[str, int]:
    """Kilns whose centre lies on each ground."""
    boxes = labels.boxes.take(labels.kiln)
    return {name: int(shapely.intersects_xy(g, boxes.lon, boxes.lat).sum()) for name, g in ground.items()}


def check_counts(counts: Mapping[str, int]) -> list[str]:
    """Warnings for splits with few kilns. Raises `InputError` for a split that is used and has none."""
    used = {name: n for name, n in counts.items() if name != UNUSED}
    for name, n in used.items():
        if n == 0:
            raise InputError(
                f"The split {name} has no kiln, so that nothing can be learnt or scored there; take other "
                "blocks (--seed, --block-km), another region, or fewer folds."
            )
    return [
        f"The split {name} has {n} kilns only: figures on so few say little."
        for name, n in used.items()
        if n < FEW
    ]
