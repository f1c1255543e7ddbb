"""geodata.labels.names: what a file of labels calls each kiln: a way to speak of one without a place."""

from pathlib import Path

import geopandas as gpd
import pandas as pd

_COLUMNS = ("id", "kiln_id", "name")


def kiln_names(path: Path, count: int) -> tuple[str, ...]:
    """The ids in a vector file, in the order of `read_kilns`; numbers from 1 where it has no unique ones.

    Args:
        path: the file or folder that the kilns were read from.
        count: how many were read.
    """
    numbers = tuple(str(k) for k in range(1, count + 1))
    if not Path(path).is_file():
        return numbers
    try:
        table = pd.DataFrame(gpd.read_file(path, ignore_geometry=True))
    except (OSError, ValueError, RuntimeError):
        return numbers
    for column in _COLUMNS:
        if column in table and len(table) == count and table[column].notna().all():
            names = tuple(str(value) for value in table[column])
            if len(set(names)) == count:
                return names
    return numbers
