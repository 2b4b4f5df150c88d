"""The ways of a machine through a maze, run by run, drawn upon its map."""

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from evo_ntm.reports.observation import Way
from evo_ntm.reports.panels import Drawing
from evo_ntm.tasks.maze import GOAL, START, WALL, maze
from evo_ntm.tasks.t_maze import HIGH

TILE = 0.42  # inches
FOUND, OTHER, NOWHERE = "#0072b2", "#e69f00", "#888888"  # Okabe and Ito (2008)


def ways(way: Way) -> tuple[Drawing, Drawing]:
    """Draw the runs before the high reward moves, and those after."""
    last = int(way.run.max())
    height = len(maze(way.maze).tiles) * TILE
    return (
        Drawing(f"runs 1 to {way.moved}", height, partial(_draw, way, range(way.moved))),
        Drawing(f"runs {way.moved + 1} to {last + 1}, when the high reward has moved", height,
                partial(_draw, way, range(way.moved, last + 1))),
    )  # fmt: skip


def _draw(way: Way, runs: range, axes: Axes) -> None:
    """Draw a map, and the way of each run in the colour of what it came to."""
    tiles = maze(way.maze).tiles
    for y, row in enumerate(tiles):
        for x, tile in enumerate(row):
            if tile == WALL:
                axes.add_patch(Rectangle((x, y), 1, 1, color="#d9dbe0", linewidth=0))
            elif tile in (GOAL, START):
                name = "start" if tile == START else "end"
                axes.text(x + 0.5, y + 0.12, name, size=6, color=NOWHERE, ha="center")
    for run in runs:
        steps = np.flatnonzero(way.run == run)
        earned = way.reward[steps].max(initial=0.0)
        colour = NOWHERE if not earned else FOUND if earned == HIGH else OTHER
        axes.plot(way.x[steps], way.y[steps], color=colour, linewidth=0.9, alpha=0.7)
    for number, (name, colour) in enumerate(
        (("high reward", FOUND), ("low reward", OTHER), ("no end", NOWHERE))
    ):
        axes.text(len(tiles[0]) + 0.3, len(tiles) - 0.7 - number, name, size=7.5, color=colour)
    axes.set(xlim=(0, len(tiles[0])), ylim=(0, len(tiles)), aspect="equal", anchor="W")
    axes.set_axis_off()
