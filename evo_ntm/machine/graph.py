"""Graphs side by side: every connection that there could be is a weight, and most of them are 0.

What is heard and told is one matrix, [senders and nodes, nodes and orders and outputs], whatever
the graph, so that graphs of one frame run together. Nodes are settled level by level: after as many
products as the longest path has nodes every one has heard all that it hears, exactly, and further
products change nothing. Of a recurrent graph each hears what the others said the step before.
"""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from evo_ntm.machine.controller import Carry, arrive
from evo_ntm.machine.weights import Weights, check_weights
from evo_ntm.topology import Graph, Topology
from evo_ntm.topology.graph import STEEPNESS
from evo_ntm.topology.parts import total
from evo_ntm.topology.wires import framed, places


def wire_up(topology: Topology, flat: Float[Tensor, "*population D"]) -> Weights:
    """Lay the weights of connections, or what is framed already, out as matrices.

    Raises MachineError where it is neither in number.
    """
    check_weights(topology, flat)
    rows, columns = framed(topology)
    if isinstance(topology.controller.graph, Graph):
        where = torch.as_tensor(places(topology), device=flat.device)
        room = flat.new_zeros(*flat.shape[:-1], rows * columns)
        flat = room.index_copy(-1, where, flat)
    nodes = topology.controller.frame.nodes
    laid = torch.unflatten(STEEPNESS * flat, -1, (rows, columns))
    inputs, width, heads = total(topology.inputs), topology.width, len(topology.heads)
    heard, recalled, bias, hidden = laid.split_with_sizes([inputs, heads * width, 1, nodes], -2)
    told, outputs = columns - nodes, total(topology.outputs)
    among, spoken = hidden.split_with_sizes([nodes, told], -1)
    return Weights(
        layers=(),
        thought=heard,
        cell=laid.new_zeros(*laid.shape[:-2], 0, told),
        bias=bias + torch.tensor(_switched_off(topology), dtype=flat.dtype, device=flat.device),
        reads=laid.new_zeros(*laid.shape[:-2], heads * width, outputs),
        start=laid.new_zeros(*laid.shape[:-2], heads, width),
        recalled=recalled,
        among=among,
        spoken=spoken,
    )


def silence(topology: Topology, weights: Weights, lanes: int) -> Carry:
    """Begin: before the first step the nodes of a recurrent graph said 0; others keep nothing."""
    if not topology.controller.frame.recurrent:
        return ()
    start = weights.start
    nothing = start.new_zeros(*start.shape[:-2], lanes, topology.controller.frame.nodes)
    return ((nothing, nothing[..., :0]),)


def remember(
    told: Float[Tensor, "*batch K"],
    carry: Carry,
    among: Float[Tensor, "*population G G"],
    spoken: Float[Tensor, "*population G J"],
) -> tuple[Float[Tensor, "*batch J"], Carry]:
    """Let the nodes of a recurrent graph hear what they said before, and others what they say."""
    within = among.shape[-1]
    arriving, said = told.split_with_sizes([within, told.shape[-1] - within], -1)
    ((before, nothing),) = carry
    thought = torch.sigmoid(arrive(arriving, before, among))
    return arrive(said, thought, spoken), ((thought, nothing),)


def settle(
    told: Float[Tensor, "*batch K"],
    among: Float[Tensor, "*population G G"],
    spoken: Float[Tensor, "*population G J"],
    *,
    levels: int,
) -> Float[Tensor, "*batch J"]:
    """Let nodes hear each other, and what heads and output are told hear the nodes."""
    within = among.shape[-1]
    if not within:
        return told
    arriving, said = told.split_with_sizes([within, told.shape[-1] - within], -1)
    thought = torch.sigmoid(arriving)
    for _ in range(levels - 1):
        thought = torch.sigmoid(arrive(arriving, thought, among))
    return arrive(said, thought, spoken)


@lru_cache(maxsize=64)
def _switched_off(topology: Topology) -> list[float]:
    """Tell the heads that lack a stage what switches it off: never to jump, always to stay."""
    heads, never = topology.heads, float("-inf")
    told = [0.0] * (len(heads) * (topology.width + 1))
    told += [0.0 if head.stages.content else never for head in heads]
    for head in heads:
        told += [0.0, 0.0, 0.0] if head.stages.shift else [never, 0.0, never]
    return [*[0.0] * topology.controller.frame.nodes, *told, *[0.0] * total(topology.outputs)]
