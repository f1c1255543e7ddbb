"""Rounds of the queue: which of them a tile came in with last, and the chance that it had."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queue", sa.Column("round", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("queue", sa.Column("chance", sa.Float(), nullable=True))
