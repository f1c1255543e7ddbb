"""geodata.store.models: which model a project uses, as its log tells; knows models by their ids only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from geodata.store.events import NewEvent
from geodata.store.schema import events
from geodata.store.store import Store

KIND = "model_chosen"


@dataclass(frozen=True)
class ModelChoice:
    """Somebody made a model the one that the project uses."""

    at: datetime
    model_id: str
    name: str
    why: str
    comparison: dict[str, Any] | None = None
    """What it was measured by; None where it was not."""


def choose_model(store: Store, choice: ModelChoice, who: str) -> None:
    """Make a model the one in use. A project uses the model that was chosen last."""
    payload = {"model_id": choice.model_id, "name": choice.name, "why": choice.why}
    store.record(NewEvent(choice.at, KIND, who, payload | {"comparison": choice.comparison}))


def model_choices(connection: Connection) -> list[ModelChoice]:
    """All choices, oldest first; none where the project has always used the model that comes along."""
    query = select(events.c.at, events.c.payload).where(events.c.kind == KIND).order_by(events.c.event_id)
    return [
        ModelChoice(
            row.at,
            row.payload["model_id"],
            row.payload["name"],
            row.payload["why"],
            row.payload["comparison"],
        )
        for row in connection.execute(query)
    ]
