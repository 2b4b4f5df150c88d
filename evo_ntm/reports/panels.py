"""Pictures of numbers over time in two columns, and a key to their ink."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evo_ntm.reports.ink import NOT_ASKED, Ink, ink

DOTS = 150  # an inch
THIN = 4  # dots
# All in inches.
CELL_WIDTH, CELL_HEIGHT = 0.115, 0.13
NARROWEST, WIDEST = 4.2, 8.4
LOWEST, HIGHEST = 0.42, 3.6
ABOVE, BELOW, LEFT, RIGHT, BETWEEN, GAP = 1.0, 0.5, 1.1, 0.25, 1.1, 0.42
KEY_HEIGHT, BAR_HEIGHT, BAR_WIDTH = 1.0, 0.11, 1.35
SMALL, MIDDLE, LARGE = 7.5, 9.0, 12.5  # points
GREY = "#555555"


@dataclass(frozen=True)
class Panel:
    """A picture of numbers over time, with words for its rows.

    `ticks` are places on the axis of rows and their names; at `lines` rows part.
    """

    title: str
    label: str
    ink: Ink
    ticks: tuple[tuple[float, str], ...] = ()
    lines: tuple[float, ...] = ()
    lowest: float = LOWEST

    @property
    def height(self) -> float:
        """Choose a height in inches; every row gets a dot at least."""
        rows = len(self.ink)
        return max(min(rows * CELL_HEIGHT, HIGHEST), self.lowest, (rows + 2 * THIN) / DOTS)


@dataclass(frozen=True)
class Scale:
    """A scale of ink and what it stands for."""

    name: str
    colours: Colormap
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Key:
    """What the inks and the lines of a figure stand for."""

    scales: tuple[Scale, ...]
    not_asked: str
    mark: str = ""

    height = KEY_HEIGHT


@dataclass(frozen=True)
class Drawing:
    """A picture of something else than time, so many inches high; above it is told the time."""

    title: str
    tall: float
    draw: Callable[[Axes], None]

    @property
    def height(self) -> float:
        """Add what those above it need to tell the time."""
        return self.tall + GAP


Slot = Panel | Key | Drawing | None
Box = tuple[float, float, float, float]
"""Left, bottom, width and height."""


def lay_out(
    pairs: Sequence[tuple[Slot, Slot]],
    *,
    title: str,
    subtitle: str,
    steps: int,
    marks: Sequence[int] = (),
) -> Figure:
    """Put pairs of panels below each other, all over the same steps, with a line at every mark."""
    width = max(min(steps * CELL_WIDTH, WIDEST), NARROWEST, steps / DOTS)
    heights = [max(slot.height for slot in pair if slot is not None) for pair in pairs]
    whole_width = LEFT + width + BETWEEN + width + RIGHT
    whole_height = ABOVE + sum(heights) + GAP * (len(heights) - 1) + BELOW
    figure = Figure(figsize=(whole_width, whole_height), dpi=DOTS, facecolor="white")
    _entitle(figure, title, subtitle)
    for column, left in enumerate((LEFT, LEFT + width + BETWEEN)):
        top = whole_height - ABOVE
        slots = [pair[column] for pair in pairs]
        last = max((i for i, slot in enumerate(slots) if isinstance(slot, Panel)), default=None)
        for number, slot in enumerate(slots):
            if slot is not None:
                tall = slot.tall if isinstance(slot, Drawing) else slot.height
                box = left, top - slot.height, width, tall
                axes = figure.add_axes(_share(box, figure))
                if isinstance(slot, Key):
                    _explain(axes, slot, width)
                elif isinstance(slot, Drawing):
                    axes.set_title(slot.title, loc="left", size=MIDDLE, pad=4)
                    slot.draw(axes)
                else:
                    _draw(axes, slot, marks, timed=number == last)
            top -= heights[number] + GAP
    return figure


def _entitle(figure: Figure, title: str, subtitle: str) -> None:
    width, height = figure.get_size_inches()
    for text, size, below, weight, colour in (
        (title, LARGE, 0.34, "bold", "black"),
        (subtitle, MIDDLE, 0.58, "normal", GREY),
    ):
        figure.text(LEFT / width, 1 - below / height, text, size=size, weight=weight, color=colour)


def _share(box: Box, figure: Figure) -> Box:
    """Turn inches into shares of the figure."""
    left, bottom, width, height = box
    across, up = figure.get_size_inches()
    return left / across, bottom / up, width / across, height / up


def _draw(axes: Axes, panel: Panel, marks: Sequence[int], *, timed: bool) -> None:
    """Draw a panel; the lowest one of a column tells the time."""
    axes.imshow(panel.ink, aspect="auto", interpolation="nearest")
    rows = len(panel.ink)
    cell = panel.height * DOTS / rows
    if cell < THIN:  # the frame would hide the outermost rows
        axes.set_ylim(rows - 0.5 + THIN / cell, -0.5 - THIN / cell)
    axes.set_title(panel.title, loc="left", size=MIDDLE, pad=4)
    axes.set_ylabel(panel.label, size=SMALL, color=GREY)
    axes.set_yticks([place for place, _ in panel.ticks], [name for _, name in panel.ticks])
    axes.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    axes.tick_params(labelsize=SMALL, labelbottom=timed, length=2.5, width=0.6, color=GREY)
    for place in panel.lines:
        axes.axhline(place, color=GREY, linewidth=0.6)
    for step in marks:
        axes.axvline(step - 0.5, color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    if timed:
        axes.set_xlabel("time (steps)", size=SMALL, color=GREY)


def _explain(axes: Axes, key: Key, width: float) -> None:
    """Draw a key: a bar for each scale, two a line, then the other signs."""
    axes.set(xlim=(0, width), ylim=(key.height, 0))
    axes.set_axis_off()
    half = width / 2
    for number, scale in enumerate(key.scales):
        _bar(axes, scale, number % 2 * half, 0.12 + number // 2 * 0.36)
    y = 0.12 + (len(key.scales) + 1) // 2 * 0.36
    if key.not_asked:
        axes.fill_between([0, 0.22], y - 0.09, y + 0.04, color=NOT_ASKED, linewidth=0)
        axes.text(0.3, y, key.not_asked, size=SMALL)
    if key.mark:
        axes.plot([half, half + 0.22], [y - 0.03] * 2, color=GREY, linewidth=0.8,
                  linestyle=(0, (3, 2)))  # fmt: skip
        axes.text(half + 0.3, y, key.mark, size=SMALL)


def _bar(axes: Axes, scale: Scale, x: float, y: float) -> None:
    """Draw a scale with its ends, under its name."""
    numbers = np.linspace(scale.low, scale.high, 256)[None]
    low, high = f"{scale.low:.3g}".replace("-", "\N{MINUS SIGN}"), f"{scale.high:.3g}"
    axes.text(x, y - 0.05, scale.name, size=SMALL)
    axes.text(x, y + BAR_HEIGHT, low, size=SMALL, color=GREY)
    begin = x + 0.07 * len(low) + 0.04
    box = begin, begin + BAR_WIDTH, y + BAR_HEIGHT, y
    axes.imshow(ink(scale.colours, numbers, scale.low, scale.high), aspect="auto", extent=box)
    axes.text(begin + BAR_WIDTH + 0.05, y + BAR_HEIGHT, high, size=SMALL, color=GREY)
