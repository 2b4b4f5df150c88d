"""The graph of a machine as a drawing: nodes between what they hear and what they tell.

What may be heard lies below, inputs, reads and the bias; what may be told lies above, the orders of
the heads and the answer. A node stands as high as the longest path to it is long, those of a
recurrent graph in a row: what bends downwards leads to the right.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Literal, NamedTuple, TypeVar
from xml.etree.ElementTree import Element

from evo_ntm.reports.drawings.svg import element, title, words
from evo_ntm.topology import Connection, Graph, Topology
from evo_ntm.topology.ends import receivers, senders
from evo_ntm.topology.graph import node

State = Literal["kept", "lost", "gained"]
T = TypeVar("T", int, Connection)
LEVEL, GAP = 26.0, 34.0  # pixels from level to level, and from there to the ends
ABOVE, LINE = 32.0, 12.0  # pixels of what is written above, and of a line of it
BETWEEN = 0.6  # of a place, between groups of ends
NODE, END = 3.4, 1.8
LOOP, BEND = 14.0, 5.0  # pixels of who hears itself; the length of a way for a pixel of its bend
HIGHER = ("interpolation",)  # written a line higher, for it is long and stands for one place


class Place(NamedTuple):
    """Where an end or a node is."""

    x: float
    y: float


def height(topology: Topology, before: Topology | None) -> float:
    """Say how many pixels the graph of a machine takes: none where it has none."""
    if not isinstance(topology.controller.graph, Graph):
        return 0.0
    levels = max(_levels(topology, before).values(), default=0)
    return ABOVE + LINE + 2 * GAP + LEVEL * levels


def graph(
    topology: Topology, before: Topology | None, *, left: float, top: float, width: float
) -> list[Element]:
    """Draw the graph of a machine, and what is new or lost of it where it is told what was before.

    Nothing where its controller is none.
    """
    now = topology.controller.graph
    if not isinstance(now, Graph):
        return []
    was = before.controller.graph if before else None
    old = was if isinstance(was, Graph) else now
    bottom = top + height(topology, before) - LINE
    heard = senders(topology.inputs, topology.columns, topology.heads)
    told = receivers(topology.outputs, topology.columns, topology.heads)
    below = _spread(heard, bottom - 2, left=left, width=width)
    above = _spread(told, top + ABOVE, left=left, width=width)
    nodes = _stacked(_levels(topology, before), bottom - GAP, left=left, width=width)
    drawn = [*_labels(below, bottom + LINE - 3), *_labels(above, top + ABOVE - 6)]
    drawn += [_dot(name, place, END, "end") for name, place in (below | above).items()]
    places = below | above | nodes
    for state, lines in _by_state(now.connections, old.connections):
        ends = [(places[s], places[r]) for s, r in lines if s in places and r in places]
        if ends:
            count = f"{len(ends)} connection{'s' if len(ends) > 1 else ''} {state}"
            path = "".join(_way(a, b) for a, b in ends)
            drawn.append(element("path", title(count), d=path, class_=f"connection {state}"))
    for state, numbers in _by_state(now.nodes, old.nodes):
        drawn += [_dot(name, nodes[name], NODE, f"node {state}") for name in map(node, numbers)]
    return drawn


def _way(a: Place, b: Place) -> str:
    """Go from one place to another, in a bend where both are nodes that stand in one row."""
    begun = f"M{a.x:.1f} {a.y:.1f}"
    if a == b:
        return f"{begun}c-{LOOP:g}-{LOOP:g} {LOOP:g}-{LOOP:g} 0 0"
    if a.y == b.y:
        return f"{begun}q{(b.x - a.x) / 2:.1f} {(b.x - a.x) / BEND:.1f} {b.x - a.x:.1f} 0"
    return f"{begun}L{b.x:.1f} {b.y:.1f}"


def _dot(name: str, place: Place, radius: float, look: str) -> Element:
    return element("circle", title(name), cx=place.x, cy=place.y, r=radius, class_=look)


def _levels(topology: Topology, before: Topology | None) -> dict[int, int]:
    """Tell how high nodes stand, also those that were lost."""
    found: dict[int, int] = {}
    for each in (before, topology):
        if each is not None and isinstance(each.controller.graph, Graph):
            found |= each.controller.graph.levels
    return found


def _spread(names: Iterable[str], y: float, *, left: float, width: float) -> dict[str, Place]:
    """Put ends in a row, with gaps between the groups that they form."""
    at, found, last = 0.5, {}, None
    for name in names:
        at += BETWEEN * (last not in (None, _group(name)))
        found[name], last = at, _group(name)
        at += 1
    step = width / max(at - 0.5, 1)
    return {name: Place(left + step * at, y) for name, at in found.items()}


def _stacked(
    levels: Mapping[int, int], bottom: float, *, left: float, width: float
) -> dict[str, Place]:
    """Put nodes in rows, a row for each level."""
    found: dict[str, Place] = {}
    for level in sorted(set(levels.values())):
        here = sorted(number for number in levels if levels[number] == level)
        step, y = width / len(here), bottom - LEVEL * (level - 0.5)
        found |= {node(n): Place(left + step * (k + 0.5), y) for k, n in enumerate(here)}
    return found


def _labels(places: Mapping[str, Place], y: float) -> Iterator[Element]:
    for group, some in groupby(places, _group):
        across = [places[name].x for name in some]
        middle = (across[0] + across[-1]) / 2
        yield words(middle, y - LINE * (group in HIGHER), group, class_="label middle")


def _group(name: str) -> str:
    """Say what an end is one of: `tape 5 write 12` is a write."""
    kinds = name.split()
    return kinds[0] if kinds[0] != "tape" else kinds[2]


def _by_state(now: Sequence[T], old: Sequence[T]) -> Iterator[tuple[State, list[T]]]:
    """Tell what was kept, lost and gained, in this order: what is new is drawn last."""
    mine, theirs = set(now), set(old)
    yield "kept", [each for each in now if each in theirs]
    yield "lost", [each for each in old if each not in mine]
    yield "gained", [each for each in now if each not in theirs]
