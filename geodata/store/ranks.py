"""geodata.store.ranks: where a site's score stands among the same model's in the project; a rank, no chance.

Scores of one model are compared with each other only. It is a conclusion as those of `conclusions`: drawn
again on every import and rebuild.
"""

from sqlalchemy import Connection, text

RANK_AT_LEAST = 8
"""With fewer possible kilns of a model, quarters mean nothing."""

# A site goes with the model of its best detection. Equal scores have the same rank.
RANKS = """
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
FROM ranked WHERE ranked.site_id = sites.site_id AND ranked.n >= :least
"""


def write_ranks(connection: Connection) -> None:
    """Work the ranks of all sites out anew."""
    connection.execute(text("UPDATE sites SET rank = NULL WHERE rank IS NOT NULL"))
    connection.execute(text(RANKS), {"least": RANK_AT_LEAST})
