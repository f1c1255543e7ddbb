"""geodata.store.records: the values that go into the store and come out of it.

All times are UTC. A `Ring` is closed (its first corner stands again at its end) unless it is said otherwise.
"""

from dataclasses import dataclass, field
from datetime import datetime

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SiteFilter:
    """Which sites to list; what a person sets on the map is applied to the edition there (`selection`)."""

    bbox: tuple[float, float, float, float] | None = None
    """west, south, east, north; a site counts where its outline's box meets it"""
    above_threshold_only: bool = True
    """False also gives sites that have nothing but candidates below the threshold, marks or old evidence."""


@dataclass(frozen=True)
class Site:
    """One site as the map, the table and the exports show it."""

    site_id: str
    """Minted once, never derived from the place."""
    lon: float
    lat: float
    length_m: float
    width_m: float
    angle_deg: float
    outline: Ring
    """The first outline that the site had; for a site known from marks only a square of `length_m`."""
    site_type: str
    kiln_class: str
    score: float | None
    """Best current score of the detector."""
    probability: float | None
    """Merged chance from detector and volunteers; None where the model is not calibrated for its imagery."""
    calibrated: bool
    """False: the page says 'not calibrated'."""
    first_seen: datetime | None
    last_seen: datetime | None
    not_seen_on: datetime | None
    """Latest valid scene that does not show it."""
    votes_kiln: int
    votes_none: int
    votes_unsure: int
    object_verdict: str | None
    verdict_note: str | None
    is_candidate: bool
    """True where no current evidence lies at or above the threshold."""
    made_up: bool
    picture: str | None
    """Path of the picture, relative to the project folder."""
    attribution_year: int | None = None
    picture_corners: Ring | None = None
    """Lon, lat of the picture's corners, not closed: upper left, upper right, lower right, lower left."""
    marked_only: bool = False
    """True for a site that volunteers marked and no detection ever showed: its size is a guess."""
    log_odds: float | None = None
    """What detector and volunteers say together as log-odds: order by this; it is there where no probability
    may be given too."""
    rank: float | None = None
    """Share (0-1] of this model's sites in the project that do not score higher (see `ranks`); None below the
    threshold and where there are too few."""


@dataclass(frozen=True)
class Evidence:
    """One detection behind a site."""

    detection_id: str
    run_id: str
    scene_id: str
    acquired_at: datetime | None
    model_id: str
    score: float
    probability: float | None
    is_candidate: bool
    superseded: bool
    """True where another run on the same scene took its place (see `supersede`)."""
    outline: Ring = ()


@dataclass(frozen=True)
class HistoryEntry:
    """One event of a site's history, oldest first."""

    event_id: int
    at: datetime
    kind: str
    who: str
    detail: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Tile:
    """One tile of the labelling grid with its coverage."""

    tile_id: str
    ring: Ring
    observed_share: float
    state: str
    scene_id: str
    acquired_at: datetime | None


@dataclass(frozen=True)
class QueueItem:
    """One picture for a volunteer: a random token, nothing that tells a place."""

    token: str
    selection_probability: float
    reason: str
    """`doubtful` or `random`."""


@dataclass(frozen=True)
class PictureMark:
    """Where a volunteer put a mark, as shares (0-1) of the picture from its upper left corner."""

    u: float
    v: float


@dataclass(frozen=True)
class Counts:
    """How much is in the store."""

    runs: int
    scenes: int
    sites: int
    """Sites with current evidence at or above the threshold."""
    candidates: int
    """Other sites that are listed when candidates are asked for."""
    tiles: int
    tiles_observed: int
    queued: int
    """Tiles with a picture that can be shown to volunteers."""
    volunteers: int
    answers: int
    """Answers that count: one per volunteer and tile, not undone."""
    reviews: int
    made_up: bool
    """True where any scene is made up: the pages then carry the banner."""
