"""training.bands: weights of a net for some bands as a start for a net for others."""

from collections.abc import Sequence

import torch
from torch import Tensor

Weights = dict[str, Tensor]

_STEM = "stem.0.weight"


def for_bands(weights: Weights, have: Sequence[str], want: Sequence[str]) -> Weights:
    """The weights with a stem for other bands.

    A band that both know keeps its filters. One that is new starts from the mean of all that there were:
    edges and blobs look much the same in every band, and the normalisation after the stem takes up what is
    different in scale.

    Args:
        weights: of a net for the bands `have`; `stem.0.weight` is (filters, len(have), 3, 3).
        have: names of its bands.
        want: names of the bands to learn from.
    """
    if tuple(have) == tuple(want):
        return weights
    stem = weights[_STEM]
    by_name = {name: stem[:, k] for k, name in enumerate(have)}
    mean = stem.mean(dim=1)
    return weights | {_STEM: torch.stack([by_name.get(name, mean) for name in want], dim=1)}


def in_words(have: Sequence[str], want: Sequence[str]) -> str:
    """What `for_bands` does, as a line for a person."""
    kept, new = [n for n in want if n in have], [n for n in want if n not in have]
    words = [f"{', '.join(kept)} kept"] if kept else []
    words += [f"{', '.join(new)} from the mean of {', '.join(have)}"] if new else []
    return f"The first layer starts for the bands {', '.join(want)}: {'; '.join(words)}."
