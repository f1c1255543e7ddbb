"""geodata.sources.bands: which band of a file is which; knows names only, no pixels.

Names are looked for in this order: what the user said (`--bands`), the band descriptions and tags of the
file, its colour interpretation, and last, where exactly as many bands lie there as are wanted and none has
a name, their order (with a warning).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from geodata.errors import InputError

SCL = "scl"
"""Canonical name of the scene classification layer of Sentinel-2."""

_ALIASES = {
    "b01": "coastal",
    "b02": "blue",
    "b03": "green",
    "b04": "red",
    "b05": "rededge1",
    "b06": "rededge2",
    "b07": "rededge3",
    "b08": "nir",
    "b8a": "nir08",
    "b09": "nir09",
    "b10": "cirrus",
    "b11": "swir16",
    "b12": "swir22",
    "r": "red",
    "g": "green",
    "b": "blue",
    "sceneclassification": SCL,
    "sceneclassificationlayer": SCL,
}
_KNOWN = frozenset(_ALIASES.values())
_NUMBERED = re.compile(r"b(\d{1,2}|8a)")
_BY_WORD = re.compile(r"[^a-z0-9]+")
_NOT_NEEDED = "-"
_NAMELESS = ("gray", "undefined")


@dataclass(frozen=True)
class FileBand:
    """One band of a file as the file describes it; `index` counts from 1."""

    index: int
    description: str | None
    colour: str
    """Colour interpretation: 'red', 'gray', 'alpha', 'undefined', ..."""


@dataclass(frozen=True)
class BandPlan:
    """Which bands to read: the wanted ones in their order, and the class layer where there is one."""

    names: tuple[str, ...]
    indexes: tuple[int, ...]
    scl_index: int | None
    warnings: tuple[str, ...] = ()
    alpha_is_data: bool = False
    """What GDAL takes for transparency is a band of light: it hides no pixels."""


def canonical(name: str) -> str:
    """Give the common name of a band: 'B4', 'b04', 'B04_10m', 'Red' and 'T43RGM_…_B04' are all 'red'.

    A name that is not known comes back in small letters without spaces around it.
    """
    text = name.strip().lower()
    words = _BY_WORD.split(text)
    known = {_known(word) for word in words} - {None}
    if "edge" in words:
        known -= {"red"}  # the red edge is another band
    if len(known) == 1:
        return str(known.pop())
    return text


def _known(word: str) -> str | None:
    match = _NUMBERED.fullmatch(word)
    if match:
        word = "b" + match.group(1).rjust(2, "0")
    if word in _KNOWN:
        return word
    return _ALIASES.get(word)


def plan_bands(
    file: str, found: Sequence[FileBand], wanted: Sequence[str], given: Sequence[str] | None
) -> BandPlan:
    """Match the wanted bands to those of a file.

    Args:
        file: the file's name, for messages.
        found: all bands of the file.
        wanted: names such as ('red', 'green', 'blue').
        given: names of the file's bands in their order, as the user gave them; '-' for one not needed.

    Raises:
        InputError: a band is missing or named twice, or `given` does not fit the file.
    """
    data = [band for band in found if band.colour != "alpha" or _is_light(band.description)]
    given_names = _given_names(file, found, data, given)
    light = any(b.colour == "alpha" and _is_light(given_names.get(b.index, b.description)) for b in found)
    for names in (given_names, _described_names(data), _colour_names(data)):
        plan = names and _match(file, names, wanted)
        if plan:
            return replace(plan, alpha_is_data=light)
        if names and given:
            break
    if given is None and len(data) == len(wanted) and not _described_names(data):
        order = ", ".join(wanted)
        warning = f"{file} does not name its bands; taken in the order {order} (else use --bands)."
        return BandPlan(tuple(wanted), tuple(band.index for band in data), None, (warning,))
    raise InputError(_missing(file, data, wanted, given))


def _is_light(name: str | None) -> bool:
    # GDAL calls the fourth of four 8-bit bands alpha, near infrared too
    return name is not None and canonical(name) in _KNOWN


def _given_names(
    file: str, found: Sequence[FileBand], data: Sequence[FileBand], given: Sequence[str] | None
) -> dict[int, str]:
    if given is None:
        return {}
    if len(given) not in (len(data), len(found)):
        raise InputError(
            f"--bands gives {len(given)} names but {file} has {len(data)} bands; name each of them in"
            f" the file's order, with {_NOT_NEEDED} for one that is not needed."
        )
    bands = data if len(given) == len(data) else found
    return {b.index: canonical(n) for b, n in zip(bands, given, strict=True) if n.strip() != _NOT_NEEDED}


def _described_names(data: Sequence[FileBand]) -> dict[int, str]:
    return {band.index: canonical(band.description) for band in data if band.description}


def _colour_names(data: Sequence[FileBand]) -> dict[int, str]:
    # GDAL calls any three 8-bit bands red, green and blue: a band that is known by its name keeps that
    return {
        band.index: band.colour
        for band in data
        if band.colour in ("red", "green", "blue")
        and (not band.description or canonical(band.description) not in _KNOWN - {band.colour})
    }


def _match(file: str, names: dict[int, str], wanted: Sequence[str]) -> BandPlan | None:
    places: dict[str, list[int]] = {}
    for index, name in names.items():
        places.setdefault(name, []).append(index)
    keys = [canonical(name) for name in wanted]
    if any(key not in places for key in keys):
        return None
    for name, key in zip(wanted, keys, strict=True):
        if len(places[key]) > 1:
            where = " and ".join(str(index) for index in places[key])
            raise InputError(
                f"{file} has the band {name} more than once (bands {where}); say with --bands which to take."
            )
    scl = places.get(SCL, [None])[0]
    return BandPlan(tuple(wanted), tuple(places[key][0] for key in keys), scl)


def _missing(file: str, data: Sequence[FileBand], wanted: Sequence[str], given: Sequence[str] | None) -> str:
    if given is not None:
        listed = ", ".join(given)
        return f"--bands names {listed} for {file}, but {', '.join(wanted)} are needed; name those too."
    names = [band.description or band.colour for band in data]
    nameless = all(band.description is None and band.colour in _NAMELESS for band in data)
    has = f"{len(data)} without names" if nameless else ", ".join(names)
    return (
        f"{file} does not have the bands {', '.join(wanted)}: it has {has};"
        " if they are there, name the file's bands in their order with --bands."
    )
