"""Interactive figures, each of a chapter: for pages, and to be shown in notebooks.

They hold on light and on dark paper. To write one as HTML, whole and always with the same bytes:
`figure.to_html(div_id="trunk")`.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Any

from plotly import graph_objects
from plotly.graph_objects import Figure
from plotly.subplots import make_subplots

from evo_ntm.errors import ReportError
from evo_ntm.reports import charts
from evo_ntm.reports.chapters import (
    Displacement,
    Generalisation,
    History,
    Lineage,
    OperatorUse,
    Population,
    Search,
    SpeciesStream,
    Trunk,
)
from evo_ntm.reports.charts import history as of_history
from evo_ntm.reports.charts import selection as of_selection
from evo_ntm.reports.charts import trunk as of_trunk
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
from evo_ntm.reports.palette import NEUTRAL

FONT = {"family": "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif", "size": 12}
GRID = "rgba(128, 135, 146, 0.22)"
FRAME = "rgba(128, 135, 146, 0.6)"
CLEAR = "rgba(0, 0, 0, 0)"
EDGE = "rgba(255, 255, 255, 0.5)"
GAP = 52  # pixels between plots, for a title
HEAD, FOOT = 34, 46
TITLE = 22  # pixels over the first plot, for its title below the legend
WIRE_ROOM = 210  # pixels for the names of rows
APART = 1.9  # times, of a number on a logarithmic axis over the one before
DECADES = 2  # that a logarithmic axis may span to have numbers between its powers of ten
TICKS = 12  # at most, below a heat map
HINT = "%{text}<extra></extra>"

Look = dict[str, Any]
"""What all traces of a layer have in common."""


def figures(lineage: Lineage) -> dict[str, Figure]:
    """Draw all that a lineage has chapters of, by the names of the charts."""
    return {name: draw(chart) for name, chart in charts.charts(lineage).items()}


def fitness(history: History) -> Figure:
    """Draw fitness by generation, what the validation set said, and the sittings of the exam."""
    return draw(of_history.fitness(history))


def strategy(history: History) -> Figure:
    """Draw the figures that a strategy keeps of itself. Raises ReportError where it keeps none."""
    return draw(_asked(of_history.strategy(history), "figures of the strategy's own"))


def trunk(chapter: Trunk) -> Figure:
    """Draw the cost of every birth of the line, a mark a step, by what the step did."""
    return draw(of_trunk.trunk(chapter))


def operators(chapter: Sequence[OperatorUse]) -> Figure:
    """Draw how often operators were tried, how often they succeeded, and on the line."""
    return draw(of_trunk.operators(chapter))


def population(chapter: Population) -> Figure:
    """Draw what a population's tree is like, generation by generation."""
    return draw(of_selection.population(chapter))


def ancestors(chapter: Population) -> Figure:
    """Draw how many ancestors those alive at the end had so many generations back."""
    return draw(of_selection.ancestors(chapter))


def search(chapter: Search, generations: int) -> Figure:
    """Draw restarts, restores, finer steps, stages and the trials of challengers over time."""
    return draw(of_selection.search(chapter, generations))


def displacement(chapter: Displacement) -> Figure:
    """Draw how far each wire has moved. Raises ReportError where no genome was kept."""
    return draw(_asked(of_selection.displacement(chapter), "genomes of the line"))


def species(chapter: SpeciesStream) -> Figure:
    """Draw the sizes of species as a stream."""
    return draw(of_selection.species(chapter))


def generalisation(chapter: Generalisation) -> Figure:
    """Draw wrong bits against the size of sequences; sizes that were trained are shaded."""
    return draw(of_history.generalisation(chapter))


def draw(chart: Chart) -> Figure:
    """Draw a chart with plotly."""
    count, heights = len(chart.plots), [plot.height for plot in chart.plots]
    whole = chart.height + (0 if chart.beside else GAP * (count - 1)) + HEAD + FOOT
    inner = whole - HEAD - FOOT
    figure = make_subplots(
        rows=1 if chart.beside else count,
        cols=count if chart.beside else 1,
        shared_xaxes=not chart.beside,
        shared_yaxes=chart.beside,
        horizontal_spacing=0.05 if chart.beside else None,
        vertical_spacing=None if chart.beside or count < 2 else GAP / inner,
        row_heights=None if chart.beside else heights,
        subplot_titles=[_safe(plot.title) for plot in chart.plots],
    )
    unnamed = set(chart.named())
    for number, plot in enumerate(chart.plots, start=1):
        place = {"row": 1, "col": number} if chart.beside else {"row": number, "col": 1}
        for layer in plot.layers:
            _add(figure, layer, place, unnamed, together=chart.together)
        _scale(figure, chart, plot, place)
    _dress(figure, chart, whole)
    return figure


def _add(
    figure: Figure, layer: Layer, place: dict[str, int], unnamed: set[str], *, together: bool
) -> None:
    """Add what a layer needs; of several that have one name, the first is in the legend."""
    look: Look = {"name": _safe(layer.name), "legendgroup": _safe(layer.name),
            "showlegend": layer.name in unnamed}  # fmt: skip
    unnamed.discard(layer.name)
    if isinstance(layer, Rules | Shade):
        _mark_out(figure, layer, look, place)
        return
    for trace in _traces(layer, look, together=together):
        figure.add_trace(trace, **place)


def _traces(layer: Layer, look: Look, *, together: bool) -> list[Any]:
    if isinstance(layer, Line):
        return [_line(layer, look, together=together)]
    if isinstance(layer, Marks):
        return [_marks(layer, look)]
    if isinstance(layer, Bars):
        return [_bars(layer, look)]
    if isinstance(layer, Heat):
        return [_heat(layer, look)]
    assert isinstance(layer, Band)
    return _bands(layer, look)


def _line(layer: Line, look: Look, *, together: bool) -> Any:
    line = {"color": layer.colour, "width": layer.width, "dash": layer.dash,
            "shape": "hv" if layer.stepped else "linear"}  # fmt: skip
    hint = {"hovertemplate": "%{y:.4~g}"} if together else {"hoverinfo": "skip"}
    return graph_objects.Scatter(x=layer.x, y=layer.y, mode="lines", line=line, **look, **hint)


def _marks(layer: Marks, look: Look) -> Any:
    edge = {"width": 1.4 if "open" in layer.symbol else 0, "color": layer.colour}
    marker = {"color": layer.colour, "symbol": layer.symbol, "size": layer.size, "line": edge}
    births = {"customdata": layer.births} if layer.births else {}
    return graph_objects.Scatter(x=layer.x, y=layer.y, mode="markers", marker=marker,
                                 error_y=_interval(layer), **look, **births,
                                 **_hint(layer.told))  # fmt: skip


def _bars(layer: Bars, look: Look) -> Any:
    edge = 1 if layer.begins else 0  # so that bars that touch are told apart
    marker = {"color": layer.colour, "line": {"width": edge, "color": EDGE}}
    return graph_objects.Bar(y=_all_safe(layer.categories), x=layer.lengths, orientation="h",
                             base=layer.begins or None, marker=marker, textposition="none",
                             **look, **_hint(layer.told))  # fmt: skip


def _heat(layer: Heat, look: Look) -> Any:
    scale = {"thickness": 10, "outlinewidth": 0, "len": 0.6, "y": 1, "yanchor": "top"}
    return graph_objects.Heatmap(
        x=list(range(len(layer.columns))), y=_all_safe(layer.rows), z=layer.numbers, xgap=1, ygap=1,
        text=[_all_safe(row) for row in layer.told], hovertemplate=HINT, colorscale="Cividis",
        colorbar=scale, name=look["name"],
    )  # fmt: skip


def _bands(layer: Band, look: Look) -> list[Any]:
    """Fill between two lines: the words are those of the upper one."""
    shape = "hv" if layer.stepped else "linear"
    edge = {"mode": "lines", "x": layer.x, "legendgroup": look["legendgroup"], "name": look["name"]}
    lower = graph_objects.Scatter(y=layer.low, line={"width": 0, "shape": shape}, showlegend=False,
                                  hoverinfo="skip", **edge)  # fmt: skip
    hint = _hint(layer.told) or {"hoverinfo": "skip"}
    upper = graph_objects.Scatter(
        y=layer.high, line={"width": 0.5, "color": layer.colour, "shape": shape}, fill="tonexty",
        fillcolor=_clear(layer.colour, layer.opacity), showlegend=look["showlegend"], **edge,
        **hint,
    )  # fmt: skip
    return [lower, upper]


def _hint(told: Sequence[str]) -> dict[str, Any]:
    """Show words where the pointer is, if there are any."""
    lines = [text.replace(" · ", "<br>") for text in _all_safe(told)]
    return {"text": lines, "hovertemplate": HINT} if told else {}


def _mark_out(figure: Figure, layer: Rules | Shade, look: Look, place: dict[str, int]) -> None:
    where = {**place, "exclude_empty_subplots": False}  # others may come after
    if isinstance(layer, Shade):
        figure.add_vrect(x0=layer.low, x1=layer.high, fillcolor=_clear(layer.colour, 0.16),
                         line_width=0, layer="below", **look, **where)  # fmt: skip
        return
    line = {"color": layer.colour, "width": 1.2, "dash": layer.dash}
    for number, x in enumerate(layer.places):
        shown = look if not number else {**look, "showlegend": False}
        figure.add_vline(x=x, line=line, layer="above", **shown, **where)


def _interval(layer: Marks) -> dict[str, Any] | None:
    if not layer.low or not layer.high:
        return None
    above, below = [], []
    for y, low, high in zip(layer.y, layer.low, layer.high, strict=True):
        known = y is not None and low is not None and high is not None
        above.append(high - y if known else 0)  # type: ignore[operator]
        below.append(y - low if known else 0)  # type: ignore[operator]
    return {"type": "data", "array": above, "arrayminus": below, "symmetric": False,
            "thickness": 1, "width": 0, "color": layer.colour}  # fmt: skip


def _scale(figure: Figure, chart: Chart, plot: Plot, place: dict[str, int]) -> None:
    heat = next((layer for layer in plot.layers if isinstance(layer, Heat)), None)
    upright: dict[str, Any] = {"type": "log"} if plot.logarithmic else {}
    if plot.span is not None:
        upright["range"] = plot.span
    if not plot.scaled:
        upright["showticklabels"] = False
    if any(isinstance(layer, Bars | Heat) for layer in plot.layers):
        upright["dtick"] = 1  # every category is named
    if plot.logarithmic:
        rounds = _rounds([y for layer in plot.layers if isinstance(layer, Line | Marks)
                          for y in layer.y])  # fmt: skip
        upright |= {"tickvals": rounds, "ticktext": [f"{value:g}" for value in rounds]}
    if heat is not None:
        upright |= {"autorange": "reversed", "showgrid": False, "tickfont": {"size": 10}}
        every = -(-len(heat.columns) // TICKS)
        places = list(range(0, len(heat.columns), every))
        figure.update_xaxes(tickvals=places, ticktext=[heat.columns[n] for n in places],
                            showgrid=False, **place)  # fmt: skip
    figure.update_yaxes(**upright, **place)
    if chart.logarithmic:
        asked = next(layer.x for layer in plot.layers if isinstance(layer, Line))
        sizes = _apart(asked) if len(asked) <= TICKS else _rounds(asked)
        named = [f"{size:g}" if size < 1 else f"{size:,.10g}" for size in sizes]
        figure.update_xaxes(type="log", tickangle=0, tickvals=sizes, ticktext=named, **place)
    if chart.ticks:
        named = [
            name.replace("\n", "<br>") for name in _all_safe([told for _, told in chart.ticks])
        ]
        figure.update_xaxes(tickvals=[x for x, _ in chart.ticks], ticktext=named, **place)


def _rounds(numbers: Iterable[float | None]) -> list[float]:
    """List the round numbers in the range of a logarithmic axis: 1, 2, 5, 10 and so on."""
    values = [number for number in numbers if number]
    if not values:
        return []
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    digits = (1, 2, 5) if high - low <= DECADES else (1,)
    return [float(f"{digit}e{power}") for power in range(low, high + 1) for digit in digits]


def _apart(sizes: Values) -> list[float]:
    """Choose of rising sizes those that leave room for each other on a logarithmic axis."""
    chosen: list[float] = []
    for size in sizes:
        if size is not None and (not chosen or size >= APART * chosen[-1]):
            chosen.append(size)
    return chosen


def _dress(figure: Figure, chart: Chart, height: int) -> None:
    """Give a figure the look of the house."""
    figure.layout.template = "none"  # or the user's own would have a say
    wires = any(isinstance(layer, Heat) for plot in chart.plots for layer in plot.layers)
    above = 1 + TITLE / (height - HEAD - FOOT)
    figure.update_layout(
        height=height, font={**FONT, "color": NEUTRAL},
        paper_bgcolor=CLEAR, plot_bgcolor=CLEAR, barmode="overlay", bargap=0.35,
        margin={"l": WIRE_ROOM if wires else 52, "r": 14, "t": HEAD, "b": FOOT},
        hovermode="x unified" if chart.together else "closest", meta={"told": _safe(chart.told)},
        hoverlabel={"font": {"size": 12}, "align": "left"},
        legend={"orientation": "h", "yanchor": "bottom", "y": above, "x": 0},
    )  # fmt: skip
    line = {"linecolor": FRAME, "linewidth": 1, "ticks": "outside", "ticklen": 4,
            "tickcolor": FRAME, "zeroline": False}  # fmt: skip
    figure.update_xaxes(showgrid=chart.beside, gridcolor=GRID, **line)
    figure.update_yaxes(showgrid=not chart.beside, gridcolor=GRID, automargin=True, nticks=6,
                        **{**line, "linecolor": CLEAR, "ticks": ""})  # fmt: skip
    bottom = {"row": 1} if chart.beside else {"row": len(chart.plots)}
    figure.update_xaxes(title={"text": _safe(chart.x), "standoff": 8}, **bottom)
    for note, plot in zip(figure.layout.annotations, chart.plots, strict=False):
        axis = figure.layout[_axis_of(note, figure)]
        note.update(x=axis.domain[0], xanchor="left", yshift=4, text=f"<b>{_safe(plot.title)}</b>",
                    font={"size": 12})  # fmt: skip


def _axis_of(note: Any, figure: Figure) -> str:
    """Find the horizontal axis of the plot that a title stands over: it is centred on it."""
    names = [str(name) for name in figure.layout if name.startswith("xaxis")]
    return min(names, key=lambda name: float(abs(sum(figure.layout[name].domain) / 2 - note.x)))


def _clear(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def _safe(text: str) -> str:
    """Write a text so that plotly takes it for nothing else."""
    return escape(text, quote=False)


def _all_safe(texts: Sequence[str]) -> list[str]:
    return [_safe(text) for text in texts]


def _asked(chart: Chart | None, what: str) -> Chart:
    if chart is None:
        raise ReportError(f"expected {what} to draw, but there are none")
    return chart
