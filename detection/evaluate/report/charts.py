"""detection.evaluate.report.charts: curves as SVG text to stand inside a page; nothing is fetched, no script.

matplotlib is loaded here and only when a chart is drawn: it takes a second.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

from detection.evaluate.curves import Band
from detection.evaluate.reliability import Reliability
from geodata.grid import Floats

_INK, _LINE, _BAND, _SECOND = "#2b2622", "#a8441f", "#e9c9b8", "#0b5cab"
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": "#8b8178",
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.grid": True,
    "grid.color": "#e6dfd6",
    "axes.axisbelow": True,
}
_WIDTH_IN, _HEIGHT_IN = 4.6, 3.4


def precision_recall(band: Band, point: tuple[float, float]) -> str:
    """Precision by recall; `point` is (recall, precision) at the threshold."""
    return _curve(band, point, "recall", "precision", "pr")


def free_response(band: Band, point: tuple[float, float]) -> str:
    """Recall by false alarms per 1,000 km², to 100 of them; `point` is that at the threshold."""
    shown = band.x <= 100
    cut = Band(band.x[shown], band.y[shown], band.low[shown], band.high[shown])

    def scale(axes: Any) -> None:
        axes.set_xscale("symlog", linthresh=1, linscale=0.4)
        axes.set_xlim(0, 100)
        ticks = [0, 1, 2, 5, 10, 20, 50, 100]
        axes.set_xticks(ticks, [str(tick) for tick in ticks])

    return _curve(cut, point, "false alarms per 1,000 km²", "recall", "froc", scale)


def reliability_diagram(one: Reliability, name: str) -> str:
    """Share of hits by mean probability, each bin with its interval; the diagonal is perfect.

    `name` makes its ids its own.
    """
    with _figure() as (figure, axes):
        axes.plot([0, 1], [0, 1], color="#8b8178", linestyle="--", linewidth=1)
        x = np.array([b.predicted for b in one.bins])
        y = np.array([b.observed.value for b in one.bins])
        low = np.array([b.observed.low for b in one.bins])
        high = np.array([b.observed.high for b in one.bins])
        axes.vlines(x, low, high, color=_BAND, linewidth=4)
        axes.plot(x, y, color=_LINE, marker="o", markersize=4, linewidth=1)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="probability given", ylabel="share that was a kiln")
        axes.set_aspect("equal")
        return _svg(figure, name)


def size_ratios(length: Floats, width: Floats) -> str:
    """How often a hit's box has which size, as a share of its kiln's."""
    with _figure() as (figure, axes):
        edges = np.linspace(0.5, 1.75, 26)
        for values, colour, name, fill in ((length, _LINE, "length", True), (width, _SECOND, "width", False)):
            kind = "stepfilled" if fill else "step"
            clipped = np.clip(values[np.isfinite(values)], edges[0], edges[-1])
            axes.hist(clipped, edges, histtype=kind, color=colour, alpha=0.55 if fill else 1, label=name)
        axes.axvline(1, color="#8b8178", linestyle="--", linewidth=1)
        axes.set(xlabel="size of the box / size of its kiln", ylabel="hits")
        axes.legend(frameon=False)
        return _svg(figure, "sizes")


def _curve(band: Band, point: tuple[float, float], x: str, y: str, name: str, scale: Any = None) -> str:
    with _figure() as (figure, axes):
        # what is reached at a recall holds down to the one before it; at a rate, up to the next
        step: Literal["pre", "post"] = "pre" if name == "pr" else "post"
        axes.fill_between(band.x, band.low, band.high, step=step, color=_BAND, linewidth=0, label="95 %")
        axes.plot(band.x, band.y, drawstyle=f"steps-{step}", color=_LINE, linewidth=1.6)
        axes.plot(*point, marker="o", color=_INK, markersize=6, linestyle="none", label="at the threshold")
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=x, ylabel=y)
        if scale:
            scale(axes)
        axes.legend(frameon=False, loc="lower left" if name == "pr" else "lower right")
        return _svg(figure, name)


@contextmanager
def _figure() -> Iterator[tuple[Any, Any]]:
    """A figure with one pair of axes in our style, without matplotlib's global state."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout="constrained")
        yield figure, figure.subplots()


def _svg(figure: Any, name: str) -> str:
    """The figure as an SVG element: no prologue, no metadata, ids of its own, as wide as its place."""
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(out, format="svg", metadata={"Date": None}, transparent=True)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    text = re.sub(r' (?:width|height)="[0-9.]+pt"', "", text, count=2)
    # what it shows stands in words and as a table beside it
    return text.replace("<svg ", '<svg aria-hidden="true" ', 1)
