"""The wires of a machine: which part feeds which, and the order of the weights on them.

A wire is a matrix of weights from one part to another, a row for each unit that receives and a
column for each unit that sends. Its name says which: `writer 3 key < layer 1`. Names are all
that parents, children, files and reports go by; no other module knows where a weight lies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from evo_ntm.topology.parts import Block, Head, total
from evo_ntm.topology.topology import Topology

BIAS = (Block(0, 1, name="bias"),)
LSTM_GATES = ("input gate", "forget gate", "candidate", "output gate")


@dataclass(frozen=True)
class Port:
    """Where wires end: what is made of the sum that arrives, and which equation it feeds."""

    name: str
    activation: str
    range: str
    feeds: str


@dataclass(frozen=True)
class Wire:
    """A block of weights: where in the flat array, from which units, to which units.

    `organ` is the part that owns the receiving units; crossover takes over whole units of it.
    """

    port: Port
    source: str
    organ: str
    rows: tuple[Block, ...]
    columns: tuple[Block, ...]
    offset: int

    @property
    def name(self) -> str:
        """Name the wire: receiver < sender."""
        return f"{self.port.name} < {self.source}"

    @property
    def shape(self) -> tuple[int, int]:
        """Count the receiving and the sending units."""
        return total(self.rows), total(self.columns)

    @property
    def size(self) -> int:
        """Count the weights."""
        return self.shape[0] * self.shape[1]

    @property
    def place(self) -> slice:
        """Say where in the flat array of weights the wire lies."""
        return slice(self.offset, self.offset + self.size)


def hidden(layer: int) -> str:
    """Name a layer of the controller, counted from 1."""
    return f"layer {layer}"


@lru_cache(maxsize=4096)
def wires(topology: Topology) -> dict[str, Wire]:
    """List every wire of a machine by name, in the order of the flat array."""
    found: dict[str, Wire] = {}
    offset = 0
    for port, source, organ, rows, columns in _connections(topology):
        wire = Wire(port, source, organ, rows, columns, offset)
        found[wire.name] = wire
        offset += wire.size
    return found


def size(topology: Topology) -> int:
    """Count the weights of a machine."""
    last = next(reversed(wires(topology).values()))
    return last.offset + last.size


Blocks = tuple[Block, ...]
Connection = tuple[Port, str, str, Blocks, Blocks]
Told = tuple[str, str, str, str, Blocks]


def _connections(topology: Topology) -> Iterator[Connection]:
    yield from _controller(topology)
    for head in topology.heads:
        yield from _head(topology, head)
    answer = Port("output", "sigmoid", "(0, 1)", "answer")
    senders = [*top(topology), ("bias", BIAS)]
    senders += [(head.name, topology.columns) for head in _heard(topology, "output")]
    for source, columns in senders:
        yield answer, source, "output", topology.outputs, columns


def _heard(topology: Topology, by: str) -> list[Head]:
    listened = topology.listened(by)
    return [head for head, heard in zip(topology.reading, listened, strict=True) if heard]


def top(topology: Topology) -> list[tuple[str, Blocks]]:
    """List what heads and output hear of the controller: its top layer.

    Without layers they hear the input itself and what was read the step before.
    """
    layers = topology.controller.layers
    if layers:
        return [(hidden(len(layers)), layers[-1])]
    recalled = [(before(head), topology.columns) for head in _heard(topology, "controller")]
    return [("input", topology.inputs), *recalled]


def before(head: Head) -> str:
    """Name what a head read the step before, where a later read of it may be heard beside it."""
    return f"{head.name} before"


def _controller(topology: Topology) -> Iterator[Connection]:
    lstm = topology.controller.kind == "lstm"
    below: list[tuple[str, Blocks]] = [("input", topology.inputs)]
    below += [(head.name, topology.columns) for head in _heard(topology, "controller")]
    for number, units in enumerate(topology.controller.layers, start=1):
        organ = hidden(number)
        senders = [*below, *([(organ, units)] if lstm else []), ("bias", BIAS)]
        for port in _lstm_ports(organ) if lstm else [Port(organ, "tanh", "(-1, 1)", "hidden")]:
            for source, columns in senders:
                yield port, source, organ, units, columns
        if lstm:
            yield (
                Port(f"{organ} start", "tanh", "(-1, 1)", "hidden at t = 0"),
                *_from_bias(organ, units),
            )
            yield (
                Port(f"{organ} cell start", "identity", "any", "cell at t = 0"),
                *_from_bias(organ, units),
            )
        below = [(organ, units)]


def _from_bias(organ: str, units: Blocks) -> tuple[str, str, Blocks, Blocks]:
    return "bias", organ, units, BIAS


def _lstm_ports(organ: str) -> list[Port]:
    ranges = {"candidate": ("tanh", "(-1, 1)")}
    return [
        Port(f"{organ} {gate}", *ranges.get(gate, ("sigmoid", "(0, 1)")), "hidden, cell")
        for gate in LSTM_GATES
    ]


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


def _head(topology: Topology, head: Head) -> Iterator[Connection]:
    senders = top(topology)
    if head.source == "cell":
        senders = [(f"{name} cell", columns) for name, columns in senders]
    for port, rows in ports(head, topology.columns):
        for source, columns in [*senders, ("bias", BIAS)]:
            yield port, source, head.name, rows, columns
    if head.kind == "reader":
        start = Port(f"{head.name} start", "identity", "any", "read at t = 0")
        yield start, *_from_bias(head.name, topology.columns)
