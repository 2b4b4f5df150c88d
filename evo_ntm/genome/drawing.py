"""Operators on graphs: nodes and connections come and go one by one, as in NEAT.

Source: Stanley and Miikkulainen (2002). There a node takes the place of the connection that it
splits; here it comes beside it and is not listened to yet, so that it changes no answer before a
perturbation wakes it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evo_ntm.genome.bounds import USUAL, Bounds, Inapplicable
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import draw
from evo_ntm.seeds import Generator
from evo_ntm.topology import Connection, Controller, Graph
from evo_ntm.topology.ends import receivers, senders
from evo_ntm.topology.graph import node

TRIES = 2  # connections that are looked at, of which the weakest goes


def add_node(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Add a node that hears the sender of a connection, and to which its receiver listens not yet.

    Preserves the answers. What it hears starts at random, so that it thinks already; it wakes as
    soon as a perturbation makes the receiver listen. Its innovation number follows from that of the
    connection: two genomes that split the same one have the same node.
    """
    graph = _graph(genome)
    if len(graph.nodes) >= bounds.nodes[1]:
        raise Inapplicable(f"a graph has at most {bounds.nodes[1]} nodes here, and this has "
                           f"{len(graph.nodes)}")  # fmt: skip
    room = bounds.connections[1] - len(graph.connections)
    if room < 2 or not graph.connections:
        raise Inapplicable(
            "a new node needs a connection to split and room for 2 within "
            f"{bounds.connections[1]}, but there are {len(graph.connections)}"
        )
    split = draw(graph.connections, generator)
    number = split.split(graph.nodes)
    heard, told = Connection(split.sender, node(number)), Connection(node(number), split.receiver)
    connections = (*graph.connections, heard, told)
    larger = replace(graph, nodes=(*graph.nodes, number), connections=connections)
    return _drawn(genome, larger, {heard: float(generator.normal()), told: 0.0})


def add_connection(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Let a node, a head or an output listen to something else.

    In no circle, unless the graph is recurrent. Preserves the answers: the weight starts at 0, and
    wakes with any perturbation.
    """
    graph = _graph(genome)
    if len(graph.connections) >= bounds.connections[1]:
        raise Inapplicable(f"a graph has at most {bounds.connections[1]} connections here, and "
                           f"this has {len(graph.connections)}")  # fmt: skip
    topology, there = genome.topology, set(graph.connections)
    heard = [*senders(topology.inputs, topology.columns, topology.heads), *graph.names]
    told = [*receivers(topology.outputs, topology.columns, topology.heads), *graph.names]
    later = {} if graph.recurrent else {name: graph.after(name) for name in graph.names}
    options = [
        Connection(sender, receiver)
        for receiver in told
        for sender in heard
        if sender not in later.get(receiver, ()) and (sender, receiver) not in there
    ]
    if not options:
        raise Inapplicable("expected two ends to connect, but all are")
    new = draw(options, generator)
    return _drawn(genome, replace(graph, connections=(*graph.connections, new)), {new: 0.0})


def drop_connection(genome: Genome, *, generator: Generator, bounds: Bounds = USUAL) -> Genome:
    """Take a connection away, of two drawn the weaker, and with it nodes that tell nobody any more.

    Preserves the answers only where it weighed nothing.
    """
    graph = _graph(genome)
    least = max(1, bounds.connections[0])
    if len(graph.connections) <= least:
        raise Inapplicable(f"a graph has at least {least} connections here, and this has "
                           f"{len(graph.connections)}")  # fmt: skip
    drawn = [int(generator.integers(0, len(graph.connections))) for _ in range(TRIES)]
    gone = min(drawn, key=lambda place: abs(float(genome.genes[place])))
    kept = [each for place, each in enumerate(graph.connections) if place != gone]
    smaller = _heard(graph, kept)
    if not bounds.connections[0] <= len(smaller.connections) or not smaller.connections:
        raise Inapplicable("expected connections to remain, but with the last way all others go")
    if len(smaller.nodes) < bounds.nodes[0]:
        raise Inapplicable(f"a graph has at least {bounds.nodes[0]} nodes here, and only "
                           f"{len(smaller.nodes)} would remain")  # fmt: skip
    return _drawn(genome, smaller, {})


def _heard(graph: Graph, connections: list[Connection]) -> Graph:
    """Leave out nodes that nobody but such nodes hears, and what they hear."""
    heard, left = set[str](), {each.receiver for each in connections} - graph.names.keys()
    while left:
        heard |= left
        left = {each.sender for each in connections if each.receiver in left} - heard
    nodes = tuple(number for name, number in graph.names.items() if name in heard)
    kept = tuple(each for each in connections if each.receiver in heard)
    return replace(graph, nodes=nodes, connections=kept)


def _graph(genome: Genome) -> Graph:
    graph = genome.topology.controller.graph
    if not isinstance(graph, Graph):
        raise Inapplicable("expected a graph, but this controller is "
                           f"{genome.topology.controller.kind}")  # fmt: skip
    return graph


def _drawn(genome: Genome, graph: Graph, new: Mapping[Connection, float]) -> Genome:
    """Give the genome with another graph; connections that it had keep their weights."""
    weights = dict(zip(_graph(genome).connections, genome.genes.tolist(), strict=True))
    topology = replace(genome.topology, controller=Controller("graph", graph=graph))
    genes = [new[each] if each in new else weights[each] for each in graph.connections]
    return Genome(topology, np.array(genes, dtype=np.float32), genome.encoding)
