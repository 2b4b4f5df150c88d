"""Where the fused CUDA program finds things, and how a machine is cut to fit on a chip."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo_ntm.machine.weights import plan
from evo_ntm.topology import Topology
from evo_ntm.topology.parts import total

WARP = 32  # threads
MOST_WARPS = 16
MOST_LANES = 4
NUMBERS_A_THREAD = 72  # of the 128 registers that a thread of 16 warps has; sums need the rest


class Tiles(NamedTuple):
    """How a machine is cut: lanes an instance, warps, and the sides of its tiles."""

    lanes: int
    warps: int
    rows: int
    width: int
    heads: int


def tiles(topology: Topology, rows: int, *, memories: int = 1) -> Tiles | None:
    """Cut a machine into a thread a row, None where its memory does not fit in registers.

    It follows from topology and rows alone, and with it the order of every sum. On the way back
    there are two memories, for gradients are as many as numbers, and sums need twice the room.
    """
    heads = len(topology.heads)
    if not heads:
        return Tiles(MOST_LANES, MOST_LANES, rows=1, width=1, heads=0)
    ring, width, heads = _power(rows), _power(topology.width), _power(heads)
    numbers = ring * (memories * width + heads)
    if numbers > NUMBERS_A_THREAD * WARP * MOST_WARPS:
        return None
    lanes = max(1, min(MOST_LANES, 256 // ring, 8192 // (ring * width * memories)))
    lanes = 1 << lanes.bit_length() - 1
    a_row_each = lanes * ring // WARP
    few_enough = _power(-(-lanes * numbers * memories // (NUMBERS_A_THREAD * WARP)))
    warps = max(1, min(MOST_WARPS, max(a_row_each, few_enough)))
    return Tiles(lanes, warps, ring, width, heads)


def _power(count: int) -> int:
    """Round up to a power of two."""
    return 1 << max(count - 1, 0).bit_length()


class Layer(NamedTuple):
    """A layer: where its wires lie, who sends to it, and where its units are.

    Where an LSTM has gates, a dense layer has its hidden units.
    """

    wires_at: int
    sent_at: int
    senders: int
    units: int
    hidden_at: int
    cell_at: int
    gates_at: int


@dataclass(frozen=True)
class Arrangement:
    """Where all lies in an individual's laid weights, and in a lane's space.

    A lane's space holds, side by side and in this order, inputs, reads, the hidden units of each
    layer, the top layer's cells, the others', the gates of each, all that is told, and a ring of
    rows: whoever sends to a layer, or to the heads, lies in one piece. Laid weights hold, for each
    layer and then for all that is told, the biases and a row a sender; the answer's wires from the
    reads; starts.
    """

    index: NDArray[np.int64]  # which flat weight goes where; 0, -inf, inf follow the last
    layers: tuple[Layer, ...]
    reads_at: int
    reads: int
    top_at: int
    top: int
    told_at: int
    told: int
    ring_at: int
    telling_at: int
    answering_at: int
    starts_at: int

    def arriving(self, layer: Layer) -> slice:
        """Say where what arrives at a layer lies: at all gates of its units, or at these."""
        ports = 4 if layer.cell_at else 1
        return slice(layer.gates_at, layer.gates_at + ports * layer.units)

    @property
    def kept(self) -> list[tuple[int, int]]:
        """Say where a lane's state is: the reads, then hidden units and cells by layer."""
        organs = [(self.reads_at, self.reads)]
        for layer in self.layers:
            if layer.cell_at:
                organs += [(layer.hidden_at, layer.units), (layer.cell_at, layer.units)]
        return organs


@lru_cache(maxsize=1024)
def arrange(topology: Topology) -> Arrangement:
    """Arrange weights and space, once for each topology."""
    indices, thought, cell, bias, reads, start = plan(topology).indices
    channels, read = total(topology.inputs), len(topology.readers) * topology.width
    units, lstm = topology.controller.units, topology.controller.kind == "lstm"
    hidden_at = [channels + read + sum(units[:layer]) for layer in range(len(units))]
    end = channels + read + sum(units)
    cell_at, gates_at = [0] * len(units), hidden_at
    if lstm:
        cell_at[-1], end = end, end + units[-1]
        for layer, count in enumerate(units[:-1]):
            cell_at[layer], end = end, end + count
        gates_at = [end + 4 * sum(units[:layer]) for layer in range(len(units))]
        end += 4 * sum(units)
    parts, layers, wires_at = [], [], 0
    sent_at = 0
    for number, (below, heard, before, offsets, _) in enumerate(indices):
        senders = len(below) + len(heard) + len(before)
        organs = hidden_at[number], cell_at[number], gates_at[number]
        layers.append(Layer(wires_at, sent_at, senders, units[number], *organs))
        sent_at = hidden_at[number]
        parts += [offsets, below, heard, before]
        wires_at = sum(part.size for part in parts)
    parts += [bias, thought, cell]
    answering_at = sum(part.size for part in parts)
    parts.append(reads)
    starts_at = sum(part.size for part in parts)
    parts += [start, *(first for layer in indices for first in layer[-1])]
    index = np.concatenate([part.ravel() for part in parts])
    return Arrangement(
        index=index % (plan(topology).size + 3),
        layers=tuple(layers),
        reads_at=channels,
        reads=read,
        top_at=hidden_at[-1],
        top=len(thought) + len(cell),
        told_at=end,
        told=bias.size,
        ring_at=end + bias.size,
        telling_at=wires_at,
        answering_at=answering_at,
        starts_at=starts_at,
    )


def sizes(topology: Topology) -> dict[str, int]:
    """Say what the programs of both ways are told of a machine and of a lane's space."""
    places = arrange(topology)
    names = ("reads_at", "top_at", "top", "told_at", "told", "ring_at")
    return {name: getattr(places, name) for name in names} | {
        "width": topology.width,
        "shifts": plan(topology).shifts,
        "writers": len(topology.writers),
        "heads": len(topology.heads),
        "layers": len(places.layers),
        "RECURRENT": topology.controller.kind == "lstm",
    }


class Return(NamedTuple):
    """Where weights lie for the way back: a row a receiver, and a column for each that it heard.

    Inputs need not be told. To a layer's senders comes back what lies at `sent_at`.
    """

    places: NDArray[np.int64]  # which flat weight goes where, as for the way there
    layers: tuple[Layer, ...]
    telling_at: int
    answering_at: int


@lru_cache(maxsize=1024)
def arrange_back(topology: Topology) -> Return:
    """Arrange weights for the way back, once for each topology."""
    indices, thought, cell, _, reads, _ = plan(topology).indices
    parts: list[NDArray[np.int64]] = []
    layers: list[Layer] = []
    wires_at = 0
    for layer, (below, heard, before, _, _) in zip(arrange(topology).layers, indices, strict=True):
        inputs = 0 if layers else len(below)
        matrix = np.concatenate([below, heard, before])[inputs:]
        sent_at, senders = layer.sent_at + inputs, len(matrix)
        layers.append(layer._replace(wires_at=wires_at, sent_at=sent_at, senders=senders))
        parts.append(matrix.T)
        wires_at += matrix.size
    telling = np.concatenate([thought, cell]).T
    places = np.concatenate([part.ravel() for part in (*parts, telling, reads.T)])
    return Return(
        places % (plan(topology).size + 3), tuple(layers), wires_at, wires_at + telling.size
    )
