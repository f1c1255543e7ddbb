"""app.cli.evaluation_table: the figures of an evaluation as tables in the terminal."""

from math import isfinite
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from app.services.evaluating import Evaluation
    from detection.evaluate.summary import Row

_FIGURES = (
    ("F1", "f1", 3),
    ("precision", "precision", 3),
    ("recall", "recall", 3),
    ("average precision", "average_precision", 3),
    ("false per 1,000 km²", "false_per_1000_km2", 1),
    ("centre error (m)", "centre_error_m", 1),
)
"""Label, field of `Scores`, digits after the point."""


def show(result: "Evaluation") -> None:
    """Print the figures as tables."""
    console = Console()
    if result.training_shares:
        named = ", ".join(f"{name} ({100 * share:.0f} %)" for name, share in result.training_shares.items())
        said = f"NOT A TEST: the model was trained on ground that is scored here: {named}."
        console.print(said, markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"Model {result.model_id} at threshold {result.threshold:.3f}: {result.area_km2:,.0f} km² of "
        f"{len(result.scenes)} scene(s). In brackets: 95 % intervals.",
        highlight=False,
    )
    console.print(_table("Unverified places excused", [row for row in result.rows if row.with_places]))
    console.print(_table("Nothing excused", [row for row in result.rows if not row.with_places]))


def _table(title: str, rows: "list[Row]") -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("centres within")
    for row in rows:
        table.add_column(f"{row.scores.radius_m:.0f} m", justify="right")
    for label, name, digits in _FIGURES:
        table.add_row(label, *(_cell(row, name, digits) for row in rows))
    table.add_row("hits of kilns", *(f"{row.scores.hits} of {row.scores.kilns}" for row in rows))
    table.add_row("false alarms", *(str(row.scores.false_alarms) for row in rows))
    return table


def _cell(row: "Row", name: str, digits: int) -> str:
    value: float = getattr(row.scores, name)
    if not isfinite(value):
        return "–"
    if name not in row.intervals:  # no draw of places changes it, which is no certainty
        return f"{value:.{digits}f}"
    low, high = row.intervals[name]
    return f"{value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
