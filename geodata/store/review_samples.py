"""geodata.store.review_samples: random samples for review as events, and what has become of them.

Only a review of a site in the latest sample of a model may calibrate it: what people choose to look at,
because it is doubtful or because it matters to them, is no random choice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from geodata.store.events import NewEvent, Payload
from geodata.store.review_draw import Draw, Drawn, Unit
from geodata.store.schema import coverage, detections, events, runs, scenes, sites
from geodata.store.store import Store

KIND = "review_sample_drawn"
SAMPLER = "calibrate"
"""Who stands in the log for the draw."""
_KEY = "review_sample:"


@dataclass(frozen=True)
class Sampled:
    """One unit of the sample with its place and what people say of the site now."""

    drawn: Drawn
    tile_id: str
    object_verdict: str | None


@dataclass(frozen=True)
class ReviewSample:
    """The latest sample of a model, in the order in which it is to be reviewed."""

    model_id: str
    at: datetime
    items: tuple[Sampled, ...]
    frame: dict[str, int]
    """Stratum -> how many units there were."""
    zoom: float | None
    """How many times enlarged the model saw the scenes when the scores were drawn; None in logs from before
    that was noted."""

    def reviewed(self) -> tuple[Sampled, ...]:
        """The beginning of the list in which each has a verdict, whichever.

        What was reviewed beyond the first gap waits: to leave out what is hard or dull is to choose.
        """
        for k, item in enumerate(self.items):
            if item.object_verdict is None:
                return self.items[:k]
        return self.items


@dataclass(frozen=True)
class SceneOfModel:
    """A scene on which a model's evidence counts."""

    scene_id: str
    name: str
    acquired_at: datetime | None
    product: str


def units_of(connection: Connection, model_id: str) -> list[Unit]:
    """Every site as each scene shows it to a model, by its current evidence, candidates too."""
    query = (
        select(detections.c.site_id, detections.c.scene_id, func.max(detections.c.score))
        .where(detections.c.model_id == model_id, detections.c.superseded.is_(False))
        .group_by(detections.c.site_id, detections.c.scene_id)
    )
    return [Unit(*row) for row in connection.execute(query)]


def models_of_evidence(connection: Connection) -> list[str]:
    """Models whose evidence counts now."""
    query = select(detections.c.model_id).where(detections.c.superseded.is_(False)).distinct()
    return sorted(connection.execute(query).scalars())


def counting_on(connection: Connection, model_id: str, scene_ids: Collection[str]) -> dict[str, set[str]]:
    """Runs of a model that count on some scenes -> the scenes on which they do."""
    query = (
        select(coverage.c.run_id, coverage.c.scene_id)
        .join(runs, runs.c.run_id == coverage.c.run_id)
        .where(runs.c.model_id == model_id, coverage.c.superseded.is_(False))
        .distinct()
    )
    found: dict[str, set[str]] = {}
    for run_id, scene_id in connection.execute(query):
        if scene_id in scene_ids:
            found.setdefault(run_id, set()).add(scene_id)
    return found


def runs_of_model(connection: Connection, model_id: str) -> list[str]:
    """Runs of a model that still count anywhere, in the order in which they were imported."""
    counting = select(coverage.c.run_id).where(coverage.c.superseded.is_(False))
    query = select(runs.c.run_id).where(runs.c.model_id == model_id, runs.c.run_id.in_(counting))
    query = query.order_by(runs.c.event_id)
    return list(connection.execute(query).scalars())


def scenes_of_model(connection: Connection, model_id: str) -> list[SceneOfModel]:
    """Scenes that a model looked at."""
    query = (
        select(scenes.c.scene_id, scenes.c.name, scenes.c.acquired_at, scenes.c.product)
        .join(coverage, coverage.c.scene_id == scenes.c.scene_id)
        .join(runs, runs.c.run_id == coverage.c.run_id)
        .where(runs.c.model_id == model_id)
        .distinct()
        .order_by(scenes.c.scene_id)
    )
    return [SceneOfModel(*row) for row in connection.execute(query)]


def tiles_of_model(connection: Connection, model_id: str, scene_ids: Sequence[str]) -> list[str]:
    """Tiles that some scenes cover in runs of a model, whether anything could be seen there or not."""
    query = (
        select(coverage.c.tile_id)
        .join(runs, runs.c.run_id == coverage.c.run_id)
        .where(runs.c.model_id == model_id, coverage.c.scene_id.in_(list(scene_ids)))
        .distinct()
    )
    return sorted(connection.execute(query).scalars())


def record_sample(store: Store, model_id: str, draw: Draw, at: datetime, zoom: float) -> None:
    """Write a sample into the log; `zoom` is that of the scores that were drawn from."""
    rows = [
        {
            "site_id": one.unit.site_id,
            "scene_id": one.unit.scene_id,
            "score": one.unit.score,
            "stratum": one.stratum,
            "selection_probability": one.selection_probability,
        }
        for one in draw.drawn
    ]
    payload = {"model_id": model_id, "zoom": zoom, "frame": draw.frame, "drawn": rows}
    store.record(NewEvent(at, KIND, SAMPLER, payload, f"{_KEY}{at.isoformat()}"))


def latest_sample(connection: Connection, model_id: str | None = None) -> ReviewSample | None:
    """The latest sample of a model, or of any."""
    found = select(events.c.at, events.c.payload).where(events.c.key > _KEY, events.c.key < _KEY[:-1] + ";")
    for row in connection.execute(found.order_by(events.c.event_id.desc())):
        if model_id in (None, row.payload["model_id"]):
            return _sample(connection, row.at, row.payload)
    return None


def _sample(connection: Connection, at: datetime, payload: Payload) -> ReviewSample:
    rows: list[Payload] = payload["drawn"]
    columns = select(sites.c.site_id, sites.c.tile_id, sites.c.object_verdict)
    known = {
        row.site_id: row
        for row in connection.execute(columns.where(sites.c.site_id.in_([row["site_id"] for row in rows])))
    }
    items = tuple(
        Sampled(_drawn(row), known[row["site_id"]].tile_id, known[row["site_id"]].object_verdict)
        for row in rows
    )
    return ReviewSample(payload["model_id"], at, items, payload["frame"], payload.get("zoom"))


def _drawn(row: Payload) -> Drawn:
    unit = Unit(row["site_id"], row["scene_id"], row["score"])
    return Drawn(unit, row["stratum"], row["selection_probability"])
