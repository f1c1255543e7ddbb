"""training.identity: what makes a run this run and no other: settings, data, weights to start from."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from torch import Tensor

from training.scenes import TrainingScene

Settings = Mapping[str, Any]
"""By name, such as `fit.steps`; values as JSON has them."""

_MAY_CHANGE = ("checkpoint_every", "threads", "device")
"""How often to save and where to run may change between runs, what is learnt may not."""
_SHOWN = 6


def identity(
    fit_options: Any,
    crop_options: Any,
    scenes: Sequence[TrainingScene],
    init: Mapping[str, Tensor] | None,
) -> dict[str, Any]:
    """Everything that the end weights depend on, besides the machine, as a flat table.

    Args:
        fit_options: a dataclass, `training.fit.FitOptions`.
        crop_options: a dataclass, `training.crops.CropOptions`.
        scenes: what is learnt from; each enters with a hash of its kilns (their probabilities
            too), of places known to be none, of what is left out, and of a coarse look at its pixels.
        init: weights to start from.
    """
    out = {f"fit.{k}": _plain(v) for k, v in asdict(fit_options).items() if k not in _MAY_CHANGE}
    out |= {f"crops.{k}": _plain(v) for k, v in asdict(crop_options).items()}
    out |= {"bands": int(scenes[0].pixels.shape[0]), "init": _hash_of_weights(init) if init else "none"}
    return out | {f"data.{scene.name}": _hash_of_scene(scene) for scene in scenes}


def differences(then: Any, now: Settings) -> str:
    """The settings that differ, in words; empty where none does.

    Args:
        then: what a checkpoint noted: a flat table, or, from an earlier version, the two tables of options.
        now: this run's.
    """
    if isinstance(then, list):
        then, now = _of_earlier_version(then, now)
    names = [n for n in {**then, **now} if then.get(n, _MISSING) != now.get(n, _MISSING)]
    words = [_in_words(n, then.get(n, _MISSING), now.get(n, _MISSING)) for n in names[:_SHOWN]]
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join(words + more)


_MISSING = object()


def _of_earlier_version(then: list[dict[str, Any]], now: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    # it noted neither data nor weights to start from, knew one precision, never doubted labels, and knew no
    # other soils, veils or averaging
    flat: dict[str, Any] = {"fit.precision": "fp32", "fit.doubt_after_share": 1.0}
    flat |= {f"crops.{name}_chance": 0.0 for name in ("averaged", "soil", "haze")}
    flat |= {f"fit.{k}": v for k, v in then[0].items()} | {f"crops.{k}": v for k, v in then[1].items()}
    return flat, {k: v for k, v in now.items() if k.startswith(("fit.", "crops."))}


def _in_words(name: str, then: Any, now: Any) -> str:
    if name.startswith("data."):
        scene = name.removeprefix("data.")
        if then is _MISSING:
            return f"the scene {scene} is new"
        if now is _MISSING:
            return f"the scene {scene} is missing"
        return f"the scene {scene} has other kilns, pixels or places without kilns or left out"
    if name == "init":
        return "it started from no weights" if then == "none" else f"it started from the weights {then}"
    if then is _MISSING:
        return f"{name} was not known and is {now}"
    return f"{name} was {then} and is {'not known' if now is _MISSING else now} now"


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _hash_of_weights(weights: Mapping[str, Tensor]) -> str:
    return _hash(weights[name].detach().cpu().numpy() for name in sorted(weights))


def _hash_of_scene(scene: TrainingScene) -> str:
    # rounded, since another version of a library may give other last digits
    kilns = (
        np.round(np.asarray(getattr(scene.kilns, f.name), np.float64), 3) + 0.0 for f in fields(scene.kilns)
    )
    coarse = scene.pixels[:, ::4, ::4].astype(np.float64)
    look = np.round([coarse.mean((1, 2)), coarse.std((1, 2))], 2) + 0.0
    return _hash([np.round(scene.weight, 3), look, *kilns, np.round(scene.negatives, 3) + 0.0])


def _hash(arrays: Iterable[np.ndarray[Any, Any]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
