"""The weights of a machine as a few matrices, so that a step is a few products.

A flat array of weights holds wire after wire (`evo_ntm.topology.wires`). `Plan` knows for each
place of each matrix which weight goes there. A stage that a head does not use is told by constants
that switch it off exactly: a gate of 0 or 1, a sharpening of 1, a shift of 0.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.errors import MachineError
from evo_ntm.topology import Head, Topology, wires
from evo_ntm.topology.parts import total
from evo_ntm.topology.wires import LSTM_GATES, before, hidden, size, top

Index = NDArray[np.int64]
ZERO, SHUT, OPEN = -3, -2, -1
ORDERS = ("key", "shift", "add", "strength", "sharpening", "gate", "erase")
TAPE_ORDERS = ("write", "interpolation", "jump", "shift")
NONE = np.empty((0, 0), dtype=np.int64)
CONSTANTS = {ZERO: 0.0, SHUT: float("-inf"), OPEN: float("inf")}


class Layer(NamedTuple):
    """One layer of the controller. G is 4 gates for an LSTM and 1 for a dense layer.

    It hears what is below it, the reads if it is the first, and itself before if it is an LSTM's.
    """

    below: Float[Tensor, "*population I GU"]
    reads: Float[Tensor, "*population RM GU"]
    before: Float[Tensor, "*population V GU"]
    bias: Float[Tensor, "*population 1 GU"]
    start: tuple[Float[Tensor, "*population 1 U"], ...]


class Weights(NamedTuple):
    """All matrices of a machine, ready to multiply from the right.

    The top layer's hidden units and cells speak to the heads and then, on the same wires, to the
    output; the reads do so to the output alone. The reads start somewhere. Without layers the input
    speaks in place of hidden units, and so do the reads of the step before, which are `recalled`.
    In a graph they all speak to its nodes as well, which come first in K, and which speak among
    themselves and then to the others.
    """

    layers: tuple[Layer, ...]
    thought: Float[Tensor, "*population U K"]
    cell: Float[Tensor, "*population C K"]
    bias: Float[Tensor, "*population 1 K"]
    reads: Float[Tensor, "*population RM O"]
    start: Float[Tensor, "*population R M"]
    recalled: Float[Tensor, "*population RM K"]
    among: Float[Tensor, "*population G G"]
    spoken: Float[Tensor, "*population G J"]


def check_weights(topology: Topology, flat: Tensor) -> None:
    """Refuse weights of another number. Raises MachineError."""
    if flat.shape[-1] != (expected := size(topology)):
        raise MachineError(f"expected {expected} weights for {topology}, got {flat.shape[-1]}")


class Plan:
    """Where every weight goes, for all machines of one shape."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.size = size(topology)
        shifts = (h.shifts for h in topology.heads if h.stages.shift or h.kind == "tape")
        self.shifts = max(shifts, default=1)
        self._wires = wires(topology)
        self.indices = self._layers(), *self._top(), self._starts()
        self.recalled = self._recalled()

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Weights:
        """Lay flat weights out as matrices."""
        check_weights(self.topology, flat)
        constants = flat.new_tensor(list(CONSTANTS.values())).expand(*flat.shape[:-1], 3)
        extended = torch.cat([flat, constants], dim=-1)

        def take(index: Index) -> Tensor:
            places = torch.as_tensor(index.ravel() % (self.size + 3), device=flat.device)
            return torch.unflatten(extended.index_select(-1, places), -1, index.shape)

        layers, *rest = self.indices
        laid = [
            Layer(take(below), take(reads), take(before), take(bias), tuple(map(take, start)))
            for below, reads, before, bias, start in layers
        ]
        return Weights(tuple(laid), *map(take, (*rest, self.recalled, NONE, NONE)))

    def _layers(self) -> list[tuple[Index, Index, Index, Index, list[Index]]]:
        topology = self.topology
        lstm = topology.controller.kind == "lstm"
        below = "input"
        found = []
        for number, units in enumerate(topology.controller.layers, start=1):
            organ = hidden(number)
            ports = [f"{organ} {gate}" for gate in LSTM_GATES] if lstm else [organ]
            receivers = len(ports) * total(units)

            def gates(sender: str, ports: list[str] = ports) -> Index:
                return np.concatenate([self._places(f"{port} < {sender}") for port in ports], 1)

            first = number == 1
            reads = _absent(0, receivers)
            if first:
                reads = self._reads("controller", lambda head: gates(head.name), receivers)
            recurrent = gates(organ) if lstm else _absent(0, receivers)
            starts = [f"{organ} start < bias", f"{organ} cell start < bias"] if lstm else []
            start = [self._places(name) for name in starts]
            found.append((gates(below), reads, recurrent, gates("bias"), start))
            below = organ
        return found

    def _top(self) -> tuple[Index, Index, Index, Index]:
        """Find what leads from the top layer and the reads to the heads and the output."""
        name, blocks = top(self.topology)[0]
        units, outputs = total(blocks), total(self.topology.outputs)
        cells = units * any(head.source == "cell" for head in self.topology.heads)
        cell = self._orders(f"{name} cell", cells), _absent(cells, outputs)
        return (
            self._told(name, units),
            np.concatenate(cell, axis=1),
            self._told("bias", 1),
            self._reads("output", lambda head: self._places(f"output < {head.name}"), outputs),
        )

    def _recalled(self) -> Index:
        """Find what the reads of the step before tell others where there are no layers."""
        width = self.topology.width
        told = self._told("bias", 1).shape[1]
        if self.topology.controller.layers:
            return _absent(0, told)
        return self._reads("controller", lambda head: self._told(before(head), width), told)

    def _told(self, source: str, senders: int) -> Index:
        """Find what a sender tells all heads, and the output."""
        output = self._places(f"output < {source}")
        return np.concatenate([self._orders(source, senders), output], axis=1)

    def _orders(self, source: str, senders: int) -> Index:
        """Put the same order of all heads side by side: keys, then shifts, and so on."""
        width = self.topology.width
        widths = dict.fromkeys(("key", "erase", "add", "write"), width) | {"shift": self.shifts}
        columns = [_absent(senders, 0)]
        for order in TAPE_ORDERS if self.topology.tape_heads else ORDERS:
            told = self.topology.writers if order in ("erase", "add") else self.topology.heads
            for head in told:
                columns.append(self._order(head, order, source, (senders, widths.get(order, 1))))
        return np.concatenate(columns, axis=1)

    def _order(self, head: Head, order: str, source: str, shape: tuple[int, int]) -> Index:
        width = shape[1]
        absent = _absent(*shape)
        if source == "bias":
            absent[:] = _switched_off(head, order, width)
        wire = self._wires.get(f"{head.name} {order} < {source}")
        if wire is not None:
            margin = (width - wire.shape[0]) // 2
            absent[:, margin : width - margin] = self._places(wire.name)
        return absent

    def _reads(self, by: str, place: Callable[[Head], Index], receivers: int) -> Index:
        """Find the wires from all reads; from one that is not listened to they weigh 0."""
        found = [_absent(0, receivers)]
        listened = self.topology.listened(by)
        for head, heard in zip(self.topology.reading, listened, strict=True):
            found.append(place(head) if heard else _absent(self.topology.width, receivers))
        return np.concatenate(found)

    def _starts(self) -> Index:
        """Find what every head is to have read before the first step; that of a tape nothing."""
        width = self.topology.width
        starts = [self._places(f"{head.name} start < bias") for head in self.topology.readers]
        return np.concatenate([_absent(len(self.topology.tape_heads), width), *starts])

    def _places(self, name: str) -> Index:
        """Say where in the flat array a wire lies, a row for each sending unit."""
        wire = self._wires[name]
        return np.arange(wire.offset, wire.offset + wire.size).reshape(wire.shape).T


def _absent(senders: int, receivers: int) -> Index:
    return np.full((senders, receivers), ZERO, dtype=np.int64)


def _switched_off(head: Head, order: str, width: int) -> Index:
    constants = np.full(width, ZERO)
    if order == "gate":
        constants[:] = OPEN if head.stages.content else SHUT
    if order in ("sharpening", "jump"):
        constants[:] = SHUT
    if order == "shift":
        constants[:] = SHUT
        constants[width // 2] = ZERO
    return constants


@lru_cache(maxsize=1024)
def plan(topology: Topology) -> Plan:
    """Plan the matrices of a topology, once."""
    return Plan(topology)
