"""training.peers.tries: the settings that are tried (TOML), checked before anything is read."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from geodata.errors import InputError

_STRICT = ConfigDict(extra="forbid")
Positive = Annotated[int, Field(gt=0)]


@dataclass(frozen=True)
class Try:
    """One detector with its settings."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    detector: Literal["fcos", "retinanet"]
    backbone: Literal["resnet18", "mobilenet_v3_large"]
    steps: Positive
    """Of the whole budget: so many cost what the own net's steps cost; `--measure` tells."""
    up: Annotated[int, Field(ge=1, le=4)] = 1
    """Times the input is up-sampled before the net sees it (bilinear)."""
    levels: Annotated[tuple[Literal[1, 2, 3, 4], ...], Field(min_length=1)] = (1, 2, 3, 4)
    """Stages of the backbone that the pyramid takes; 1 has stride 4, 2 stride 8 and so on (up-sampled px)."""
    channels: Annotated[int, Field(gt=0, multiple_of=32)] = 64
    """Of the pyramid and the heads."""
    convs: Annotated[int, Field(ge=1, le=4)] = 2
    """Convolutions in each head before its answer; torchvision's default is 4."""
    anchors_px: tuple[float, ...] = (7.0, 10.0, 14.0)
    """RetinaNet only: sides of the anchors of the finest level, in the scene's pixels."""
    fg_iou: Annotated[float, Field(gt=0, le=1)] = 0.5
    """RetinaNet only: an anchor with this overlap is a kiln; 0.1 less is none."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    nms_iou: Annotated[float, Field(gt=0, lt=1)] = 0.4


@dataclass(frozen=True)
class Tries:
    """The file."""

    __pydantic_config__ = _STRICT

    run: str
    """Run file of the own net: scenes, labels, folds and crops are the same; relative to this file."""
    tries: Annotated[tuple[Try, ...], Field(min_length=1)]
    compare_folds: tuple[Positive, ...] = ()
    """Numbers (from 1) of the folds on which the tries are compared."""
    compare_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of the budget, for the comparison."""
    full_folds: tuple[Positive, ...] = ()
    """Folds on which the best one is run and reported; all, if left out."""
    full_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Of the budget, for that."""
    compare_views: Literal[1, 2, 4] = 1
    """Mirror images whose answers are fused, in the comparison ..."""
    views: Literal[1, 2, 4] = 4
    """... and for the best one; the own net's `[model] views`."""
    base: Path = field(default_factory=Path)

    def named(self, name: str) -> Try:
        """The try of a name. Raises `InputError` where there is none."""
        for one in self.tries:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.tries)
        raise InputError(f"There is no try {name}; the file has {known}.")


def read_tries(path: Path) -> Tries:
    """Read and check a file of tries.

    Raises:
        InputError: if it cannot be read, is not TOML, or holds an unknown or wrong setting.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        tries = TypeAdapter(Tries).validate_python({**values, "base": path.parent})
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); give an existing file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not TOML: {error}; correct it.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}; correct it.") from None
    names = [one.name for one in tries.tries]
    if len(set(names)) < len(names):
        raise InputError(f"{path} has two tries of one name ({', '.join(names)}); rename one.")
    return tries
