"""geodata.labels.mined: where a model fired though no kiln is labelled, as labels; knows no model."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import InputError
from geodata.files import write_text_atomic
from geodata.grid import Floats

HARD, POSSIBLE = "hard_negative", "possible_kiln"


@dataclass(frozen=True)
class Mined:
    """n places (degrees, WGS 84) with the model's score there and what they are taken for."""

    lon: Floats
    lat: Floats
    score: Floats
    """0-1."""
    scene: NDArray[np.object_]
    """Name of the scene's file."""
    kind: NDArray[np.object_]
    """`hard_negative` (no kiln: to be learnt as such) or `possible_kiln` (to be looked at, not learnt)."""

    def __len__(self) -> int:
        return len(self.lon)

    @property
    def hard(self) -> NDArray[np.bool_]:
        """True for hard negatives."""
        return np.asarray(self.kind == HARD)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> "Mined":
        """The places at an index or under a mask."""
        return Mined(self.lon[index], self.lat[index], self.score[index], self.scene[index], self.kind[index])


_NO_TEXT = np.empty(0, np.object_)
NOTHING_MINED = Mined(np.empty(0), np.empty(0), np.empty(0), _NO_TEXT, _NO_TEXT)


def join_mined(parts: Sequence[Mined]) -> Mined:
    """Several tables as one."""
    parts = (NOTHING_MINED, *parts)
    return Mined(
        np.concatenate([one.lon for one in parts]),
        np.concatenate([one.lat for one in parts]),
        np.concatenate([one.score for one in parts]),
        np.concatenate([one.scene for one in parts]),
        np.concatenate([one.kind for one in parts]),
    )


def write_mined(path: Path, mined: Mined) -> None:
    """Write the table as CSV, whole or not at all; it is a file of labels (`geodata.labels.vectors`).

    `probability` is 0 for a hard negative, which training shows like a remembered false alarm, and empty for
    a possible kiln, from which nothing is learnt.

    Raises:
        InputError: for a name that does not end with .csv, or a folder that refuses.
    """
    if path.suffix.lower() != ".csv":
        raise InputError(f"{path} does not end with .csv; name a file that does.")
    table = pd.DataFrame(
        {
            "lon": mined.lon.round(7),
            "lat": mined.lat.round(7),
            "score": mined.score.round(4),
            "scene": mined.scene,
            "kind": mined.kind,
            "probability": np.where(mined.hard, 0.0, np.nan),
        }
    )
    out = io.StringIO()
    table.to_csv(out, index=False, lineterminator="\n")
    write_text_atomic(path, out.getvalue())
