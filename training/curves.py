"""training.curves: a net's learning curves as a picture, from its log files alone."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geodata.files import atomic_path
from geodata.grid import Floats
from training.log import STEP_COLUMNS, STEPS, WATCHED, WATCHED_COLUMNS

CURVES = "curves.png"
_POINTS = 800
"""No more points than the picture has pixels across."""


def draw_curves(folder: Path) -> None:
    """Write `curves.png` from `log.csv` and, if there is one, `watch.csv`."""
    steps = _columns(folder / STEPS, STEP_COLUMNS)
    watched = _columns(folder / WATCHED, WATCHED_COLUMNS)
    if not len(steps["step"]):
        return
    # no pyplot: it would hold every figure, and its state is shared
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    for axis, name, title in (
        (axes[0, 0], "heat_loss", "heat loss"),
        (axes[0, 1], "regression_loss", "regression loss"),
    ):
        _loss(axis, steps, watched, name)
        axis.set(title=title, yscale="log")
    axes[1, 0].plot(*thin(steps["step"], steps["learning_rate"]), color="tab:green")
    axes[1, 0].set(title="learning rate", xlabel="step", ylim=(0, None))
    _quality(axes[1, 1], watched)
    with atomic_path(folder / CURVES) as temporary:
        figure.savefig(temporary, dpi=100, metadata={"Software": None})


def _loss(axis: Axes, steps: dict[str, Floats], watched: dict[str, Floats], name: str) -> None:
    width = max(len(steps["step"]) // 50, 1)
    axis.plot(*thin(steps["step"], steps[name]), color="0.85", linewidth=0.6)
    axis.plot(*thin(steps["step"], smooth(steps[name], width)), label=f"learnt from, mean of {width} steps")
    if len(watched["step"]):
        axis.plot(watched["step"], watched[name], ".-", color="tab:red", label="held back")
    axis.legend(fontsize="small")


def _quality(axis: Axes, watched: dict[str, Floats]) -> None:
    if not len(watched["step"]):
        axis.set_axis_off()
        axis.text(0.5, 0.5, "nothing is held back", ha="center", va="center", transform=axis.transAxes)
        return
    axis.plot(watched["step"], watched["average_precision"], ".-", label="average precision")
    axis.plot(watched["step"], watched["best_f1"], ".-", label="best F1")
    axis.set(title="held-back tiles, half of them at kilns", xlabel="step", ylim=(0, 1))
    axis.legend(fontsize="small", loc="lower right")


def smooth(values: Floats, width: int) -> Floats:
    """Running mean of the last `width` values, of fewer at the beginning; as long as `values`."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    end = np.arange(1, len(values) + 1)
    begin = np.maximum(end - width, 0)
    return np.asarray((total[end] - total[begin]) / (end - begin))


def thin(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most `_POINTS` of the points, the last one among them."""
    step = -(-len(x) // _POINTS)
    return x[::-1][::step][::-1], y[::-1][::step][::-1]


def _columns(path: Path, names: Sequence[str]) -> dict[str, Floats]:
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in names}
