"""A small diagram of a machine: its controller, its heads and its memory, and what is new of them.

Orders go from the controller through the writers to the memory, and what is read comes back through
the readers; inputs come from below, answers leave at the top. A head shows its four addressing
stages as dots, filled where it uses them, and how far it can shift. A graph is drawn below.
"""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Generic, Literal, TypeVar
from xml.etree.ElementTree import Element

from evo_ntm.reports.drawings.graph import graph, height
from evo_ntm.reports.drawings.svg import box, drawing, element, line, title, words
from evo_ntm.topology import Block, Graph, Head, Topology
from evo_ntm.topology.parts import total

State = Literal["kept", "gained", "lost", "changed"]
P = TypeVar("P", Block, Head)

WIDTH = 326
TOP, LEAST = 34, 96  # pixels above the boxes, and their least height
BODY_LEFT, BODY_WIDTH = 10, 96
HEAD_LEFT, HEAD_WIDTH, HEAD_HEIGHT, HEAD_STEP = 130, 106, 22, 28
STAGES_LEFT, STAGE_STEP = 70, 8.5  # pixels from the left end of a head
MEMORY_LEFT, MEMORY_WIDTH = 260, 62
BELOW = 34
UNIT, UNIT_STEP, UNITS_IN_ROW, MOST_UNITS = 7, 9, 9, 36
COLUMN, MEMORY_ROWS = 9, 6
STAGES = ("content", "interpolation", "shift", "sharpening")
LONGEST_ID = 6


@dataclass(frozen=True)
class Part(Generic[P]):
    """A part of a machine, or one that it has lost."""

    part: P
    state: State


def machine(topology: Topology, before: Topology | None = None) -> Element:
    """Draw a machine; where it is told what was before, what was gained, changed or lost."""
    heads = compared(topology.heads, before.heads if before else None)
    heads.sort(key=lambda head: (head.part.kind == "reader", head.part.birth))
    tall = max(LEAST, HEAD_STEP * len(heads) + 8, _body_height(topology, before))
    whole = TOP + tall + BELOW
    return drawing(
        WIDTH, whole + height(topology, before),
        title(_told(topology)),
        *_channels(topology, tall),
        *_body(topology, before, tall),
        *_memory(topology, before, tall),
        *(_head(head, place, len(heads), tall) for place, head in enumerate(heads)),
        *graph(topology, before, left=BODY_LEFT, top=whole, width=WIDTH - 2 * BODY_LEFT),
        class_="machine", role="img",
    )  # fmt: skip


def compared(parts: Sequence[P], before: Sequence[P] | None) -> list[Part[P]]:
    """Tell of each part what became of it, the lost ones last; parts are known by their births."""
    elder = {part.birth: part for part in before or ()}
    found: list[Part[P]] = []
    for part in parts:
        if before is None:
            found.append(Part(part, "kept"))
        elif part.birth not in elder:
            found.append(Part(part, "gained"))
        else:
            found.append(Part(part, "kept" if elder[part.birth] == part else "changed"))
    births = {part.birth for part in parts}
    return found + [Part(part, "lost") for part in before or () if part.birth not in births]


def short(head: Head) -> str:
    """Name a head in a few letters."""
    number = str(head.birth)
    return f"{head.kind[0].upper()} {number if len(number) <= LONGEST_ID else f'…{number[-3:]}'}"


def _told(topology: Topology) -> str:
    """Tell of a machine in a sentence."""
    heads = "; ".join(_head_told(head) for head in topology.heads) or "no heads"
    return f"{topology}; {heads}"


def _head_told(head: Head) -> str:
    used = [name for name, on in zip(STAGES, astuple(head.stages), strict=True) if on]
    told = f"{head.name}, by {', '.join(used) or 'no stage'}"
    if head.stages.shift:
        told += f", shifting up to {head.shifts // 2}"
    if head.kind != "writer":
        told += (
            ", read by controller and output"
            if head.target == "both"
            else f", read by {head.target}"
        )
    return told + (", ordered by the cell" if head.source == "cell" else "")


def _channels(topology: Topology, tall: int) -> list[Element]:
    middle = BODY_LEFT + BODY_WIDTH / 2
    bottom = TOP + tall
    return [
        line(middle, bottom + 18, middle, bottom + 3, class_="wire"),
        _tip(middle, bottom + 1, 0, -1),
        words(middle, bottom + 30, f"{total(topology.inputs)} inputs", class_="label middle"),
        line(middle, TOP - 1, middle, TOP - 15, class_="wire"),
        _tip(middle, TOP - 18, 0, -1),
        words(middle + 8, TOP - 12, f"{total(topology.outputs)} outputs", class_="label"),
    ]


def _body(topology: Topology, before: Topology | None, tall: int) -> list[Element]:
    """Draw the controller: a square for each hidden unit, layer above layer."""
    controller = topology.controller
    changed = before is not None and before.controller.kind != controller.kind
    parts = [
        box(BODY_LEFT, TOP, BODY_WIDTH, tall, rx=6,
            class_=f"organ {'changed' if changed else 'kept'}"),
        words(BODY_LEFT + BODY_WIDTH / 2, TOP + 15, controller.kind, class_="name middle"),
    ]  # fmt: skip
    if isinstance(drawn_graph := controller.graph, Graph):
        for place, name in enumerate(("nodes", "connections")):
            count = len(getattr(drawn_graph, name))
            told = f"{count} {name if count != 1 else name[:-1]}"
            parts.append(words(BODY_LEFT + BODY_WIDTH / 2, TOP + 36 + 14 * place, told,
                               class_="label middle"))  # fmt: skip
    y = TOP + 24.0
    for layer, blocks in _layers(topology, before):
        told = f"layer {layer}: {sum(b.part.size for b in blocks if b.state != 'lost')} units"
        drawn, y = _layer(blocks, y)
        parts.append(element("g", title(told), *drawn))
    return parts


def _layers(topology: Topology, before: Topology | None) -> Iterable[tuple[int, list[Part[Block]]]]:
    layers = topology.controller.layers
    elder = before.controller.layers if before else ()
    for number in range(max(len(layers), len(elder))):
        mine = layers[number] if number < len(layers) else ()
        theirs = (elder[number] if number < len(elder) else ()) if before else None
        yield number + 1, compared(mine, theirs)


def _layer(blocks: Sequence[Part[Block]], top: float) -> tuple[list[Element], float]:
    """Draw the units of a layer, or say how many there are of very many."""
    left = BODY_LEFT + (BODY_WIDTH - UNITS_IN_ROW * UNIT_STEP + UNIT_STEP - UNIT) / 2
    states = [(block.state, block.part.per_bit) for block in blocks for _ in range(block.part.size)]
    if len(states) > MOST_UNITS:
        alive = sum(state != "lost" for state, _ in states)
        news = next((block.state for block in blocks if block.state != "kept"), "kept")
        bar = box(left, top + 2, UNITS_IN_ROW * UNIT_STEP - 2, 16, rx=3, class_=f"unit {news}")
        label = words(BODY_LEFT + BODY_WIDTH / 2, top + 14, f"{alive} units", class_="label middle")
        return [bar, label], top + 26
    drawn = []
    for place, (state, per_bit) in enumerate(states):
        row, column = divmod(place, UNITS_IN_ROW)
        drawn.append(box(left + column * UNIT_STEP, top + row * UNIT_STEP, UNIT, UNIT, rx=1.5,
                         class_=f"unit {state}{' tied' if per_bit else ''}"))  # fmt: skip
    rows = -(-len(states) // UNITS_IN_ROW)
    return drawn, top + rows * UNIT_STEP + 5


def _body_height(topology: Topology, before: Topology | None) -> int:
    tall = 30.0
    for _, blocks in _layers(topology, before):
        tall += _layer(blocks, 0.0)[1]
    return round(tall)


def _memory(topology: Topology, before: Topology | None, tall: int) -> list[Element]:
    """Draw the memory's columns; how many rows there are is not the machine's to say."""
    columns = compared(topology.columns, before.columns if before else None)
    states = [column.state for column in columns for _ in range(column.part.size)]
    step = min(COLUMN, MEMORY_WIDTH / len(states))
    left = MEMORY_LEFT + (MEMORY_WIDTH - step * len(states)) / 2
    parts = [title(f"memory: {topology.width} columns")]
    for place, state in enumerate(states):
        parts.append(box(left + place * step, TOP, max(step - 0.8, 0.6), tall,
                         class_=f"column {state}"))  # fmt: skip
    right = left + step * len(states)
    for number in range(1, MEMORY_ROWS):
        y = TOP + tall * number / MEMORY_ROWS
        parts.append(line(left, y, right, y, class_="row"))
    label = words(MEMORY_LEFT + MEMORY_WIDTH / 2, TOP + tall + 15, "memory", class_="name middle")
    many = words(MEMORY_LEFT + MEMORY_WIDTH / 2, TOP + tall + 28,
                 f"{topology.width} column{'s' if topology.width != 1 else ''}",
                 class_="label middle")  # fmt: skip
    return [element("g", *parts), label, many]


def _head(head: Part[Head], place: int, count: int, tall: int) -> Element:
    """Draw a head between controller and memory, with an arrow to where its orders or reads go."""
    part, state = head.part, head.state
    y = TOP + (tall - HEAD_STEP * count) / 2 + HEAD_STEP * place + HEAD_STEP / 2
    body_right, head_right = BODY_LEFT + BODY_WIDTH, HEAD_LEFT + HEAD_WIDTH
    look = f"wire {state}"
    arrows: list[Element] = []
    if part.kind != "reader":
        arrows += [line(body_right, y, HEAD_LEFT, y, class_=look),
                   line(head_right, y, MEMORY_LEFT - 5, y, class_=look),
                   _tip(MEMORY_LEFT - 2, y, 1, 0, state)]  # fmt: skip
    if part.kind != "writer":
        arrows.append(line(MEMORY_LEFT - 1, y, head_right + 4, y, class_=look))
        arrows.append(_tip(head_right + 1, y, -1, 0, state))
        if part.target in ("controller", "both"):
            arrows += [line(HEAD_LEFT, y, body_right + 5, y, class_=look),
                       _tip(body_right + 2, y, -1, 0, state)]  # fmt: skip
        if part.target in ("output", "both"):
            bend = body_right + 14
            path = f"M{HEAD_LEFT} {y:g} H{bend} V{TOP - 26} H{BODY_LEFT + BODY_WIDTH / 2 + 5:g}"
            arrows.append(element("path", d=path, class_=f"{look} bent"))
    pill = box(HEAD_LEFT, y - HEAD_HEIGHT / 2, HEAD_WIDTH, HEAD_HEIGHT, rx=HEAD_HEIGHT / 2,
               class_=f"head {part.kind} {state}")  # fmt: skip
    label = words(HEAD_LEFT + 9, y + 3.6, short(part), class_="name")
    dots = [
        element("circle", cx=HEAD_LEFT + STAGES_LEFT + STAGE_STEP * number, cy=y, r=2.6,
                class_=f"stage {'on' if on else 'off'}")
        for number, on in enumerate(astuple(part.stages))
    ]  # fmt: skip
    reach = None
    if part.stages.shift and part.shifts > 3:
        reach = words(HEAD_LEFT + HEAD_WIDTH - 2, y - HEAD_HEIGHT / 2 - 1.5, f"±{part.shifts // 2}",
                      class_="label end")  # fmt: skip
    return element("g", title(_head_told(part)), *arrows, pill, label, *dots, reach)


def _tip(x: float, y: float, across: int, down: int, state: State = "kept") -> Element:
    """Draw the tip of an arrow that points this way."""
    size = 4.0
    back_x, back_y = x - across * size, y - down * size
    one = f"{back_x - down * size / 1.6:g} {back_y - across * size / 1.6:g}"
    other = f"{back_x + down * size / 1.6:g} {back_y + across * size / 1.6:g}"
    return element("path", d=f"M{x:g} {y:g} L{one} L{other} Z", class_=f"tip {state}")
