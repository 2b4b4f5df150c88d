"""The wires of a machine: which part feeds which, and the order of the weights on them.

A wire is a matrix of weights from one part to another, a row for each unit that receives and a
column for each unit that sends. Its name says which: `writer 3 key < layer 1`. Names are all
that parents, children, files and reports go by; no other module knows where a weight lies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from evo_ntm.topology.ends import port_of, receivers, senders, slots
from evo_ntm.topology.graph import Frame, Graph, node
from evo_ntm.topology.parts import Block, Head, total
from evo_ntm.topology.ports import Blocks, Port, ports
from evo_ntm.topology.topology import Topology

BIAS = (Block(0, 1, name="bias"),)
SINGLE = (Block(0, 1),)
LSTM_GATES = ("input gate", "forget gate", "candidate", "output gate")


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

    @cached_property  # as a graph has hundreds of wires, which are asked again and again
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


def wires(topology: Topology) -> dict[str, Wire]:
    """List every wire of a machine by name, in the order of the flat array."""
    if topology.controller.graph is None:
        return _listed(topology)
    return _listed_graph(topology)


@lru_cache(maxsize=4096)
def _listed(topology: Topology) -> dict[str, Wire]:
    found: dict[str, Wire] = {}
    offset = 0
    for port, source, organ, rows, columns in _connections(topology):
        wire = Wire(port, source, organ, rows, columns, offset)
        found[wire.name] = wire
        offset += wire.size
    return found


def size(topology: Topology) -> int:
    """Count the weights of a machine."""
    graph = topology.controller.graph
    if isinstance(graph, Graph):
        return len(graph.connections)
    if isinstance(graph, Frame):
        rows, columns = framed(topology)
        return rows * columns
    last = next(reversed(wires(topology).values()))
    return last.offset + last.size


@lru_cache(maxsize=64)  # many wires each, and hardly two machines of a run that have the same
def _listed_graph(topology: Topology) -> dict[str, Wire]:
    found: dict[str, Wire] = {}
    graph = topology.controller.graph
    assert isinstance(graph, Graph), "of what is only framed, wires have no names"
    for offset, connection in enumerate(graph.connections):
        port, organ = port_of(connection.receiver, topology.heads, topology.columns)
        found[connection.name] = Wire(port, connection.sender, organ, SINGLE, SINGLE, offset)
    return found


def framed(topology: Topology) -> tuple[int, int]:
    """Count who may be heard and who may be told in the frame of a graph.

    Those who are heard are its `senders` and its nodes, those who are told nodes and `receivers`.
    """
    nodes = topology.controller.frame.nodes
    heard = senders(topology.inputs, topology.columns, topology.heads)
    return len(heard) + nodes, nodes + slots(topology.outputs, topology.columns, topology.heads)


@lru_cache(maxsize=1024)
def places(topology: Topology) -> NDArray[np.int64]:
    """Say where in the frame of a graph, row after row, the weight of each connection lies."""
    graph = topology.controller.graph
    assert isinstance(graph, Graph), "what is framed lies where it is"
    columns, nodes = framed(topology)[1], topology.controller.frame.nodes
    order = {node(number): place for place, number in enumerate(graph.levels)}
    heard = dict(senders(topology.inputs, topology.columns, topology.heads))
    heard |= {name: len(heard) + place for name, place in order.items()}
    told = receivers(topology.outputs, topology.columns, topology.heads)
    told = order | {name: nodes + place for name, place in told.items()}
    found = [heard[each.sender] * columns + told[each.receiver] for each in graph.connections]
    return np.array(found, dtype=np.int64)


Found = tuple[Port, str, str, Blocks, Blocks]


def _connections(topology: Topology) -> Iterator[Found]:
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


def _controller(topology: Topology) -> Iterator[Found]:
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


def _head(topology: Topology, head: Head) -> Iterator[Found]:
    senders = top(topology)
    if head.source == "cell":
        senders = [(f"{name} cell", columns) for name, columns in senders]
    for port, rows in ports(head, topology.columns):
        for source, columns in [*senders, ("bias", BIAS)]:
            yield port, source, head.name, rows, columns
    if head.kind == "reader":
        start = Port(f"{head.name} start", "identity", "any", "read at t = 0")
        yield start, *_from_bias(head.name, topology.columns)
