"""How the fused kernels want weights laid: in the order in which they are used.

Sixteen receivers lie side by side, sender after sender, so that a product reads its weights once
and in a row. Counts of receivers are rounded up to a multiple of four; what fills them weighs 0.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evo_ntm.machine.weights import plan
from evo_ntm.topology import Graph, Topology
from evo_ntm.topology.parts import total
from evo_ntm.topology.wires import framed
from evo_ntm.topology.wires import places as places_in_frame

Places = NDArray[np.int32]
BLOCK, STEP = 16, 4
NOTHING = -1


def supports(topology: Topology) -> bool:
    """Tell whether the fused kernels know a machine: not without layers, and not with a tape."""
    return bool(topology.controller.layers) and not topology.tape_heads


def supports_tape(topology: Topology) -> bool:
    """Tell whether the kernel for tapes knows a machine: a graph, or a dense one with a tape."""
    kind = topology.controller.kind
    return kind == "graph" or (kind == "dense" and bool(topology.tape_heads))


@lru_cache(maxsize=1024)
def layout(topology: Topology) -> Places:
    """Say of each place of the laid weights which weight goes there, NOTHING where it is 0."""
    if topology.controller.graph is not None:
        return _layout_of_graph(topology)
    layers, thought, cell, bias, reads, start = plan(topology).indices
    parts, starts = [], [start]
    for below, heard, before, offsets, begun in layers:
        parts += [_blocks(offsets), _blocks(below), _blocks(heard), _blocks(before)]
        starts += begun
    recalled = plan(topology).recalled
    parts += [_blocks(bias), _blocks(thought), _blocks(cell), _blocks(recalled), _blocks(reads)]
    laid = np.concatenate([*parts, *(part.ravel() for part in starts)])
    return np.where(laid < 0, NOTHING, laid).astype(np.int32)


def _layout_of_graph(topology: Topology) -> Places:
    """Lay a graph as it is settled: its nodes one by one, in an order in which they can be."""
    rows, columns = framed(topology)
    where = np.arange(rows * columns)
    if isinstance(topology.controller.graph, Graph):
        found = places_in_frame(topology)
        where = np.full(rows * columns, NOTHING)
        where[found] = np.arange(len(found))
    nodes, inputs = topology.controller.frame.nodes, total(topology.inputs)
    every = where.reshape(rows, columns)
    outside, among = every[: rows - nodes], every[rows - nodes :]
    parts = []
    for receivers in (outside[:, :nodes], outside[:, nodes:]):
        heard, recalled, bias = np.split(receivers, [inputs, len(outside) - 1])
        parts += [_blocks(bias), _blocks(heard), _blocks(recalled)]
        if len(parts) == 3 and topology.controller.frame.recurrent:
            parts.append(_blocks(among[:, :nodes]))
        elif len(parts) == 3:
            parts += [among[:node, node] for node in range(nodes)]
    return np.concatenate([*parts, _blocks(among[:, nodes:])]).astype(np.int32)


def _blocks(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut [senders, receivers] into blocks of receivers, each stored sender after sender."""
    senders, receivers = matrix.shape
    filling = np.full((senders, -receivers % STEP), NOTHING)
    whole = np.concatenate([matrix, filling], axis=1)
    blocks = [whole[:, begun : begun + BLOCK] for begun in range(0, whole.shape[1], BLOCK)]
    return np.concatenate([whole[:0].ravel(), *(block.ravel() for block in blocks)])
