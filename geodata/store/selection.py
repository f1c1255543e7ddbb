"""geodata.store.selection: which tile a volunteer sees next, and how likely that choice was.

Mostly the doubtful tiles, each with a weight that grows with its doubt and falls with the answers it has. But
at least `RANDOM_AT_LEAST` of what a volunteer sees comes from a random sample of the observed tiles, since
only such tiles tell how many kilns the detector misses. The chance of each choice is kept with the exposure,
so that later estimates can weigh it. Pure: the caller hands in the state and the randomness.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from geodata.store.records import QueueItem

RANDOM_SHARE = 0.1
"""How often a draw goes to the random sample."""
RANDOM_AT_LEAST = 0.05
"""Where a volunteer would get less than this, the draw goes to the random sample for certain."""


@dataclass(frozen=True)
class Candidate:
    """A tile that can be shown."""

    token: str
    doubt: float
    sampled: bool
    answers: int

    @property
    def weight(self) -> float:
        """Tiles without doubt are shown through the random sample only."""
        return self.doubt / (1 + self.answers)


@dataclass(frozen=True)
class Shown:
    """What a volunteer has been shown so far."""

    total: int = 0
    at_random: int = 0


def draw(
    candidates: Sequence[Candidate], shown: Shown, n: int, rng: random.Random, share: float = RANDOM_SHARE
) -> list[QueueItem]:
    """Draw up to n tiles, one after the other, none twice; `share` of the draws go to the random sample."""
    left = list(candidates)
    items: list[QueueItem] = []
    while left and len(items) < n:
        item = _draw_one(left, shown, rng, share)
        if item is None:
            break
        items.append(item)
        left = [candidate for candidate in left if candidate.token != item.token]
        shown = Shown(shown.total + 1, shown.at_random + (item.reason == "random"))
    return items


def _draw_one(left: Sequence[Candidate], shown: Shown, rng: random.Random, wanted: float) -> QueueItem | None:
    sampled = [candidate for candidate in left if candidate.sampled]
    doubtful = [candidate for candidate in left if candidate.weight > 0]
    if not sampled and not doubtful:
        return None
    share = _share_at_random(bool(sampled), bool(doubtful), shown, wanted)
    total = sum(candidate.weight for candidate in doubtful)
    at_random = rng.random() < share
    chosen = rng.choice(sampled) if at_random else rng.choices(doubtful, [c.weight for c in doubtful])[0]
    # a sampled tile may be doubtful too: both ways lead to it
    chance = share / len(sampled) if chosen.sampled else 0.0
    chance += (1 - share) * (chosen.weight / total) if total else 0.0
    return QueueItem(chosen.token, chance, "random" if at_random else "doubtful")


def _share_at_random(any_sampled: bool, any_doubtful: bool, shown: Shown, wanted: float) -> float:
    if not any_sampled:
        return 0.0
    if not any_doubtful or shown.at_random < RANDOM_AT_LEAST * (shown.total + 1):
        return 1.0
    return max(wanted, RANDOM_AT_LEAST)
