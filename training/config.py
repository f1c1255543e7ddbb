"""training.config: the run file (TOML) of `kilnlight train`, checked before anything is read."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from geodata.errors import InputError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(_Section):
    """What to learn from; paths are relative to the run file, `$NAME` is taken from the environment."""

    scenes: tuple[str, ...] = Field(min_length=1)
    labels: str
    ignore: str | None = None
    ignore_radius_m: float = 80.0
    bands: tuple[str, ...] = ("red", "green", "blue")
    band_names: tuple[str, ...] | None = None
    land: dict[str, str] = Field(default_factory=dict)
    """Kind of land by scene (a name or pattern), for the report."""
    name: str = "own labels"
    licence: str = "not stated"
    attribution: str = "Contains modified Copernicus Sentinel data"


class Part(_Section):
    """A scene, or a span of its columns."""

    scene: str
    columns: tuple[int, int] | None = None


class Folds(_Section):
    """Which parts are held back together; what lies within `gap_px` of them is not learnt from either."""

    gap_px: Annotated[int, Field(ge=0)] = 70
    parts: tuple[tuple[Part, ...], ...] = ()


class Fit(_Section):
    """See `training.fit.FitOptions`."""

    steps: Annotated[int, Field(gt=0)] = 2600
    final_steps: Annotated[int | None, Field(gt=0)] = None
    cycles: Annotated[int, Field(gt=0)] = 1
    batch: Annotated[int, Field(gt=0)] = 8
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    weight_decay: float = 1e-2
    ema_decay: Annotated[float, Field(gt=0, lt=1)] = 0.998
    checkpoint_every: Annotated[int, Field(gt=0)] = 200
    seed: int = 0
    nets: Annotated[int, Field(gt=0, le=8)] = 1
    """How many nets are trained, from `seed` on, and averaged in the exported graph."""


class Crops(_Section):
    """See `training.crops.CropOptions`."""

    size_px: Annotated[int, Field(gt=0, multiple_of=16)] = 128
    kiln_share: float = 0.5
    hard_share: float = 0.25
    zoom_near: Annotated[float, Field(ge=1)] = 1.15
    zoom_wide_share: float = 0.35
    zoom_min: float = 0.6
    zoom_max: float = 1.3
    renormalise_chance: Annotated[float, Field(ge=0, le=1)] = 0.2


class Model(_Section):
    """What the card says of the model."""

    name: str
    views: Literal[1, 2, 4] = 4
    """Mirror images averaged in the exported graph."""
    heat_filter_m: Annotated[float, Field(ge=0, le=100)] = 18.0
    """See `detection.matched_filter`."""
    area: tuple[tuple[float, float], ...] = ()
    months: tuple[int, ...] = ()
    products: tuple[str, ...] = ()
    unvalidated: tuple[str, ...] = ("S2-L2A reflectance",)
    licence: str = "see the licence of the training data"
    candidate_floor: Annotated[float, Field(gt=0, le=0.05)] = 0.05


class RunConfig(_Section):
    """A whole run file."""

    data: Data
    model: Model
    folds: Folds = Folds()
    fit: Fit = Fit()
    crops: Crops = Crops()


def read_config(path: Path) -> RunConfig:
    """Read and check a run file.

    Raises:
        InputError: if it cannot be read, is not TOML or holds an unknown or wrong setting.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"The run file {path} cannot be read ({error.strerror}); give an existing file."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"The run file {path} is not TOML: {error}; `kilnlight train --example` writes one."
        ) from None
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(_in_words(one) for one in error.errors())
        raise InputError(
            f"The run file {path} has wrong settings: {wrong}; `kilnlight train --example` shows all of them."
        ) from None


def _in_words(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{where} is not known"
    if error["type"] == "missing":
        return f"{where} is missing"
    return f"{where} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


EXAMPLE = """\
# A run of `kilnlight train`. Paths are relative to this file; $NAME is taken from the environment.

[data]
scenes = ["scenes/*.tif"]           # GeoTIFF, COG or JP2; patterns are allowed
labels = "kilns.geojson"            # polygons: one oriented box per kiln
ignore = "unverified.csv"           # optional: lon,lat of places to learn nothing from (80 m)
bands = ["red", "green", "blue"]    # the model's bands, in its order
# band_names = ["red", "green", "blue"]   # if the files do not name their bands
name = "my labels"
licence = "CC BY 4.0"
attribution = "Contains modified Copernicus Sentinel data 2024"

# Kind of land of some scenes: the report counts false alarms for each kind.
# [data.land]
# "city.tif" = "city"

[model]
name = "my-kilns"
area = [[76.8, 28.2], [77.7, 28.2], [77.7, 29.0], [76.8, 29.0]]   # lon, lat: where its figures hold
months = [11, 12, 1, 2]                                           # and in which months
products = ["S2-L2A"]                                             # and on which products

[fit]
steps = 2600          # for each fold; about 20 minutes on one core of 2021
# final_steps = 4500  # for the net on everything; as many as for a fold if left out
# cycles = 2          # how often the learning rate falls to zero on the way
seed = 0
# nets = 2            # nets that begin at other random weights, averaged; two take twice as long

# Parts that are held back together. The threshold and the calibration come from the detections on them, made
# by nets that have not seen them. Without folds the threshold is chosen on the training scenes, and the card
# says so.
[folds]
gap_px = 70
parts = [
    [{ scene = "north.tif" }, { scene = "city.tif", columns = [0, 1500] }],
    [{ scene = "south.tif" }, { scene = "city.tif", columns = [1500, 9999] }],
]
"""
