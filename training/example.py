"""training.example: the commented run file of `kilnlight train --example`, with every setting of `config`."""

import json
import textwrap
from typing import Any

from pydantic.fields import FieldInfo

from training.config import RunConfig

_HEAD = """\
# A run of `kilnlight train`. Paths are relative to this file; $NAME is taken from the environment.
# A setting behind a # has the value that it has when it is left out.
"""
_STAGES = """\
# After [fit] each net learns on for so many steps (final_steps: the net on everything), with other crops, as
# often as there are entries; its weights go new_share of the way to the new ones; none if it is left out.
# stages = [{ steps = 1000, learning_rate = 0.001, new_share = 0.5, crops = { zoom_min = 0.5 } }]
"""
_VALUES: dict[str, dict[str, Any]] = {
    "data": {
        "scenes": ["scenes/*.tif"],
        "labels": "kilns.geojson",
        "ignore": "unverified.csv",
        "bands": ["red", "green", "blue"],
        "name": "my labels",
        "licence": "CC BY 4.0",
        "attribution": "Contains modified Copernicus Sentinel data 2024",
    },
    "model": {
        "name": "my-kilns",
        "area": [[76.8, 28.2], [77.7, 28.2], [77.7, 29.0], [76.8, 29.0]],
        "months": [11, 12, 1, 2],
        "products": ["S2-L2A"],
    },
    "fit": {"steps": 2600, "seed": 0},
}
"""What a researcher sets; all else is shown behind a `#`."""
_HINTS: dict[str, dict[str, Any]] = {
    "data": {"band_names": ["red", "green", "blue"], "land": {"city.tif": "city"}},
    "fit": {"final_steps": 4500},
}
"""An example for a setting that is nothing when it is left out."""
_FOLDS = """\
# Parts that are held back together. The threshold and the calibration come from the detections on them, made
# by nets that have not seen them. Without folds the threshold is chosen on the training scenes, and the card
# says so. A part is a scene, or a span of its columns (first, behind the last).
"""
_PARTS = """\
parts = [
    [{ scene = "north.tif" }, { scene = "city.tif", columns = [0, 1500] }],
    [{ scene = "south.tif" }, { scene = "city.tif", columns = [1500, 9999] }],
]
# In place of parts, blocks of land, from: kilnlight labels split scenes --folds 5 --out folds.geojson
# Ground called val in it is kept for a later test.
# file = "folds.geojson"
"""

_BY_HAND = (("folds", "parts"), ("folds", "file"))


def example() -> str:
    """The run file's text: TOML that `training.config.read_config` takes."""
    sections = [name for name in RunConfig.model_fields if name != "stages"]
    sections.sort(key=lambda name: name == "folds")  # its many lines come last
    return "\n".join([_HEAD, _STAGES, *(_section(name) for name in sections)])


def _section(section: str) -> str:
    model = RunConfig.model_fields[section].annotation
    fields: dict[str, FieldInfo] = getattr(model, "model_fields", {})
    lines = [_line(section, name, field) for name, field in fields.items() if (section, name) not in _BY_HAND]
    head, tail = (_FOLDS, _PARTS) if section == "folds" else ("", "")
    return f"{head}[{section}]\n" + "".join(lines) + tail


def _line(section: str, name: str, field: FieldInfo) -> str:
    values, hints = _VALUES.get(section, {}), _HINTS.get(section, {})
    value = values.get(name, hints.get(name, field.default))
    shown = "" if value is None else _toml(value)
    setting = f"{'' if name in values else '# '}{name} = {shown}"
    words = " ".join((field.description or "").split())
    if not words:
        return setting + "\n"
    if len(setting) <= 34 and len(words) <= 70:
        return f"{setting:<36}# {words}\n"
    return textwrap.fill(words, 104, initial_indent="# ", subsequent_indent="# ") + f"\n{setting}\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False, default=str)
