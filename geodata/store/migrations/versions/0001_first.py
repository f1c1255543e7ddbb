"""The first schema: an append-only log of events and the tables that are derived from it."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "queue",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("tile_id", sa.Text(), nullable=False),
        sa.Column("doubt", sa.Float(), nullable=False),
        sa.Column("sampled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("token"),
        sa.UniqueConstraint("tile_id"),
    )
    op.create_table(
        "sites",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("length_m", sa.Float(), nullable=False),
        sa.Column("width_m", sa.Float(), nullable=False),
        sa.Column("angle_deg", sa.Float(), nullable=False),
        sa.Column("tile_id", sa.Text(), nullable=False),
        sa.Column("site_type", sa.Text(), nullable=False),
        sa.Column("kiln_class", sa.Text(), nullable=False),
        sa.Column("marked_only", sa.Boolean(), nullable=False),
        sa.Column("made_up", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("is_candidate", sa.Boolean(), nullable=False),
        sa.Column("first_seen", sa.Text(), nullable=True),
        sa.Column("last_seen", sa.Text(), nullable=True),
        sa.Column("not_seen_on", sa.Text(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("log_odds", sa.Float(), nullable=True),
        sa.Column("calibrated", sa.Boolean(), nullable=False),
        sa.Column("votes_kiln", sa.Integer(), nullable=False),
        sa.Column("votes_none", sa.Integer(), nullable=False),
        sa.Column("votes_unsure", sa.Integer(), nullable=False),
        sa.Column("object_verdict", sa.Text(), nullable=True),
        sa.Column("verdict_note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("site_id"),
    )
    op.create_index(op.f("ix_sites_tile_id"), "sites", ["tile_id"], unique=False)
    op.create_table(
        "concern",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("concern", sa.Text(), nullable=False),
        sa.CheckConstraint("concern = 'none_recorded'", name="only_none_recorded"),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.site_id"],
        ),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.create_table(
        "history",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.event_id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.site_id"],
        ),
        sa.PrimaryKeyConstraint("site_id", "event_id"),
    )
    op.create_table(
        "marks",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("m", sa.Integer(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.event_id"],
        ),
        sa.PrimaryKeyConstraint("event_id", "n", "m"),
    )
    op.create_table(
        "reviews",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("object_verdict", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.event_id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.site_id"],
        ),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(op.f("ix_reviews_site_id"), "reviews", ["site_id"], unique=False)
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("model_created_at", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("imported_at", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.event_id"],
        ),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "site_outlines",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("outline", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.site_id"],
        ),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.create_table(
        "volunteers",
        sa.Column("volunteer_id", sa.Text(), nullable=False),
        sa.Column("first_event_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["first_event_id"],
            ["events.event_id"],
        ),
        sa.PrimaryKeyConstraint("volunteer_id"),
    )
    op.create_table(
        "answers",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.Text(), nullable=False),
        sa.Column("tile_id", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.Column("undone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.event_id"],
        ),
        sa.ForeignKeyConstraint(
            ["volunteer_id"],
            ["volunteers.volunteer_id"],
        ),
        sa.PrimaryKeyConstraint("event_id", "n"),
    )
    op.create_index("answers_by_volunteer", "answers", ["volunteer_id", "tile_id"], unique=False)
    op.create_index(op.f("ix_answers_tile_id"), "answers", ["tile_id"], unique=False)
    op.create_table(
        "exposures",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("volunteer_id", sa.Text(), nullable=False),
        sa.Column("shown_at", sa.Text(), nullable=False),
        sa.Column("selection_probability", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.event_id"],
        ),
        sa.ForeignKeyConstraint(
            ["token"],
            ["queue.token"],
        ),
        sa.ForeignKeyConstraint(
            ["volunteer_id"],
            ["volunteers.volunteer_id"],
        ),
        sa.PrimaryKeyConstraint("event_id"),
        comment="pictures handed out to a browser, at `shown_at`; only an answer tells that one was seen",
    )
    op.create_index(op.f("ix_exposures_volunteer_id"), "exposures", ["volunteer_id"], unique=False)
    op.create_table(
        "scenes",
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("acquired_at", sa.Text(), nullable=True),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("made_up", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scene_id"),
    )
    op.create_table(
        "votes",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("volunteer_id", sa.Text(), nullable=False),
        sa.Column("vote", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.site_id"],
        ),
        sa.ForeignKeyConstraint(
            ["volunteer_id"],
            ["volunteers.volunteer_id"],
        ),
        sa.PrimaryKeyConstraint("site_id", "volunteer_id"),
    )
    op.create_table(
        "coverage",
        sa.Column("tile_id", sa.Text(), nullable=False),
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("observed_share", sa.Float(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.run_id"],
        ),
        sa.ForeignKeyConstraint(
            ["scene_id"],
            ["scenes.scene_id"],
        ),
        sa.PrimaryKeyConstraint("tile_id", "scene_id", "run_id"),
    )
    op.create_index(op.f("ix_coverage_scene_id"), "coverage", ["scene_id"], unique=False)
    op.create_table(
        "detections",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("detection_id", sa.Text(), nullable=False),
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("is_candidate", sa.Boolean(), nullable=False),
        sa.Column("tile_id", sa.Text(), nullable=False),
        sa.Column("superseded", sa.Boolean(), nullable=False),
        sa.Column("outline", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["runs.run_id"],
        ),
        sa.ForeignKeyConstraint(
            ["scene_id"],
            ["scenes.scene_id"],
        ),
        sa.ForeignKeyConstraint(
            ["site_id"],
            ["sites.site_id"],
        ),
        sa.PrimaryKeyConstraint("run_id", "detection_id"),
        comment="`tile_id`: the tile that holds the centre, or the nearest that its run covers in the scene",
    )
    op.create_index("detections_by_tile", "detections", ["tile_id", "scene_id"], unique=False)
    op.create_index(op.f("ix_detections_scene_id"), "detections", ["scene_id"], unique=False)
    op.create_index(op.f("ix_detections_site_id"), "detections", ["site_id"], unique=False)
    op.create_table(
        "pictures",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("corners", sa.JSON(), nullable=False),
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scene_id"],
            ["scenes.scene_id"],
        ),
        sa.PrimaryKeyConstraint("what"),
        comment="`what` is a site_id or a queue token: both are random and never meet",
    )
    op.create_table(
        "tiles",
        sa.Column("tile_id", sa.Text(), nullable=False),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.Column("observed_share", sa.Float(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("scene_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scene_id"],
            ["scenes.scene_id"],
        ),
        sa.PrimaryKeyConstraint("tile_id"),
    )
    op.create_index("tiles_by_place", "tiles", ["x", "y"], unique=False)
    # outlines as boxes, for "what lies in this part of the map"
    op.execute("CREATE VIRTUAL TABLE site_boxes USING rtree(n, west, east, south, north)")
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
            "BEGIN SELECT RAISE(ABORT, 'the log of events is only ever appended to'); END"
        )
