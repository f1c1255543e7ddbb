"""training.config: the run file (TOML) of `kilnlight train`, checked before anything is read."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

import shapely
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from geodata.errors import InputError
from geodata.labels.kilns import CLASSES


class _Section(BaseModel):
    # a setting's docstring is what `kilnlight train --example` says of it
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _listed(value: object) -> object:
    """One name as a list of one."""
    return [value] if isinstance(value, str) else value


class Data(_Section):
    """What to learn from; paths are relative to the run file, `$NAME` is taken from the environment."""

    scenes: tuple[str, ...] = Field(min_length=1)
    """GeoTIFF, COG, JP2 or folders of published tiles; patterns are allowed."""
    labels: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
    """Outlines, points, CSV, YOLO-OBB folder, project; or a list; where they meet the earlier speaks."""
    classes: tuple[str, ...] = CLASSES
    """Names of the classes of YOLO-OBB files, by their numbers."""
    skip_bad: bool = False
    """Take the good rows of labels where others are broken."""
    negative_below: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Labels of a smaller probability are places without a kiln, shown like remembered false alarms."""
    tile_border_px: Annotated[int, Field(ge=0)] = 8
    """Nothing is learnt or scored so near to the border of a tile that is named by its place: a kiln that the
    border cuts has no label there."""
    ignore: str | None = None
    """CSV of lon,lat: places to learn nothing from."""
    ignore_radius_m: Annotated[float, Field(ge=0, le=10_000)] = 80.0
    """Around each of them."""
    bands: tuple[str, ...] = Field(default=("red", "green", "blue"), min_length=1)
    """The model's bands, in its order; one or more."""
    band_names: tuple[str, ...] | None = None
    """The files' bands in their order, if the files do not name them."""
    land: dict[str, str] = Field(default_factory=dict)
    """Kind of land by scene (a name or pattern): the report counts false alarms for each kind."""
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
    """Beside a held-back part nothing is learnt within this many pixels."""
    parts: tuple[tuple[Part, ...], ...] = ()
    """One list for each fold."""
    file: str | None = None
    """In place of `parts`: what `kilnlight labels split` wrote. Ground called `val` is kept for a test."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.parts and self.file:
            raise ValueError("give parts or a file, not both")
        return self


Steps = Annotated[int, Field(gt=0, le=10_000_000)]


class Fit(_Section):
    """See `training.fit.FitOptions`."""

    steps: Steps = 2600
    """For each fold."""
    final_steps: Steps | None = None
    """For the net on everything; as many as for a fold if left out."""
    cycles: Annotated[int, Field(gt=0)] = 1
    """How often the learning rate falls to zero on the way."""
    batch: Annotated[int, Field(gt=0, le=4096)] = 8
    """Crops a step."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    """Its peak."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-2
    warm_up_share: Annotated[float, Field(ge=0, le=0.5)] = 0.04
    """Share of a cycle in which the rate rises."""
    clip_norm: Annotated[float, Field(gt=0)] = 5.0
    """Longest gradient that is followed whole."""
    ema_decay: Annotated[float, Field(gt=0, lt=1)] = 0.998
    """Weights are averaged over about 1 / (1 - this) steps."""
    doubt_after_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """From this share of the steps on (as 0.6) wrong-looking labels count less (docs/labels.md); 1: never."""
    checkpoint_every: Annotated[int, Field(gt=0)] = 200
    """Steps; curves are drawn then too. May be changed on the way."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    nets: Annotated[int, Field(gt=0, le=8)] = 1
    """Nets that begin at other random weights (`seed`, `seed` + 1, ...), averaged; two take twice as long."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where the processor has instructions for it, else fp32."""


Chance = Annotated[float, Field(ge=0, le=1)]


class Crops(_Section):
    """Fields and defaults of `training.crops.CropOptions`, with their ranges."""

    size_px: Annotated[int, Field(gt=0, le=1024, multiple_of=16)] = 128
    kiln_share: Chance = 0.5
    """Share of crops at a kiln."""
    hard_share: Chance = 0.25
    """Share of crops around remembered false alarms; the rest lies anywhere."""
    zoom_near: Annotated[float, Field(ge=1, le=4)] = 1.15
    """Most crops show kilns at 1/1.15 to 1.15 times their size ..."""
    zoom_wide_share: Chance = 0.35
    """... and this share of them at `zoom_min` to `zoom_max`, for other regions."""
    zoom_min: Annotated[float, Field(ge=0.2, le=4)] = 0.6
    zoom_max: Annotated[float, Field(ge=0.2, le=4)] = 1.3
    stretch: Annotated[float, Field(ge=0, lt=1)] = 0.15
    """Largest relative difference between the zooms along the two axes."""
    averaged_chance: Chance = 0.5
    """Chance that a crop that shows land smaller is averaged, as by a coarser sensor; else it stays sharp."""
    blur_chance: Chance = 0.25
    soil_chance: Chance = 0.25
    """Chance of other colours: bands mixed, dark and bright tones spread otherwise."""
    haze_chance: Chance = 0.25
    """Chance of a veil, thicker here and thinner there."""
    gain: Annotated[float, Field(ge=0, le=2)] = 0.2
    """Each band is multiplied with e^-gain to e^gain."""
    shift: Annotated[float, Field(ge=0, le=6)] = 0.15
    """And moved by up to this, in standard deviations."""
    noise: Annotated[float, Field(ge=0, le=6)] = 0.1
    """Largest standard deviation of the noise on half of the crops."""
    renormalise_chance: Chance = 0.2
    """Chance that a crop is normalised on its own, as a picture without surroundings would be."""
    blank_share: Chance = 0.02
    """Share of crops of pure noise, which hold no kiln."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.kiln_share + self.hard_share > 1:
            raise ValueError("kiln_share and hard_share are more than 1 together")
        if self.zoom_min > self.zoom_max:
            raise ValueError(f"zoom_min {self.zoom_min} is above zoom_max {self.zoom_max}")
        return self


class Stage(_Section):
    """Learning that goes on from the averaged weights, with other crops; each net, after all of `[fit]`."""

    steps: Steps
    """For each fold."""
    final_steps: Steps | None = None
    """For the net on everything; as many as for a fold if left out."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    """Its peak."""
    new_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the new weights in what comes out; the rest are those from before the stage."""
    crops: Crops = Crops()
    """Settings of `[crops]` for this stage; those left out have their defaults."""


class Model(_Section):
    """What the card says of the model."""

    name: str
    """Of the model."""
    views: Literal[1, 2, 4] = 4
    """Mirror images averaged in the exported graph."""
    heat_filter_m: Annotated[float, Field(ge=0, le=100)] = 14.0
    """Width (sigma) of the Gaussian that the heat-map goes through, on the ground; 0 for none."""
    area: tuple[tuple[float, float], ...] = ()
    """Ring of lon, lat: where its figures hold ..."""
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    """... in which months ..."""
    products: tuple[str, ...] = ()
    """... and on which products."""
    unvalidated: tuple[str, ...] = ()
    """What it was not tried on, in words."""
    licence: str = "see the licence of the training data"
    candidate_floor: Annotated[float, Field(gt=0, le=0.05)] = 0.05
    """Answers below this are not kept, even as candidates."""

    @model_validator(mode="after")
    def _area_is_a_ring(self) -> Self:
        if self.area and (len(self.area) < 3 or not shapely.Polygon(self.area).is_valid):
            raise ValueError("area has to be a ring of three or more corners that does not cross itself")
        return self


class RunConfig(_Section):
    """A whole run file."""

    data: Data
    model: Model
    folds: Folds = Folds()
    fit: Fit = Fit()
    crops: Crops = Crops()
    stages: tuple[Stage, ...] = ()


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
    if error["type"] == "value_error":
        return f"{where}: {error['msg'].removeprefix('Value error, ')}"
    return f"{where} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"
