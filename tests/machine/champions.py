"""Published champions, read from the data of `golden`, as graphs with a tape."""

import json

import numpy as np

from evo_ntm.genome import Genome
from evo_ntm.topology import Block, Connection, Controller, Graph, Head, Tape, Topology
from evo_ntm.topology.ends import BIAS, receivers, senders
from evo_ntm.topology.graph import STEEPNESS

HEAD = Head(71, "tape", target="controller")
KEYS = "connections [source, target, weight]", "connections [input, output, weight]"


def champion(path, *, inputs, outputs, width, write, steepness=4.9, bias_last=False):
    """Read a champion. Its inputs are those of the task and of the memory, in this order."""
    told = json.loads(path.read_text())
    (connections,) = (told[key] for key in KEYS if key in told)
    columns = tuple(Block(501 + column, 1) for column in range(width))
    ends = [*senders(inputs, columns, (HEAD,))]
    heard = ends if bias_last else [BIAS, *ends[:-1]]
    orders = list(receivers(outputs, columns, (HEAD,)))
    answers = sum(block.size for block in outputs)
    obeyed = [*orders[len(orders) - answers :], *orders[: len(orders) - answers]]
    hidden = range(told.get("n_hidden", 0))
    nodes = [f"node {number}" for number in hidden]
    if bias_last:
        weights = {Connection(heard[a], obeyed[b]): w for a, b, w in connections}
    else:
        names = [*heard, *obeyed, *nodes]
        weights = {Connection(names[a], names[b]): w for a, b, w in connections}
    graph = Graph(tuple(hidden), tuple(weights))
    assert len(graph.connections) == len(connections)
    topology = Topology(
        inputs, outputs, Controller("graph", graph=graph), columns, (HEAD,), Tape(write=write)
    )
    ordered = topology.controller.graph.connections
    genes = [weights[each] * steepness / STEEPNESS for each in ordered]
    return Genome(topology, np.array(genes, dtype=np.float32))
