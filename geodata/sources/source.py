"""geodata.sources.source: what an imagery service is to those who fetch from it; knows no service.

A source finds scenes and writes them as files. From there on they are files like a user's own:
`geodata.sources.files` opens both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from shapely import MultiPolygon, Polygon

from geodata.errors import InputError


@dataclass(frozen=True)
class Query:
    """What imagery is wanted."""

    area: Polygon | MultiPolygon
    """Longitudes and latitudes in degrees, WGS 84."""
    start: datetime
    end: datetime
    """Both UTC, both included."""
    max_cloud_percent: float = 100.0


@dataclass(frozen=True)
class SceneRef:
    """One acquisition that a source can give, before any pixel is read."""

    scene_id: str
    acquired_at: datetime
    """UTC."""
    cloud_percent: float
    covered_share: float
    """Share (0-1) of the area that the acquisition saw."""
    masks_clouds: bool
    """Whether the file will tell which of its pixels are cloud."""
    path: Path
    """The file that it is written to."""
    parts: int
    """How many requests it takes."""
    units: float
    """Estimated processing units that they cost."""
    complete: bool
    """True where the file is there already."""


@dataclass(frozen=True)
class Offer:
    """The scenes that a source would take for a query, earliest first."""

    scenes: tuple[SceneRef, ...]
    covered_share: float
    """Share (0-1) of the area that they cover together."""
    left_out: tuple[str, ...] = ()
    """Names of acquisitions that the source cannot tell apart from others of the same time."""

    @property
    def missing(self) -> tuple[SceneRef, ...]:
        """The scenes that are still to be fetched."""
        return tuple(scene for scene in self.scenes if not scene.complete)

    @property
    def units(self) -> float:
        """Estimated processing units of what is still to be fetched."""
        return sum(scene.units for scene in self.missing)


class Source(Protocol):
    """A service that finds scenes of an area and writes each as one file, never a mixture of dates."""

    @property
    def units_spent(self) -> float:
        """Processing units spent so far, as the service counts them."""
        ...

    def search(self, query: Query) -> Offer:
        """The fewest and least cloudy scenes that cover the area; spends nothing.

        Raises:
            InputError: nothing was found, the area is too large or too small, or the service fails.
        """
        ...

    def fetch(self, scene: SceneRef, on_part: Callable[[], None]) -> Path:
        """Write a scene that `search` gave, whole or not at all, unless it is there; returns its file.

        `on_part` is called after each of its parts.

        Raises:
            InputError: the folder cannot be written (before anything is spent), the service fails for good,
                or the scene is not from this source.
        """
        ...


def check_budget(units: float, max_units: float) -> None:
    """Refuse what would cost more processing units than allowed. Raises `InputError` with both figures."""
    if not units <= max_units:  # so that not-a-number refuses too
        raise InputError(
            f"This would cost about {units:.2f} processing units and --max-pu allows {max_units:g}; "
            "take a smaller area, or raise --max-pu."
        )
