"""Where wires end: what heads are told, and what is made of it."""

from dataclasses import dataclass

from evo_ntm.topology.parts import Block, Head

Blocks = tuple[Block, ...]
Told = tuple[str, str, str, str, Blocks]


@dataclass(frozen=True)
class Port:
    """Where wires end: what is made of the sum that arrives, and which equation it feeds."""

    name: str
    activation: str
    range: str
    feeds: str


def ports(head: Head, columns: Blocks) -> list[tuple[Port, Blocks]]:
    """List what a head is told, each with the units that receive it.

    Source: Graves et al. (2014), section 3.3; the activations are this project's. Of a tape's head:
    Greve, Jacobsen and Risi (2016), whose sigmoid is 4.9 times as steep, as weights can make it.
    """

    told = _of_a_tape(head, columns) if head.kind == "tape" else _of_a_weighting(head, columns)
    return [
        (Port(f"{head.name} {name}", activation, span, feeds), rows)
        for name, activation, span, feeds, rows in told
    ]


def _of_a_weighting(head: Head, columns: Blocks) -> list[Told]:
    told: list[Told] = []
    if head.stages.content:
        told.append(("key", "identity", "any", "eq. 5, 6", columns))
        told.append(("strength", "softplus", "(0, inf)", "eq. 5", _numbered(1)))
    if head.stages.interpolation:
        told.append(("gate", "sigmoid", "(0, 1)", "eq. 7", _numbered(1)))
    if head.stages.shift:
        told.append(("shift", "softmax", "(0, 1), sum 1", "eq. 8", _numbered(head.shifts)))
    if head.stages.sharpening:
        told.append(("sharpening", "1 + softplus", "(1, inf)", "eq. 9", _numbered(1)))
    if head.kind == "writer":
        told.append(("erase", "sigmoid", "(0, 1)", "eq. 3", columns))
        told.append(("add", "identity", "any", "eq. 4", columns))
    return told


def _of_a_tape(head: Head, columns: Blocks) -> list[Told]:
    told: list[Told] = [
        ("write", "sigmoid", "(0, 1)", "what it writes or looks for", columns),
        ("interpolation", "sigmoid", "(0, 1)", "how much it writes", _numbered(1)),
    ]
    if head.stages.content:
        told.append(("jump", "sigmoid", "(0, 1)", "whether it jumps", _numbered(1)))
    if head.stages.shift:
        told.append(("shift", "sigmoid", "(0, 1)", "where it steps", _numbered(head.shifts)))
    return told


def _numbered(count: int) -> Blocks:
    return tuple(Block(number, 1) for number in range(-(count // 2), count // 2 + 1))
