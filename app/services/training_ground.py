"""app.services.training_ground: a model is not scored on ground that it has seen, unless somebody insists."""

from collections.abc import Sequence

from detection.bundle import Card
from detection.training_ground import TrainedOn, blocks_of, trained_on
from geodata.errors import InputError
from geodata.scene import SceneInfo

_MOST_NAMED = 5


def training_shares(card: Card | None, infos: Sequence[SceneInfo], *, allowed: bool) -> list[TrainedOn]:
    """How much of each scene the card lists as training ground; nothing where it does not say.

    Raises:
        InputError: it lists some of it, and that is not allowed.
    """
    blocks = blocks_of(card) if card else ()
    shares = [trained_on(blocks, info.grid) for info in infos]
    seen = [(info, one) for info, one in zip(infos, shares, strict=True) if one.any]
    if seen and not allowed:
        named = ", ".join(f"{100 * one.share:.0f} % of {info.name}" for info, one in seen[:_MOST_NAMED])
        more = f" and {len(seen) - _MOST_NAMED} more scenes" if len(seen) > _MOST_NAMED else ""
        whose = card.name if card else "the model"
        raise InputError(
            f"The card of {whose} lists {named}{more} as ground that it was trained on, so figures from "
            "there mean nothing; name other scenes, or add --allow-training-data, and the report will say so."
        )
    return [one if one.any else TrainedOn(0.0, ()) for one in shares]
