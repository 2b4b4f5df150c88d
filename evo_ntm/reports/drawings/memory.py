"""The memory at work, after figure 6 of Graves et al. (2014), of several machines side by side.

All machines get the same sequence, and all drawings the same rows of memory and the same panels, so
that what stands level can be compared. A panel is a small picture of one dot a number, drawn large.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib.colors import Colormap
from matplotlib.image import imsave
from numpy.typing import NDArray

from evo_ntm.reports.chapters import Portrait
from evo_ntm.reports.drawings.svg import box, drawing, element, line, title, words
from evo_ntm.reports.ink import BITS, VECTORS, WEIGHTS, WRONG, Ink, ink, largest
from evo_ntm.reports.memory_use import (
    answers_begin,
    answers_panel,
    heads_at_work,
    inputs_panel,
    rows_in_use,
    targets_panel,
    titles,
)
from evo_ntm.reports.observation import level
from evo_ntm.reports.panels import Panel
from evo_ntm.topology import Head

WIDTH, LEFT, RIGHT = 330, 62, 4
GAP, TITLE, BELOW = 10, 15, 30
CELL, LEAST, MOST = 6.0, 26.0, 150.0  # heights in pixels: of a row, and of a panel
LETTERS = 10  # of a name beside a panel
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def memories(portraits: Sequence[Portrait]) -> list[Element]:
    """Draw the memory at work, a drawing for each machine."""
    if not portraits:
        return []
    even = level([portrait.seen for portrait in portraits])
    portraits = [replace(one, seen=seen) for one, seen in zip(portraits, even, strict=True)]
    rows, limit = shown_rows(portraits), vector_limit(portraits)
    shown = [_panels(portrait, rows, limit) for portrait in portraits]
    heads = {head.name: head for portrait in portraits for head in portrait.topology.heads}
    ordered = sorted(heads.values(), key=lambda head: (head.kind == "reader", head.birth))
    names = ["inputs", "targets", "answers", *(name for head in ordered for name in _titles(head))]
    heights = {
        name: max(_height(panels[name]) for panels in shown if name in panels) for name in names
    }
    return [_draw(portrait, panels, heights)
            for portrait, panels in zip(portraits, shown, strict=True)]  # fmt: skip


def shown_rows(portraits: Sequence[Portrait]) -> NDArray[np.int64]:
    """List the memory rows that any of the machines uses."""
    first = portraits[0].seen
    write, read = (
        np.concatenate([getattr(portrait.seen, name) for portrait in portraits], axis=1)
        for name in ("write_weightings", "read_weightings")
    )
    return rows_in_use(first._replace(write_weightings=write, read_weightings=read))


def vector_limit(portraits: Sequence[Portrait]) -> float:
    """Find the largest number in any of the vectors: the end of their common scale."""
    return largest(*(numbers for p in portraits for numbers in (p.seen.add, p.seen.reads)))


def scales(limit: float) -> list[tuple[str, str, str, str]]:
    """Give the keys to the inks: a name, the ends, and a picture of what lies between them."""
    told: list[tuple[str, Colormap, str, str]] = [
        ("bit, or its probability", BITS, "0", "1"),
        ("the same, answered wrongly", WRONG, "0", "1"),
        ("weight on a memory row", WEIGHTS, "0", "1"),
        ("number in a vector", VECTORS, f"\N{MINUS SIGN}{limit:.3g}", f"{limit:.3g}"),
    ]
    ramp = np.linspace(0.0, 1.0, 64)[None]
    return [(name, low, high, picture(ink(colours, ramp))) for name, colours, low, high in told]


def picture(shown: Ink) -> str:
    """Write ink as the address of a PNG that holds itself, the same for the same ink."""
    content, dots = BytesIO(), np.rint(shown * 255).astype(np.uint8)
    nobody: dict[str, Any] = {"Software": None}  # or matplotlib would tell its version
    imsave(content, dots, format="png", metadata=nobody, pil_kwargs={"optimize": True})
    return f"data:image/png;base64,{b64encode(content.getvalue()).decode()}"


def _titles(head: Head) -> tuple[str, ...]:
    vectors, *others = titles(head.kind)
    return tuple(f"{head.name}: {title}" for title in (*others, vectors))


def _panels(portrait: Portrait, rows: NDArray[np.int64], limit: float) -> dict[str, Panel]:
    topology, seen = portrait.topology, portrait.seen
    written, read = heads_at_work(topology, seen, limit=limit, rows=rows)
    return {panel.title: panel for panel in (
        inputs_panel(topology.inputs, seen),
        targets_panel(topology.outputs, seen),
        answers_panel(topology.outputs, seen),
        *written,
        *read,
    )}  # fmt: skip


def _height(panel: Panel) -> float:
    """Choose a height; every row gets a dot at least, or it could not be seen."""
    rows = len(panel.ink)
    return max(min(max(rows * CELL, LEAST), MOST), float(rows))


def _draw(portrait: Portrait, panels: dict[str, Panel], heights: dict[str, float]) -> Element:
    steps, wide = len(portrait.seen.inputs), WIDTH - LEFT - RIGHT
    due = [LEFT + wide * step / steps for step in answers_begin(portrait.seen)]
    parts, y = [], 0.0
    for name, height in heights.items():
        y += TITLE
        parts.append(words(LEFT, y - 4, name, class_="name"))
        parts += _panel(panels.get(name), y, wide, height, steps)
        if name in panels:
            parts += [line(x, y, x, y + height, class_="due") for x in due]
        y += height + GAP
    bottom = y - GAP
    told = (f"memory of birth {portrait.birth}, {portrait.name}: "
            f"{int(portrait.seen.wrong.sum())} bits wrong")  # fmt: skip
    return drawing(WIDTH, bottom + BELOW, title(told), *parts, *_time(steps, wide, bottom),
                   class_="memory", role="img")  # fmt: skip


def _panel(panel: Panel | None, y: float, wide: int, height: float, steps: int) -> list[Element]:
    frame = box(LEFT, y, wide, height, class_="frame", fill="none")
    if panel is None:
        return [frame, words(LEFT + wide / 2, y + height / 2 + 4, "no such head here",
                             class_="label middle")]  # fmt: skip
    rows = len(panel.ink)
    cell = height / rows
    fine = "auto" if steps > wide else "pixelated"
    shown = element("image", href=picture(panel.ink), x=LEFT, y=y, width=wide, height=height,
                    preserveAspectRatio="none", class_="ink",
                    style=f"image-rendering:{fine}")  # fmt: skip
    parted = [line(LEFT, y + cell * (place + 0.5), LEFT + wide, y + cell * (place + 0.5),
                   class_="part") for place in panel.lines]  # fmt: skip
    named = [words(LEFT - 4, y + cell * (place + 0.5) + 3, _short(name), class_="label end")
             for place, name in panel.ticks]  # fmt: skip
    return [shown, *parted, frame, *named]


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def _time(steps: int, wide: int, bottom: float) -> list[Element]:
    """Number the steps below the lowest panel."""
    every = next((tick for tick in TICKS if steps / tick <= 8), TICKS[-1])
    parts = []
    for step in range(0, steps, every):
        x = LEFT + wide * (step + 0.5) / steps
        parts.append(line(x, bottom, x, bottom + 3, class_="tick"))
        parts.append(words(x, bottom + 13, str(step), class_="label middle"))
    parts.append(words(LEFT + wide / 2, bottom + 26, "step", class_="label middle"))
    return parts
