"""The graph of ancestors: time from left to right, a layer after the other.

Every birth is a link to its row in a table.
"""

from collections import defaultdict
from itertools import pairwise
from xml.etree.ElementTree import Element

from evo_ntm.reports.chapters import Ancestry, Edge, Node
from evo_ntm.reports.digits import number
from evo_ntm.reports.drawings.svg import box, drawing, element, line, title, words

FEW = 24  # layers, between which there is room for numbers
STEPS = ((FEW, 44.0), (60, 24.0), (10**9, 15.0))  # pixels between layers, where there are so many
ROOM, TALLEST = 17.0, 620.0  # pixels between births of a layer, and for all at most
LEFT, TOP, RIGHT, BELOW = 26.0, 46.0, 26.0, 18.0
LABELS = 40.0  # pixels between numbers of generations
LARGE, SMALL = 5.2, 3.6


def ancestry(chapter: Ancestry, subject: int) -> Element:
    """Draw the ancestors of a birth."""
    across, down = _places(chapter.nodes)
    width = LEFT + max(across.values(), default=0.0) + RIGHT
    height = TOP + max(down.values(), default=0.0) + BELOW
    at = {node.number: (LEFT + across[node.layer], TOP + down[node.number])
          for node in chapter.nodes}  # fmt: skip
    trunk = {node.number for node in chapter.nodes if node.on_trunk}
    edges = sorted(chapter.edges, key=lambda edge: (edge.primary, edge.parent in trunk))
    return drawing(
        width, height,
        title(f"ancestors of birth {subject}"),
        *_axis(chapter.nodes, across, height),
        element("g", *(_edge(edge, at, trunk, numbered=len(across) <= FEW) for edge in edges
                       if edge.child in at and edge.parent in at), fill="none"),
        *(_node(node, at[node.number], subject) for node in sorted(
            chapter.nodes, key=lambda node: (node.generation, node.place, node.number))),
        class_="ancestry", role="group",
    )  # fmt: skip


def _places(nodes: tuple[Node, ...]) -> tuple[dict[int, float], dict[int, float]]:
    """Place layers from left to right, and births from top to bottom, so that none overlap."""
    layers = sorted({node.layer for node in nodes})
    step = next(step for most, step in STEPS if len(layers) <= most)
    across = {layer: step * place for place, layer in enumerate(layers)}
    by_layer = defaultdict(list)
    for node in nodes:
        by_layer[node.layer].append(node.place)
    gaps = [after - before for places in by_layer.values()
            for before, after in pairwise(sorted(places)) if after > before]  # fmt: skip
    every = [node.place for node in nodes]
    least, most = min(every, default=0.0), max(every, default=0.0)
    scale = ROOM / min(gaps, default=1.0)
    scale = min(scale, TALLEST / (most - least)) if most > least else scale
    return across, {node.number: (node.place - least) * scale for node in nodes}


def _axis(nodes: tuple[Node, ...], across: dict[int, float], height: float) -> list[Element]:
    """Number the generations, where there is room."""
    first = {node.layer: node.generation for node in sorted(nodes, key=lambda n: -n.generation)}
    parts, last = [words(LEFT - 8, 13, "generation", class_="label")], -LABELS
    for layer, x in across.items():
        if x - last >= LABELS:
            parts.append(line(LEFT + x, TOP - 10, LEFT + x, height - 4, class_="rule"))
            parts.append(words(LEFT + x, TOP - 13, number(first[layer], 0), class_="label middle"))
            last = x
    return parts


def _edge(
    edge: Edge, at: dict[int, tuple[float, float]], trunk: set[int], *, numbered: bool
) -> Element:
    (x, y), (elder_x, elder_y) = at[edge.child], at[edge.parent]
    middle = (x + elder_x) / 2
    kind = "primary" if edge.primary else "other"
    if edge.primary and edge.child in trunk and edge.parent in trunk:
        kind = "trunk"
    told = title(f"{edge.skipped} births in between") if edge.skipped else None
    path = f"M{elder_x:g} {elder_y:.4g}C{middle:g} {elder_y:.4g} {middle:g} {y:.4g} {x:g} {y:.4g}"
    drawn = element("path", told, d=path, class_=f"edge {kind}{' skips' if edge.skipped else ''}")
    if not edge.skipped or not numbered:
        return drawn
    number_of = words(middle, (y + elder_y) / 2 - 5, number(edge.skipped, 0), class_="label middle")
    return element("g", drawn, number_of)


def _node(node: Node, at: tuple[float, float], subject: int) -> Element:
    x, y = at
    size = LARGE if node.on_trunk else SMALL
    told = (f"birth {node.number}, generation {node.generation}, "
            f"{', '.join(node.operators) or 'founder'}, {node.topology}, "
            f"fitness {number(node.fitness)}")  # fmt: skip
    mark = element("circle", cx=x, cy=y, r=size, class_="mark")
    if not node.layer or not node.operators:
        mark = box(x - size, y - size, 2 * size, 2 * size, class_="mark")
    ring = None
    if node.number == subject:
        ring = element("circle", cx=x, cy=y, r=size + 4, class_="subject")
    reach = element("circle", cx=x, cy=y, r=8.0, class_="reach")
    return element(
        "a", title(told), reach, ring, mark, href=f"#birth-{node.number}",
        id=f"node-{node.number}", data_birth=node.number,
        class_=f"node {'trunk' if node.on_trunk else 'beside'}",
    )  # fmt: skip
