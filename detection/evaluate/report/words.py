"""detection.evaluate.report.words: figures as text, and what things are called on the page."""

from math import isfinite
from typing import NamedTuple

from detection.evaluate.estimate import Estimate
from detection.evaluate.groups import Group
from detection.evaluate.report.entries import ONLY_FIRST, ONLY_SECOND, Entry
from detection.evaluate.sample import Region
from detection.evaluate.summary import EXCUSED, FALSE_ALARM, HIT, MISSED

NOTHING = "–"


class Column(NamedTuple):
    """One figure of a table."""

    label: str
    name: str
    """Field of `Scores`."""
    digits: int


F1 = Column("F1", "f1", 3)
PRECISION = Column("precision", "precision", 3)
RECALL = Column("recall", "recall", 3)
AP = Column("average precision", "average_precision", 3)
FALSE_RATE = Column("false per 1,000 km²", "false_per_1000_km2", 1)
CENTRE = Column("centre error, m", "centre_error_m", 1)
KILNS = Column("kilns", "kilns", 0)
HITS = Column("hits", "hits", 0)
ALARMS = Column("false alarms", "false_alarms", 0)
AREA = Column("km²", "area_km2", 0)

ROWS = (F1, PRECISION, RECALL, AP, FALSE_RATE, CENTRE, KILNS, HITS, ALARMS, Column("excused", "excused", 0))
ROTATED = (AP, F1, PRECISION, RECALL, HITS, ALARMS)
REGIONS = (AREA, KILNS, HITS, ALARMS, F1, PRECISION, RECALL, AP, FALSE_RATE, CENTRE)
SIZES = (KILNS, HITS, RECALL, CENTRE)
POOLED = (F1, PRECISION, RECALL, FALSE_RATE, HITS, ALARMS)

FIGURE_NAMES = {
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "average_precision": "average precision",
    "rotated_ap50": "rotated AP50",
    "false_per_1000_km2": "false alarms per 1,000 km²",
}
ERROR_NAMES = {
    "centre_error_m": ("distance of the centres, m", 1),
    "length_error_m": ("length: box minus kiln, m", 1),
    "abs_length_error_m": ("length: size of the error, m", 1),
    "length_ratio": ("length: box / kiln", 3),
    "width_error_m": ("width: box minus kiln, m", 1),
    "abs_width_error_m": ("width: size of the error, m", 1),
    "width_ratio": ("width: box / kiln", 3),
    "angle_error_deg": ("angle between the long axes, degrees (kilns at least 1.3 times as long as wide)", 1),
    "turned_share": ("share of these turned by more than 30 degrees", 3),
}
KINDS = {
    FALSE_ALARM: "False alarms",
    MISSED: "Missed kilns",
    EXCUSED: "Excused: neither right nor wrong",
    HIT: "Hits",
}


def number(value: float | None, digits: int) -> str:
    """A number with so many digits after the point; a dash for none."""
    if value is None or not isfinite(value):
        return NOTHING
    return f"{value:,.{digits}f}"


def estimate_words(estimate: Estimate, digits: int, signed: bool = False) -> str:
    """A figure with its interval in brackets."""
    sign = "+" if signed else ""
    if not isfinite(estimate.value):
        return NOTHING
    value = f"{estimate.value:{sign},.{digits}f}"
    if not isfinite(estimate.low):
        return value
    between = f"{estimate.low:{sign},.{digits}f} to {estimate.high:{sign},.{digits}f}"
    return f"{value} ({between})"


def p_words(p: float) -> str:
    """A p-value; small ones only as far as 1,000 draws can tell."""
    if not isfinite(p):
        return NOTHING
    return "≤ 0.002" if p <= 0.002 else f"{p:.3f}"


def figure_of(group: Group, name: str) -> Estimate:
    """A figure of a group with its interval, if it has one."""
    value = float(getattr(group.scores, name))
    return Estimate(value, *group.intervals.get(name, (float("nan"), float("nan"))))


def ground_cell(region: Region) -> str:
    """How much of a scene is training ground."""
    if region.fold:
        return f"held out, fold {region.fold}"
    return f"{100 * region.trained_share:.0f} %" if region.trained_share else NOTHING


def caption(entry: Entry) -> str:
    """What a picture shows, in one line."""
    where = f"{entry.scene}, column {entry.col}, row {entry.row}"
    name = f"kiln {entry.kiln_name}. " if entry.kiln_name else ""
    return f"{name}{_what(entry)} {where}."


def _what(entry: Entry) -> str:
    score = number(entry.score, 2)
    far = number(entry.distance_m, 0)
    if entry.outcome in (MISSED, ONLY_SECOND, ONLY_FIRST):
        return "Nothing on it." if entry.score is None else f"Score {score}, {far} m off."
    if entry.outcome == HIT:
        return f"Score {score}, {far} m off."
    near = f" Nearest kiln: {far} m." if entry.distance_m is not None else ""
    return f"Score {score}.{near}"
