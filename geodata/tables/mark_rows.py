"""geodata.tables.mark_rows: when one row of volunteers' marks is good; knows nothing of files."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Self

import mercantile
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from geodata.errors import InputError
from geodata.looks import Answer, Mark
from geodata.tiles import ZOOM, tile_from_id, tile_id

_ROUNDING_DEG = 1e-6
"""About 0.1 m: positions written with six decimals may lie that far outside their tile."""


def check_rows(rows: Iterable[tuple[str, Mapping[str, object]]]) -> tuple[list[Mark], list[str]]:
    """Good rows as marks, and one sentence per broken row; each row comes with its name ("row 7").

    Rows of one volunteer, tile and moment that answer differently are all broken.
    """
    named: list[tuple[str, Mark]] = []
    problems: list[str] = []
    for name, row in rows:
        try:
            named.append((name, Mark(**_Row.model_validate(row).model_dump())))
        except ValidationError as error:
            problems.append(f"{name}: {_sentence(error)}")
    contradictions = _contradictions(named)
    problems += contradictions.values()
    return [mark for name, mark in named if name not in contradictions], problems


def _contradictions(named: list[tuple[str, Mark]]) -> dict[str, str]:
    looks: dict[tuple[str, str, datetime], list[tuple[str, Mark]]] = defaultdict(list)
    for name, mark in named:
        looks[mark.volunteer_id, mark.tile_id, mark.seen_at].append((name, mark))
    return {
        name: f"{name}: volunteer {mark.volunteer_id!r} gives different answers on tile {mark.tile_id} "
        f"at the same moment ({', '.join(sorted({m.answer for _, m in rows}))}); keep one."
        for rows in looks.values()
        if len({m.answer for _, m in rows}) > 1
        for name, mark in rows
    }


def _sentence(error: ValidationError) -> str:
    return "; ".join(_complaint(one) for one in error.errors(include_url=False)) + "."


def _complaint(one: ErrorDetails) -> str:
    if one["type"] == "value_error":
        # the checks below name column and value themselves
        return one["msg"].removeprefix("Value error, ")
    column = ".".join(str(part) for part in one["loc"])
    value = "missing" if one["type"] == "missing" else repr(one["input"])
    return f"{column} is {value}: {one['msg'][:1].lower()}{one['msg'][1:]}"


def _tile_id(value: object) -> str:
    name = str(value).strip()
    try:
        known = tile_id(tile_from_id(name)) == name
    except InputError:
        known = False
    if not known:
        raise ValueError(f"tile_id {value!r} is no tile of the form '{ZOOM}/x/y'")
    return name


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        moment = value
    else:
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            raise ValueError(f"seen_at {value!r} is no ISO 8601 date and time") from None
        if ":" not in str(value) and "T" not in str(value):
            raise ValueError(f"seen_at {value!r} has no time of day, so it cannot tell which look was first")
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"seen_at {value!r} is too early or too late for a date") from None


class _Row(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True, coerce_numbers_to_str=True, extra="ignore")

    volunteer_id: str = Field(min_length=1, max_length=200)
    tile_id: Annotated[str, BeforeValidator(_tile_id)]
    answer: Answer
    lon: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)
    lat: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    seen_at: Annotated[datetime, BeforeValidator(_moment)]

    @model_validator(mode="after")
    def _position_fits(self) -> Self:
        if self.answer != "kiln":
            if self.lon is not None or self.lat is not None:
                raise ValueError(f"the answer '{self.answer}' has a position, which only 'kiln' may have")
            return self
        if self.lon is None or self.lat is None:
            raise ValueError("the answer 'kiln' needs lon and lat")
        if not _inside(self.tile_id, self.lon, self.lat):
            hint = "; lon and lat look swapped" if _inside(self.tile_id, self.lat, self.lon) else ""
            raise ValueError(
                f"the mark at lon {self.lon}, lat {self.lat} lies outside its tile '{self.tile_id}'{hint}"
            )
        return self


def _inside(name: str, lon: float, lat: float) -> bool:
    bounds = mercantile.bounds(tile_from_id(name))
    return bool(
        bounds.west - _ROUNDING_DEG <= lon <= bounds.east + _ROUNDING_DEG
        and bounds.south - _ROUNDING_DEG <= lat <= bounds.north + _ROUNDING_DEG
    )
