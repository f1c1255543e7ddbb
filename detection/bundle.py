"""detection.bundle: the folder that holds a model: card, ONNX graph, weights; no pickle anywhere."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detection.normalise import Normalisation
from geodata.errors import InputError
from geodata.files import sha256_of, write_text_atomic

CARD, GRAPH, WEIGHTS = "card.json", "model.onnx", "model.safetensors"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Domain(_Frozen):
    """Where the figures of the card hold."""

    area: tuple[tuple[float, float], ...]
    """Ring of lon, lat."""
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...]
    products: tuple[str, ...]


class Calibration(_Frozen):
    """probability = 1 / (1 + exp(-(slope * ln(score) - slope_high * ln(1 - score) + intercept))).

    Beta calibration (Kull, Silva Filho and Flach 2017); with one slope for both it is Platt's, of logits.
    """

    slope: float
    slope_high: float | None = None
    """Where scores are near 1; None: the same."""
    intercept: float
    n: int
    """How many out-of-fold detections, or reviewed ones of a random sample, it was fitted on."""
    method: str
    domain: Domain | None = None
    """Where its chances hold; None for the card's own domain."""
    fitted_at: datetime | None = None
    """UTC; None for the one that came with the training."""
    zoom: float = Field(default=1.0, gt=0)
    """How many times enlarged the land was shown to the net; at another zoom the same score means another
    chance."""


class Figure(_Frozen):
    """One measured figure with its protocol."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    protocol: str
    command: str


class TrainingBlock(_Frozen):
    """A piece of ground that the weights have seen."""

    scene: str
    """Name of the file."""
    ring: tuple[tuple[float, float], ...] = Field(min_length=4)
    """Lon, lat of its outline, the first point again at the end."""
    holes: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Outlines of what lies in it and was kept for a test."""
    use: Literal["learnt", "chosen_on"] = "learnt"
    """What it was for: the weights, or only the choice of settings, threshold or calibration."""


class TrainingData(_Frozen):
    """What the weights have seen."""

    name: str
    kilns: int
    area_km2: float
    licence: str
    attribution: str
    blocks: tuple[TrainingBlock, ...] = ()
    """The ground itself; empty where the card does not say."""


class Card(_Frozen):
    """All that is to be known of a model before its detections are believed."""

    schema_version: Literal[1] = 1
    name: str
    architecture: str
    bands: tuple[str, ...]
    pixel_size_m: float = Field(default=10.0, gt=0)
    stride: int = Field(default=2, ge=1)
    input_multiple: int = Field(default=16, ge=1)
    normalisation: Normalisation
    heat_filter_m: float = Field(default=0.0, ge=0, le=100)
    """Width (sigma) of the Gaussian that the heat-map goes through, on the ground; 0 for none."""
    kiln_length_m: float | None = Field(default=None, gt=0)
    """Median length of what it finds at the threshold on held-out land (`detection.zoom`); None: unknown."""
    threshold: float = Field(ge=0, le=1)
    threshold_chosen: str
    candidate_floor: float = Field(ge=0, le=0.05)
    domain: Domain
    unvalidated: tuple[str, ...] = ()
    """Kinds of input that the model has not been tried on, in words."""
    calibration: Calibration | None = None
    """The one that came with the training."""
    local_calibrations: tuple[Calibration, ...] = ()
    """Fitted on people's reviews elsewhere (`kilnlight calibrate`), the newest first; each has a domain."""
    kiln_classes: tuple[str, ...] = ("unknown",)
    training_data: tuple[TrainingData, ...]
    licence: str
    figures: tuple[Figure, ...] = ()
    commit: str
    created_at: datetime
    files: dict[str, str]
    """SHA-256 of each other file of the bundle."""


@dataclass(frozen=True)
class Bundle:
    """A model folder whose files match its card."""

    folder: Path
    card: Card
    model_id: str
    """First 16 hex digits of the card's SHA-256; the card holds the hashes of the other files."""

    @property
    def onnx_path(self) -> Path:
        """The exported graph."""
        return self.folder / GRAPH

    @property
    def weights_path(self) -> Path:
        """The weights, for further training."""
        return self.folder / WEIGHTS


def shipped_bundle_path() -> Path:
    """The folder of the bundle that comes with kilnlight."""
    return Path(__file__).parent / "bundles" / "kilnnet-delhi"


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle and check its hashes.

    Raises:
        InputError: if the folder is no bundle, the card is broken or a file does not match it.
    """
    path = folder / CARD
    if not path.is_file():
        raise InputError(
            f"{folder} is no model bundle: it has no {CARD}; give the folder that `kilnlight train` wrote."
        )
    text = path.read_bytes()
    try:
        card = Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "the file"
        raise InputError(
            f"{path} is no model card of this version ({where}: {first['msg']}); copy the bundle again."
        ) from None
    for name in {GRAPH, WEIGHTS} - set(card.files):
        raise InputError(f"{path} gives no hash for {name}; write the bundle again with `kilnlight train`.")
    for name, expected in card.files.items():
        file = folder / name
        if Path(name).name != name or not file.is_file():
            raise InputError(f"The model bundle {folder} lacks {name}; copy the whole folder again.")
        found = sha256_of(file)
        if found != expected:
            raise InputError(
                f"{file} does not match its card: SHA-256 {found[:12]}… instead of {expected[:12]}…; "
                "copy the bundle again, or train it again if you changed it."
            )
    return Bundle(folder, card, hashlib.sha256(text).hexdigest()[:16])


def write_card(folder: Path, card: Card) -> None:
    """Write the card, with the hashes of the graph and the weights that lie in the folder."""
    files = {name: sha256_of(folder / name) for name in (GRAPH, WEIGHTS)}
    text = card.model_copy(update={"files": files}).model_dump_json(indent=2)
    write_text_atomic(folder / CARD, text + "\n")
