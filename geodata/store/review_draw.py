"""geodata.store.review_draw: a random sample of detections for people to review; pure, knows no database.

Half of the sample lies at or above the model's threshold and half below, since a sample of all candidates
would hold hardly a kiln. Within each half every detection has the same chance, which goes with it.

The order is that of a random number which each detection has for good, made from its site's minted id and its
scene (Ohlsson 1995, "Coordination of samples using permanent random numbers"). So it
does not depend on score, verdict or who draws; and a larger sample holds the smaller one, whose reviews stay.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

ABOVE, BELOW = "above", "below"


@dataclass(frozen=True)
class Unit:
    """What is drawn: a site as one scene shows it to the model."""

    site_id: str
    scene_id: str
    score: float
    """Of the best detection there."""


@dataclass(frozen=True)
class Drawn:
    """A unit of the sample."""

    unit: Unit
    stratum: str
    """`above` (at or above the threshold) or `below`."""
    selection_probability: float


@dataclass(frozen=True)
class Draw:
    """A sample in the order in which it is to be reviewed, and how many there were to draw from."""

    drawn: tuple[Drawn, ...]
    frame: dict[str, int]
    """Stratum -> number of units."""


def draw_reviews(units: Sequence[Unit], threshold: float, n: int) -> Draw:
    """Draw up to n units without replacement; what one half lacks the other gives.

    Any beginning of the list is itself such a sample: the halves are mixed evenly.
    """
    halves: dict[str, list[Unit]] = {ABOVE: [], BELOW: []}
    for unit in sorted(units, key=_number):
        halves[ABOVE if unit.score >= threshold else BELOW].append(unit)
    above = min(len(halves[ABOVE]), max((n + 1) // 2, n - len(halves[BELOW])))
    sizes = {ABOVE: above, BELOW: min(len(halves[BELOW]), n - above)}
    places = [
        ((k + 0.5) / size, stratum, Drawn(halves[stratum][k], stratum, size / len(halves[stratum])))
        for stratum, size in sizes.items()
        for k in range(size)
    ]
    ordered = sorted(places, key=lambda place: place[:2])
    return Draw(tuple(drawn for _, _, drawn in ordered), {name: len(half) for name, half in halves.items()})


def _number(unit: Unit) -> str:
    return hashlib.sha256(f"{unit.site_id}|{unit.scene_id}".encode()).hexdigest()
