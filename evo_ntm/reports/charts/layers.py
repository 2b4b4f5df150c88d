"""What a figure shows, whoever draws it: layers of numbers in plots that share an axis.

Plotly and matplotlib draw the same charts, so that the one on a page and the one in print never
tell different things. What is not known is None, and left out.
"""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

Value = float | None
Values = tuple[Value, ...]
Dash = Literal["solid", "dash", "dot"]
DIGITS = 5


@dataclass(frozen=True)
class Line:
    """Values joined by a line, or by steps."""

    name: str
    x: Values
    y: Values
    colour: str
    dash: Dash = "solid"
    stepped: bool = False
    width: float = 1.6


@dataclass(frozen=True)
class Band:
    """What lies between two values. `told` are the words for each place."""

    name: str
    x: Values
    low: Values
    high: Values
    colour: str
    opacity: float = 0.2
    told: tuple[str, ...] = ()
    stepped: bool = False


@dataclass(frozen=True)
class Marks:
    """A mark for each value, with words for it, an interval where it has one, and its birth."""

    name: str
    x: Values
    y: Values
    colour: str
    symbol: str = "circle"
    size: float = 7.0
    low: Values = ()
    high: Values = ()
    told: tuple[str, ...] = ()
    births: tuple[int, ...] = ()


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, each in its category; they begin at 0 where nothing else is said."""

    name: str
    categories: tuple[str, ...]
    lengths: Values
    colour: str
    begins: Values = ()
    told: tuple[str, ...] = ()


@dataclass(frozen=True)
class Heat:
    """A number for each row and column, as a colour."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    numbers: tuple[Values, ...]
    told: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Rules:
    """Upright lines through the whole plot."""

    name: str
    places: tuple[float, ...]
    colour: str
    dash: Dash = "dot"


@dataclass(frozen=True)
class Shade:
    """A range of the horizontal axis."""

    name: str
    low: float
    high: float
    colour: str


Layer = Line | Band | Marks | Bars | Heat | Rules | Shade


@dataclass(frozen=True)
class Plot:
    """Layers over one pair of axes. The height is in pixels of a screen, as those of a chart.

    `span` is the range of the vertical axis, None where it is that of the values.
    """

    title: str
    layers: tuple[Layer, ...]
    height: int = 200
    logarithmic: bool = False
    span: tuple[float, float] | None = None
    scaled: bool = True


@dataclass(frozen=True)
class Chart:
    """Plots below each other over the same horizontal axis; `beside` each other, the same rows.

    The `name` is that of files and of the element of a page. `told` says in one sentence what is
    to be seen, for those who do not see it; `least_width` is what it needs to be read, in pixels.
    `ticks` are the places on the horizontal axis that are named, and their names.
    """

    name: str
    told: str
    x: str
    plots: tuple[Plot, ...]
    beside: bool = False
    logarithmic: bool = False
    least_width: int = 0
    together: bool = False
    ticks: tuple[tuple[float, str], ...] = ()

    @property
    def height(self) -> int:
        """Add the heights of the plots up."""
        heights = [plot.height for plot in self.plots]
        return max(heights) if self.beside else sum(heights)

    def named(self) -> dict[str, Layer]:
        """List what a legend has to name; a plot of one layer has its title for that."""
        found: dict[str, Layer] = {}
        for plot in self.plots:
            if len({layer.name for layer in plot.layers}) > 1:
                for layer in plot.layers:
                    found[layer.name] = layer  # marks stand over the line of the same name
        return found if len(found) > 1 else {}


def brief(value: float | None) -> Value:
    """Round to as many digits as a figure can show; what is not finite is not known."""
    if value is None or not isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")


def briefly(values: tuple[float | None, ...] | tuple[int | None, ...]) -> Values:
    """Round several."""
    return tuple(map(brief, values))
