"""geodata.sources.metadata: product, time and place in a catalogue, from tags and names; reads no pixels.

The time of acquisition comes from the tags of the file or, for Sentinel-2, from its name in ESA's form;
never from the file's own time nor from `TIFFTAG_DATETIME`, which says when the file was written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

UNKNOWN_PRODUCT = "unknown"

SCENE_ID_TAG = "KILNLIGHT_SCENE_ID"
ACQUIRED_TAG = "ACQUIRED_AT"
PRODUCT_TAG = "PRODUCT"
MADE_UP_TAG = "MADE_UP"

_ID_TAGS = (SCENE_ID_TAG, "PRODUCT_URI", "PRODUCT_ID", "S2_PRODUCT_ID", "S2:PRODUCT_URI")
_TIME_TAGS = (
    ACQUIRED_TAG,
    "ACQUISITIONDATETIME",
    "DATATAKE_1_DATATAKE_SENSING_START",
    "PRODUCT_START_TIME",
    "SENSING_TIME",
    "ACQUISITION_DATE",
)
_LEVEL_TAGS = (PRODUCT_TAG, "PRODUCT_TYPE", "PROCESSING_LEVEL")
_PRODUCT_NAME = re.compile(r"S2[A-D]_MSI(L1C|L2A)_(\d{8}T\d{6})_")
_BAND_FILE_NAME = re.compile(r"(?:L(1C|2A)_)?T\d{2}[A-Z]{3}_(\d{8}T\d{6})_")
_LEVEL = re.compile(r"(?<![A-Z0-9])(?:S2[-_ ]?)?(?:MSI[-_ ]?)?(?:LEVEL[-_ ]?|L)?(1C|2A)(?![A-Z0-9])")


@dataclass(frozen=True)
class Metadata:
    """What tags and name tell; None where they tell nothing."""

    scene_id: str | None
    acquired_at: datetime | None
    """UTC"""
    product: str | None
    """'S2-L2A', 'S2-L1C' or what the tag says."""
    made_up: bool


def read_metadata(tags: Mapping[str, str], stem: str) -> Metadata:
    """Read what the tags of a file and its name (without suffix) tell.

    The name gives time and product, but no scene id: two cut-outs of one product may bear its name.
    """
    upper = {key.upper(): str(value).strip() for key, value in tags.items()}
    scene_id = _first(upper, _ID_TAGS)
    if scene_id:
        scene_id = scene_id.removesuffix(".SAFE")
    acquired = _time_from_tags(upper)
    product = _product_from_tags(upper)
    for text in (scene_id or "", stem):
        acquired = acquired or _time_from_name(text)
        product = product or _product_from_name(text)
    return Metadata(scene_id, acquired, product, upper.get(MADE_UP_TAG, "").lower() in ("yes", "true", "1"))


def parse_time(text: str) -> datetime | None:
    """Read an ISO 8601 time (or ESA's compact form) as UTC; None where it is none. No zone means UTC."""
    try:
        time = datetime.fromisoformat(text.strip())
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _first(tags: Mapping[str, str], keys: tuple[str, ...]) -> str | None:
    return next((tags[key] for key in keys if tags.get(key)), None)


def _time_from_tags(tags: Mapping[str, str]) -> datetime | None:
    times = (parse_time(tags[key]) for key in _TIME_TAGS if tags.get(key))
    return next((time for time in times if time), None)


def product_name(text: str) -> str:
    """The name that cards use: 'L2A', 'Level-2A' and 'S2_MSI_L2A' are all 'S2-L2A'; others stay."""
    level = _LEVEL.search(text.upper())
    return f"S2-L{level.group(1)}" if level else text.strip()


def _product_from_tags(tags: Mapping[str, str]) -> str | None:
    names = (product_name(tags[key]) for key in _LEVEL_TAGS if _LEVEL.search(tags.get(key, "").upper()))
    return next(names, tags.get(PRODUCT_TAG) or None)


def _time_from_name(name: str) -> datetime | None:
    match = _PRODUCT_NAME.search(name) or _BAND_FILE_NAME.search(name)
    return parse_time(match.group(2)) if match else None


def _product_from_name(name: str) -> str | None:
    if match := _PRODUCT_NAME.search(name):
        return f"S2-{match.group(1)}"
    match = _BAND_FILE_NAME.search(name)
    return f"S2-L{match.group(1)}" if match and match.group(1) else None
