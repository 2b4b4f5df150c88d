"""The same figures for print: drawn with matplotlib, as SVG or PNG."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator

from evo_ntm.reports.chapters import Lineage
from evo_ntm.reports.charts import charts
from evo_ntm.reports.charts.layers import (
    Band,
    Bars,
    Chart,
    Heat,
    Layer,
    Line,
    Marks,
    Plot,
    Rules,
    Shade,
    Values,
)
from evo_ntm.reports.pictures import write_picture

FORMATS = ("svg", "png")
DOTS, PIXELS = 150, 96  # an inch, on paper and on a screen
WIDTH = 7.2  # inches
ABOVE, BELOW, GAP, NAMES = 0.36, 0.5, 0.5, 0.17
LEFT, RIGHT, MOST_ROOM, BAR_ROOM = 0.72, 0.2, 3.6, 0.5
BESIDE = 0.16  # between the name of a row and what it names
SMALL, MIDDLE = 8.0, 9.5  # points
GREY, PALE = "#555555", "#dddddd"
DASHES = {"solid": "-", "dash": (0, (5, 3)), "dot": (0, (1.5, 2))}
SYMBOLS = {"circle": "o", "circle-open": "o", "square": "s", "diamond": "D", "star": "*",
           "triangle-up": "^", "triangle-down": "v", "cross": "X"}  # fmt: skip
LARGE = (1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")
"""From which number on one is written as so many of these, and by which letter."""
Box = tuple[float, float, float, float]
"""Left, bottom, width and height."""
MOST_NAMES = 3  # of a legend, in a line
LETTER, SIGN = 0.068, 0.5  # how wide they are in a legend, in inches
TICKS = 12


def write_figures(lineage: Lineage, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write every figure of a lineage into a folder, named as its chart. Raises ReportError.

    Each is written whole or not at all, over what is there.
    """
    written = []
    for name, chart in charts(lineage).items():
        for kind in formats:
            path = folder / f"{name}.{kind}"
            write_picture(path, partial(draw, chart))
            written.append(path)
    return written


def draw(chart: Chart) -> Figure:
    """Draw a chart with matplotlib, on white paper."""
    count = len(chart.plots)
    heights = [plot.height / PIXELS for plot in chart.plots]
    inner = max(heights) if chart.beside else sum(heights) + GAP * (count - 1)
    above = ABOVE + NAMES * -(-len(chart.named()) // _names_in_a_line(chart))
    figure = Figure(figsize=(WIDTH, inner + above + BELOW), dpi=DOTS, facecolor="white")
    left, right = _margins(chart)
    room, top = WIDTH - left - right, inner + BELOW
    first: Axes | None = None
    for number, (plot, height) in enumerate(zip(chart.plots, heights, strict=True)):
        if chart.beside:
            width = (room - GAP / 2 * (count - 1)) / count
            box = left + number * (width + GAP / 2), top - height, width, height
        else:
            box = left, top - height, room, height
            top -= height + GAP
        across, down = (None, first) if chart.beside else (first, None)
        axes = figure.add_axes(_share(box, figure), sharex=across, sharey=down)
        first = first or axes
        _draw(axes, chart, plot)
        if number and chart.beside:
            axes.tick_params(labelleft=False)
        if not chart.beside and number < count - 1:
            axes.tick_params(labelbottom=False)
        if chart.beside or number == count - 1:
            axes.set_xlabel(chart.x, size=SMALL, color=GREY)
    _legend(figure, chart, left)
    return figure


def _margins(chart: Chart) -> tuple[float, float]:
    """Leave room for the names of rows on the left, and for a scale of colours on the right."""
    layers = [layer for plot in chart.plots for layer in plot.layers]
    rows = [layer.categories for layer in layers if isinstance(layer, Bars)]
    rows += [layer.rows for layer in layers if isinstance(layer, Heat)]
    named = BESIDE + LETTER * max((len(name) for names in rows for name in names), default=0)
    heat = any(isinstance(layer, Heat) for layer in layers)
    return min(max(LEFT, named), MOST_ROOM), BAR_ROOM if heat else RIGHT


def _share(box: Box, figure: Figure) -> Box:
    """Turn inches into shares of the figure."""
    across, up = figure.get_size_inches()
    return box[0] / across, box[1] / up, box[2] / across, box[3] / up


def _draw(axes: Axes, chart: Chart, plot: Plot) -> None:
    axes.set_title(plot.title, loc="left", size=MIDDLE, weight="bold", pad=5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x" if chart.beside else "y", color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", labelsize=SMALL, length=2.5, width=0.6, color=GREY)
    if plot.logarithmic:
        axes.set_yscale("log")
        _number_plainly(axes.yaxis)
    if chart.logarithmic:
        axes.set_xscale("log")
        _number_plainly(axes.xaxis)
    for layer in plot.layers:
        DRAWN[type(layer)](axes, layer)
    if plot.span is not None:
        axes.set_ylim(*plot.span)
    if not plot.scaled:
        axes.tick_params(labelleft=False, left=False)
    if chart.ticks:
        axes.set_xticks([place for place, _ in chart.ticks], [name for _, name in chart.ticks])
        axes.set_xticks([], minor=True)
    elif not chart.logarithmic and not any(isinstance(layer, Heat) for layer in plot.layers):
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if chart.beside else 9))
        axes.xaxis.set_major_formatter(_briefly)


def _number_plainly(axis: Axis) -> None:
    """Write numbers of a logarithmic axis as others; small ticks have some on a short axis."""
    axis.set_major_formatter(_briefly)
    axis.set_minor_formatter(LogFormatter())


def _briefly(number: float, _: object = None) -> str:
    """Write a large number as the pages do, and others in full."""
    for from_on, size, letter in LARGE:
        if abs(number) >= from_on:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def _line(axes: Axes, layer: Line) -> None:
    axes.plot(_known(layer.x), _known(layer.y), color=layer.colour, linewidth=layer.width * 0.75,
              linestyle=DASHES[layer.dash], label=layer.name,
              drawstyle="steps-post" if layer.stepped else "default")  # fmt: skip


def _band(axes: Axes, layer: Band) -> None:
    axes.fill_between(_known(layer.x), _known(layer.low), _known(layer.high), color=layer.colour,
                      alpha=layer.opacity, linewidth=0, label=layer.name,
                      step="post" if layer.stepped else None)  # fmt: skip


def _marks(axes: Axes, layer: Marks) -> None:
    hollow = "open" in layer.symbol
    axes.plot(_known(layer.x), _known(layer.y), SYMBOLS[layer.symbol], color=layer.colour,
              markersize=layer.size * 0.65, markerfacecolor="none" if hollow else layer.colour,
              markeredgewidth=0.9 if hollow else 0, label=layer.name)  # fmt: skip
    if layer.low and layer.high:
        axes.vlines(_known(layer.x), _known(layer.low), _known(layer.high), color=layer.colour,
                    linewidth=0.7)  # fmt: skip


def _bars(axes: Axes, layer: Bars) -> None:
    begins = _known(layer.begins) if layer.begins else 0
    axes.barh(layer.categories, _known(layer.lengths), left=begins, color=layer.colour,
              height=0.62, label=layer.name, edgecolor="white", linewidth=0.8)  # fmt: skip


def _heat(axes: Axes, layer: Heat) -> None:
    numbers = [_known(row) for row in layer.numbers]
    drawn = axes.imshow(numbers, aspect="auto", interpolation="nearest", cmap="cividis")
    axes.set_yticks(range(len(layer.rows)), layer.rows, size=SMALL - 1.5)
    every = -(-len(layer.columns) // TICKS)
    places = range(0, len(layer.columns), every)
    axes.set_xticks(places, [layer.columns[place] for place in places])
    axes.grid(visible=False)
    bar = axes.figure.colorbar(drawn, ax=axes, fraction=0.04, pad=0.02)
    bar.ax.tick_params(labelsize=SMALL - 1)
    bar.outline.set_visible(False)


def _rules(axes: Axes, layer: Rules) -> None:
    for number, place in enumerate(layer.places):
        axes.axvline(place, color=layer.colour, linewidth=0.9, linestyle=DASHES[layer.dash],
                     zorder=0.5, label="" if number else layer.name)  # fmt: skip


def _shade(axes: Axes, layer: Shade) -> None:
    axes.axvspan(layer.low, layer.high, color=layer.colour, alpha=0.16, linewidth=0,
                 label=layer.name)  # fmt: skip


DRAWN: dict[type[Layer], Callable[[Axes, Any], None]] = {
    Line: _line, Band: _band, Marks: _marks, Bars: _bars, Heat: _heat, Rules: _rules,
    Shade: _shade,
}  # fmt: skip


def _known(values: Values) -> list[float]:
    return [float("nan") if value is None else value for value in values]


def _names_in_a_line(chart: Chart) -> int:
    """Tell how many names of a legend have room beside each other; columns are equally wide."""
    longest = max(map(len, chart.named()), default=0)
    room = WIDTH - LEFT - RIGHT
    return min(MOST_NAMES, max(1, int(room / (SIGN + LETTER * longest))))


def _legend(figure: Figure, chart: Chart, left: float) -> None:
    """Name what more than one plot would have to name, above them all."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        drawn, names = axes.get_legend_handles_labels()
        handles |= dict(zip(names, drawn, strict=True))
    named = [name for name in chart.named() if name in handles]
    if named:
        across, up = figure.get_size_inches()
        figure.legend([handles[name] for name in named], named, loc="upper left", fontsize=SMALL,
                      frameon=False, ncols=_names_in_a_line(chart), borderaxespad=0,
                      handlelength=1.6, columnspacing=1.4,
                      bbox_to_anchor=(left / across, 1 - 0.04 / up))  # fmt: skip
