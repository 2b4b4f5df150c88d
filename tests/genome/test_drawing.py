"""Nodes and connections that come and go."""

from dataclasses import replace

import numpy as np
import pytest

from evo_ntm.genome.bounds import Bounds, Inapplicable
from evo_ntm.genome.drawing import add_connection, add_node, drop_connection
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.variation import cross
from evo_ntm.seeds import derive
from evo_ntm.topology import Connection, Controller, Graph
from evo_ntm.topology.graph import node
from tests.genome.machines import graph, specimen


def weights(genome):
    return dict(zip(genome.topology.controller.graph.connections, genome.genes, strict=True))


def test_a_new_node_hears_the_sender_of_a_connection_beside_which_it_stands():
    parent = graph(nodes=0)
    child = add_node(parent, generator=derive(1, "node"))
    (number,) = child.topology.controller.graph.nodes
    new = weights(child).keys() - weights(parent).keys()
    heard, told = sorted(new, key=lambda each: each.sender == node(number))
    split = Connection(heard.sender, told.receiver)
    assert heard.receiver == told.sender == node(number)
    assert number == split.split(())
    assert split in weights(child)
    assert weights(child)[told] == 0.0 != weights(child)[heard]


def test_two_that_split_the_same_connection_have_the_same_node():
    one, other = graph(nodes=0), graph(nodes=0, seed=3)
    numbers = [
        {
            add_node(genome, generator=derive(1, "node", slot)).topology.controller.graph.nodes[0]
            for slot in range(200)
        }
        for genome in (one, other)
    ]
    shared = weights(one).keys() & weights(other).keys()
    assert shared
    assert {each.split(()) for each in shared} & numbers[0] & numbers[1]


def test_connections_come_until_all_ends_are_connected_and_never_in_a_circle():
    genome = graph(0.6, nodes=3, width=1)
    for slot in range(200):
        try:
            genome = add_connection(genome, generator=derive(1, "connection", slot))
        except Inapplicable as error:
            assert str(error) == "expected two ends to connect, but all are"
            break
    drawn = genome.topology.controller.graph
    # Five inputs, one read, the bias and three nodes, heard by ten and in a line by three nodes.
    assert len(drawn.connections) == 10 * 10 + 3 * 7 + 3


def test_connections_of_a_recurrent_graph_may_close_circles():
    genome = graph(1.0, nodes=2, width=1, recurrent=True)
    while True:
        try:
            genome = add_connection(genome, generator=derive(1, genome.id))
        except Inapplicable:
            break
    # Seven that are heard from outside and two nodes, by ten orders and outputs and two nodes.
    assert len(genome.topology.controller.graph.connections) == 9 * 12
    assert genome.topology.controller.graph.recurrent


def test_nodes_of_a_recurrent_graph_that_only_hear_each_other_go():
    names = [node(1), node(2)]
    circle = [Connection(*ends) for ends in (names, names[::-1], (names[0], names[0]))]
    way = [Connection("bias", names[0]), Connection(names[1], "output 101.0")]
    plain = [Connection("bias", "output 101.1"), Connection("bias", "output 101.2")]
    topology = graph(heads=0).topology
    drawn = Graph((1, 2), (*circle, *way, *plain), recurrent=True)
    topology = replace(topology, controller=Controller("graph", graph=drawn))
    genes = np.where([each == way[1] for each in topology.controller.graph.connections], 0.0, 1.0)
    genome = Genome(topology, genes.astype(np.float32))
    left = {
        drop_connection(genome, generator=derive(slot, "drop")).topology.controller.graph
        for slot in range(40)
    }
    assert Graph((), tuple(plain), recurrent=True) in left


def test_the_weaker_of_two_goes_and_with_it_who_tells_nobody():
    genome = graph(0.2, nodes=2)
    slot = 0
    while weights(genome).keys() != {min(weights(genome))}:
        before = weights(genome)
        genome = drop_connection(genome, generator=derive(1, "drop", slot))
        slot += 1
        drawn = genome.topology.controller.graph
        assert weights(genome).items() < before.items()
        assert {node(number) for number in drawn.nodes} <= {each.sender for each in before}
        assert {node(n) for n in drawn.nodes} == {e.sender for e in drawn.connections} & set(
            drawn.names
        )
    with pytest.raises(Inapplicable, match="a graph has at least 1 connections here, and this has"):
        drop_connection(genome, generator=derive(1, "drop"))


@pytest.mark.parametrize(
    ("operator", "bounds", "expected"),
    [
        (add_node, {"nodes": (0, 3)}, "at most 3 nodes here, and this has 3"),
        (add_node, {"connections": (1, 20)}, "room for 2 within 20, but there are"),
        (add_connection, {"connections": (1, 20)}, "at most 20 connections here, and this has"),
        (drop_connection, {"connections": (90, 100)}, "at least 90 connections here, and this has"),
    ],
)
def test_bounds_are_kept(operator, bounds, expected):
    with pytest.raises(Inapplicable, match=expected):
        operator(graph(), generator=derive(1, "bounds"), bounds=Bounds(**bounds))


@pytest.mark.parametrize("operator", [add_node, add_connection, drop_connection])
def test_layers_are_no_graph(operator):
    with pytest.raises(Inapplicable, match="expected a graph, but this controller is lstm"):
        operator(specimen("lstm", "direct"), generator=derive(1, "layers"))


def test_graphs_cross_by_innovation_and_the_first_parent_gives_the_graph():
    one, other = graph(0.5, nodes=2), graph(0.5, nodes=5, seed=4)
    child = cross(one, other, generator=derive(1, "cross"))
    assert child.topology == one.topology
    mine, theirs, came = weights(one), weights(other), weights(child)
    assert all(came[each] in (mine[each], theirs.get(each)) for each in came)
    taken = {}
    for each in mine.keys() & theirs.keys():
        taken.setdefault(each.receiver, set()).add(came[each] == theirs[each])
    assert set(map(len, taken.values())) == {1}  # all that somebody hears of one parent
    assert 0.2 < np.mean([True in told for told in taken.values()]) < 0.8
