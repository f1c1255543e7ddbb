"""Ranks by score; and no probability stays where the detector's part was not calibrated."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# as geodata.store.ranks was when this was written
_RANKS = """
WITH best AS (
    SELECT site_id, model_id, row_number() OVER (
        PARTITION BY site_id ORDER BY score DESC, model_id) AS place
    FROM detections WHERE NOT superseded AND NOT is_candidate
), ranked AS (
    SELECT s.site_id, count(*) OVER (PARTITION BY b.model_id) AS n,
        rank() OVER (PARTITION BY b.model_id ORDER BY s.score DESC) - 1 AS higher
    FROM sites s JOIN best b USING (site_id) WHERE b.place = 1 AND NOT s.is_candidate
)
UPDATE sites SET rank = 1.0 - CAST(ranked.higher AS REAL) / ranked.n
FROM ranked WHERE ranked.site_id = sites.site_id AND ranked.n >= 8
"""

# Candidates count only where nothing reached the threshold. `calibrated` is drawn again at the next import.
_UNBACKED = """
UPDATE sites SET probability = NULL, calibrated = 0 WHERE NOT EXISTS (
    SELECT 1 FROM detections d WHERE d.site_id = sites.site_id AND NOT d.superseded
) OR EXISTS (
    SELECT 1 FROM detections d WHERE d.site_id = sites.site_id AND NOT d.superseded
    AND d.is_candidate = sites.is_candidate AND d.probability IS NULL
)
"""


def upgrade() -> None:
    op.add_column("sites", sa.Column("rank", sa.Float(), nullable=True))
    op.execute(_RANKS)
    op.execute(_UNBACKED)
