"""geodata.store.schema: the tables of the store as SQLAlchemy sees them.

`events` is the truth and is only ever appended to; every other table is derived from it (see `rebuild`).
The R*Tree `site_boxes` and the triggers on `events` live in the migrations only.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A UTC time as text that sorts by time, for instance 2024-01-31T05:06:07.000000Z."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Refuse times without a zone: they would be read as another moment elsewhere."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Give an aware time in UTC."""
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("event_id", Integer, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("kind", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("key", Text, unique=True),
    Column("payload", JSON, nullable=False),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("model_id", Text, nullable=False),
    Column("model_created_at", UtcTime, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("imported_at", UtcTime, nullable=False),
    Column("event_id", ForeignKey("events.event_id"), nullable=False),
)

scenes = Table(
    "scenes",
    metadata,
    Column("scene_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("acquired_at", UtcTime),
    Column("product", Text, nullable=False),
    Column("made_up", Boolean, nullable=False),
)

sites = Table(
    "sites",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("site_id", Text, unique=True, nullable=False),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
    Column("length_m", Float, nullable=False),
    Column("width_m", Float, nullable=False),
    Column("angle_deg", Float, nullable=False),
    Column("tile_id", Text, nullable=False, index=True),
    Column("site_type", Text, nullable=False),
    Column("kiln_class", Text, nullable=False),
    Column("marked_only", Boolean, nullable=False),
    Column("made_up", Boolean, nullable=False),
    Column("score", Float),
    Column("rank", Float),
    Column("is_candidate", Boolean, nullable=False),
    Column("first_seen", UtcTime),
    Column("last_seen", UtcTime),
    Column("not_seen_on", UtcTime),
    Column("probability", Float),
    Column("log_odds", Float),
    Column("calibrated", Boolean, nullable=False),
    Column("votes_kiln", Integer, nullable=False),
    Column("votes_none", Integer, nullable=False),
    Column("votes_unsure", Integer, nullable=False),
    Column("object_verdict", Text),
    Column("verdict_note", Text),
)

site_outlines = Table(
    "site_outlines",
    metadata,
    Column("site_id", ForeignKey("sites.site_id"), primary_key=True),
    Column("outline", JSON, nullable=False),
)

concern = Table(
    "concern",
    metadata,
    Column("site_id", ForeignKey("sites.site_id"), primary_key=True),
    Column("concern", Text, nullable=False),
    CheckConstraint("concern = 'none_recorded'", name="only_none_recorded"),
)

detections = Table(
    "detections",
    metadata,
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("detection_id", Text, primary_key=True),
    Column("scene_id", ForeignKey("scenes.scene_id"), nullable=False, index=True),
    Column("site_id", ForeignKey("sites.site_id"), nullable=False, index=True),
    Column("model_id", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("probability", Float),
    Column("is_candidate", Boolean, nullable=False),
    Column("tile_id", Text, nullable=False),
    Column("superseded", Boolean, nullable=False),
    Column("outline", JSON, nullable=False),
    Index("detections_by_tile", "tile_id", "scene_id"),
    comment="`tile_id`: the tile that holds the centre, or the nearest that its run covers in the scene",
)

coverage = Table(
    "coverage",
    metadata,
    Column("tile_id", Text, primary_key=True),
    Column("scene_id", ForeignKey("scenes.scene_id"), primary_key=True, index=True),
    Column("run_id", ForeignKey("runs.run_id"), primary_key=True),
    Column("observed_share", Float, nullable=False),
    Column("superseded", Boolean, nullable=False),
)

tiles = Table(
    "tiles",
    metadata,
    Column("tile_id", Text, primary_key=True),
    Column("x", Integer, nullable=False),
    Column("y", Integer, nullable=False),
    Column("observed_share", Float, nullable=False),
    Column("state", Text, nullable=False),
    Column("scene_id", ForeignKey("scenes.scene_id"), nullable=False),
    Index("tiles_by_place", "x", "y"),
)

volunteers = Table(
    "volunteers",
    metadata,
    Column("volunteer_id", Text, primary_key=True),
    Column("first_event_id", ForeignKey("events.event_id"), nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("event_id", ForeignKey("events.event_id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("volunteer_id", ForeignKey("volunteers.volunteer_id"), nullable=False),
    Column("tile_id", Text, nullable=False, index=True),
    Column("answer", Text, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("undone", Boolean, nullable=False),
    Index("answers_by_volunteer", "volunteer_id", "tile_id"),
)

marks = Table(
    "marks",
    metadata,
    Column("event_id", ForeignKey("events.event_id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("m", Integer, primary_key=True),
    Column("lon", Float, nullable=False),
    Column("lat", Float, nullable=False),
)

votes = Table(
    "votes",
    metadata,
    Column("site_id", ForeignKey("sites.site_id"), primary_key=True),
    Column("volunteer_id", ForeignKey("volunteers.volunteer_id"), primary_key=True),
    Column("vote", Text, nullable=False),
)

queue = Table(
    "queue",
    metadata,
    Column("token", Text, primary_key=True),
    Column("tile_id", Text, unique=True, nullable=False),
    Column("doubt", Float, nullable=False),
    Column("sampled", Boolean, nullable=False),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("chance", Float),
)

pictures = Table(
    "pictures",
    metadata,
    Column("what", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("corners", JSON, nullable=False),
    Column("scene_id", ForeignKey("scenes.scene_id"), nullable=False),
    comment="`what` is a site_id or a queue token: both are random and never meet",
)

exposures = Table(
    "exposures",
    metadata,
    Column("event_id", ForeignKey("events.event_id"), primary_key=True),
    Column("token", ForeignKey("queue.token"), nullable=False),
    Column("volunteer_id", ForeignKey("volunteers.volunteer_id"), nullable=False, index=True),
    Column("shown_at", UtcTime, nullable=False),
    Column("selection_probability", Float, nullable=False),
    Column("reason", Text, nullable=False),
    comment="pictures handed out to a browser, at `shown_at`; only an answer tells that one was seen",
)

reviews = Table(
    "reviews",
    metadata,
    Column("event_id", ForeignKey("events.event_id"), primary_key=True),
    Column("site_id", ForeignKey("sites.site_id"), nullable=False, index=True),
    Column("object_verdict", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("undone", Boolean, nullable=False),
)

history = Table(
    "history",
    metadata,
    Column("site_id", ForeignKey("sites.site_id"), primary_key=True),
    Column("event_id", ForeignKey("events.event_id"), primary_key=True),
    Column("detail", JSON, nullable=False),
)
