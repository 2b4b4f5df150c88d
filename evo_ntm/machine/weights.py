"""The weights of a machine as a few matrices, so that a step is a few products.

A flat array of weights holds wire after wire (`evo_ntm.topology.wires`). `Plan` knows for each
place of each matrix which weight goes there. A stage that a head does not use is told by constants
that switch it off exactly: a gate of 0 or 1, a sharpening of 1, a shift of 0.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from evo_ntm.topology import Head, Topology, Wire, wires
from evo_ntm.topology.parts import total
from evo_ntm.topology.wires import LSTM_GATES, hidden, size

Index = NDArray[np.int64]
ZERO, SHUT, OPEN = -3, -2, -1
CONSTANTS = {ZERO: 0.0, SHUT: float("-inf"), OPEN: float("inf")}


class Layer(NamedTuple):
    """One layer of the controller. G is 4 gates for an LSTM and 1 for a dense layer."""

    below: Float[Tensor, "*population I GU"]
    beside: Float[Tensor, "*population J GU"]
    bias: Float[Tensor, "*population 1 GU"]
    start: tuple[Float[Tensor, "*population 1 U"], ...]


class Weights(NamedTuple):
    """All matrices of a machine, ready to multiply from the right."""

    layers: tuple[Layer, ...]
    orders: Float[Tensor, "*population U K"]
    orders_bias: Float[Tensor, "*population 1 K"]
    answer: Float[Tensor, "*population J O"]
    answer_bias: Float[Tensor, "*population 1 O"]
    reads: Float[Tensor, "*population R M"]


class Plan:
    """Where every weight goes, for all machines of one shape."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.size = size(topology)
        self.shifts = max((h.shifts for h in topology.heads if h.stages.shift), default=1)
        self._wires = wires(topology)
        self._indices = self._layers(), *self._orders(), *self._answer(), self._reads()

    def wire_up(self, flat: Float[Tensor, "*population D"]) -> Weights:
        """Lay flat weights out as matrices."""
        constants = flat.new_tensor(list(CONSTANTS.values())).expand(*flat.shape[:-1], 3)
        extended = torch.cat([flat, constants], dim=-1)

        def take(index: Index) -> Tensor:
            places = torch.as_tensor(index.ravel() % (self.size + 3), device=flat.device)
            return extended.index_select(-1, places).unflatten(-1, index.shape)

        layers, *rest = self._indices
        laid = [
            Layer(take(below), take(beside), take(bias), tuple(map(take, start)))
            for below, beside, bias, start in layers
        ]
        return Weights(tuple(laid), *map(take, rest))

    def _layers(self) -> list[tuple[Index, Index, Index, list[Index]]]:
        topology = self.topology
        gates = LSTM_GATES if topology.controller.kind == "lstm" else ("",)
        below, heard = "input", self._heard("controller")
        found = []
        for number, units in enumerate(topology.controller.layers, start=1):
            organ = hidden(number)
            ports = [f"{organ} {gate}".rstrip() for gate in gates]
            lstm = [organ] if topology.controller.kind == "lstm" else []

            def side_by_side(sender: str, ports: list[str] = ports) -> Index:
                return np.concatenate([_places(self._wires[f"{p} < {sender}"]) for p in ports], 1)

            senders = [side_by_side(sender) for sender in [*heard, *lstm]]
            nothing = np.empty((0, len(gates) * total(units)), dtype=np.int64)
            starts = [f"{organ} start < bias", f"{organ} cell start < bias"] if lstm else []
            start = [_places(self._wires[name]) for name in starts]
            beside = np.concatenate([nothing, *senders])
            found.append((side_by_side(below), beside, side_by_side("bias"), start))
            below, heard = organ, []
        return found

    def _heard(self, by: str) -> list[str]:
        listened = self.topology.listened(by)
        return [head.name for head, heard in zip(self.topology.readers, listened, strict=True) if heard]

    def _orders(self) -> tuple[Index, Index]:
        """Put the same order of all heads side by side: keys, strengths, gates and so on."""
        heads, top = self.topology.heads, hidden(len(self.topology.controller.layers))
        cells = any(head.source == "cell" for head in heads)
        sources = [top, f"{top} cell"] if cells else [top]
        units, width = self.topology.controller.units[-1], self.topology.width
        columns, biases = [], []
        widths = {"key": width, "erase": width, "add": width, "shift": self.shifts}
        for order in ("key", "strength", "gate", "shift", "sharpening", "erase", "add"):
            told = self.topology.writers if order in ("erase", "add") else heads
            for head in told:
                shape = units, widths.get(order, 1)
                columns.append(
                    np.concatenate([self._order(head, order, source, shape) for source in sources])
                )
                biases.append(self._order(head, order, "bias", (1, shape[1])))
        nothing = np.empty((units * len(sources), 0), dtype=np.int64)
        return np.concatenate([nothing, *columns], 1), np.concatenate([nothing[:1], *biases], 1)

    def _order(self, head: Head, order: str, source: str, shape: tuple[int, int]) -> Index:
        width = shape[1]
        absent = np.full(shape, ZERO)
        if source == "bias":
            absent[:] = _switched_off(head, order, width)
        wire = self._wires.get(f"{head.name} {order} < {source}")
        if wire is not None:
            margin = (width - wire.shape[0]) // 2
            absent[:, margin : width - margin] = _places(wire)
        return absent

    def _answer(self) -> tuple[Index, Index]:
        senders = [hidden(len(self.topology.controller.layers)), *self._heard("output")]
        senders_places = [_places(self._wires[f"output < {sender}"]) for sender in senders]
        return np.concatenate(senders_places), _places(self._wires["output < bias"])

    def _reads(self) -> Index:
        starts = [_places(self._wires[f"{head.name} start < bias"]) for head in self.topology.readers]
        return np.concatenate([np.empty((0, self.topology.width), dtype=np.int64), *starts])


def _places(wire: Wire) -> Index:
    return np.arange(wire.offset, wire.offset + wire.size).reshape(wire.shape).T


def _switched_off(head: Head, order: str, width: int) -> Index:
    constants = np.full(width, ZERO)
    if order == "gate":
        constants[:] = OPEN if head.stages.content else SHUT
    if order == "sharpening":
        constants[:] = SHUT
    if order == "shift":
        constants[:] = SHUT
        constants[width // 2] = ZERO
    return constants


@lru_cache(maxsize=1024)
def plan(topology: Topology) -> Plan:
    """Plan the matrices of a topology, once."""
    return Plan(topology)
