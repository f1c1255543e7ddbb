"""geodata.store.incoming: the plain values that an import hands to the store; no models, no files."""

from dataclasses import dataclass
from datetime import datetime

from geodata.store.boxes import OrientedBox
from geodata.store.records import Ring


@dataclass(frozen=True)
class IncomingScene:
    """One scene that a run looked at."""

    scene_id: str
    name: str
    sha256: str
    acquired_at: datetime | None
    product: str
    made_up: bool


@dataclass(frozen=True)
class IncomingDetection:
    """One detection or candidate of a run; `outline` is a closed ring of lon, lat."""

    detection_id: str
    scene_id: str
    model_id: str
    score: float
    probability: float | None
    is_candidate: bool
    box: OrientedBox
    outline: Ring
    site_type: str
    kiln_class: str


@dataclass(frozen=True)
class IncomingTile:
    """How much of one tile was observed in one scene (in one file of it: there may be several)."""

    tile_id: str
    scene_id: str
    observed_share: float


@dataclass(frozen=True)
class IncomingRun:
    """One run of a detector as its folder tells it."""

    run_id: str
    model_id: str
    model_created_at: datetime
    """UTC; the newer model's evidence counts."""
    threshold: float
    scenes: tuple[IncomingScene, ...]
    detections: tuple[IncomingDetection, ...]
    tiles: tuple[IncomingTile, ...]


@dataclass(frozen=True)
class Grouping:
    """To which site each detection of a run belongs, and which detection founded each new site."""

    site_of: dict[str, str]
    """detection_id -> site_id"""
    founders: dict[str, str]
    """new site_id -> detection_id"""


@dataclass(frozen=True)
class MarkedSite:
    """A new site that volunteers marked where no site is; a square of `side_m` around `lon`, `lat`."""

    site_id: str
    lon: float
    lat: float
    side_m: float
    outline: Ring
    site_type: str
    kiln_class: str


@dataclass(frozen=True)
class QueuedTile:
    """A tile that volunteers shall see."""

    token: str
    tile_id: str
    doubt: float
    """0-1, how near its detections lie to the threshold; 0 for none."""
    sampled: bool
    """True where it belongs to the random sample of the observed tiles."""
    round: int = 0
    """Of `kilnlight queue`, from 1; 0 for what an import queues. The latest round is shown first."""
    chance: float | None = None
    """The chance with which the round chose it; None for what an import queues."""


@dataclass(frozen=True)
class Picture:
    """A picture that was cut: where it lies and the lon, lat of its corners (see `Site.picture_corners`)."""

    path: str
    corners: Ring
    scene_id: str
