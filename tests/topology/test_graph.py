"""Graphs: their numbers, their levels and their ends."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.errors import TopologyError
from evo_ntm.topology import Block, Connection, Controller, Frame, Graph, Head, Topology, wires
from evo_ntm.topology.ends import receivers, senders
from evo_ntm.topology.graph import node, numbered
from evo_ntm.topology.wires import framed, places, size

INPUTS, OUTPUTS = (Block(1, 2, per_bit=True), Block(2, 1)), (Block(101, 1),)
COLUMNS, HEADS = (Block(4, 1), Block(5, 1)), (Head(7, "tape", target="controller"),)


def chain(*numbers):
    """Connect nodes one after another, the first to an input and the last to the output."""
    names = ["input 2", *map(node, numbers), "output 101"]
    return tuple(map(Connection, names, names[1:]))


def machine(nodes=(), connections=None, heads=HEADS):
    connections = chain() if connections is None else connections
    graph = Graph(nodes, connections)
    return Topology(INPUTS, OUTPUTS, Controller("graph", graph=graph), COLUMNS, heads)


def test_the_ends_are_these_in_this_order():
    assert list(senders(INPUTS, COLUMNS, HEADS)) == [
        "input 1.0", "input 1.1", "input 2", "tape 7 read 4", "tape 7 read 5", "bias"
    ]  # fmt: skip
    assert list(receivers(OUTPUTS, COLUMNS, HEADS)) == [
        "tape 7 write 4", "tape 7 write 5", "tape 7 interpolation 0", "tape 7 jump 0",
        "tape 7 shift -1", "tape 7 shift 0", "tape 7 shift 1", "output 101"
    ]  # fmt: skip


def test_a_number_follows_from_who_hears_whom_and_nothing_else():
    one, other = Connection("input 2", "output 101"), Connection("bias", "output 101")
    assert one.innovation == numbered("output 101 < input 2") == 1439333755
    assert one.innovation != other.innovation
    assert 0 <= other.innovation < 2**31


def test_who_splits_a_connection_twice_has_two_nodes_the_same_for_all():
    split = Connection("input 2", "output 101")
    first = split.split(())
    second = split.split({first})
    assert first != second
    assert split.split({second}) == first == split.split(())
    assert Connection("bias", "output 101").split(()) != first


@given(some.permutations(range(6)))
def test_equal_graphs_are_equal_however_they_came_about(order):
    nodes, connections = list(range(5)), list(chain(*range(5)))
    shuffled = Graph(
        tuple(sorted(nodes, key=lambda n: order[n])),
        tuple(sorted(connections, key=lambda told: order[connections.index(told)])),
    )
    whole = Graph(tuple(nodes), tuple(connections))
    assert shuffled == whole
    assert hash(shuffled) == hash(whole)


def test_a_level_is_the_longest_path():
    graph = Graph((1, 2, 3), (*chain(3, 1, 2), Connection("input 2", "node 2")))
    assert graph.levels == {3: 1, 1: 2, 2: 3}
    assert list(graph.levels) == [3, 1, 2]
    assert graph.after("node 1") == {"node 1", "node 2"}


def test_frames_are_of_multiples_of_16_nodes_and_powers_of_2_levels():
    deep = [Graph(tuple(range(n)), chain(*range(n))).frame for n in (0, 1, 2, 3, 4, 5, 17)]
    expected = [(0, 0), (16, 1), (16, 2), (16, 4), (16, 4), (16, 8), (32, 32)]
    assert [frame[:2] for frame in deep] == expected
    flat = Graph(tuple(range(17)), ())
    assert flat.frame == Frame(nodes=32, levels=1)


def test_in_a_recurrent_graph_nodes_may_hear_of_themselves_and_wait_for_nobody():
    circle = (*chain(1, 2), Connection("node 2", "node 1"), Connection("node 1", "node 1"))
    graph = Graph((1, 2), circle, recurrent=True)
    assert graph.levels == {1: 1, 2: 1}
    assert graph.frame == Frame(nodes=16, levels=1, recurrent=True)
    forward = Graph((1, 2), chain(1, 2))
    assert forward != Graph((1, 2), chain(1, 2), recurrent=True)


@pytest.mark.parametrize(
    ("nodes", "connections", "expected"),
    [
        ((1, 1), (), "every node and every connection once"),
        ((), chain() * 2, "every node and every connection once"),
        ((1, 2), (*chain(1, 2), Connection("node 2", "node 1")), "no circles, but node 1 hears"),
        ((1,), (Connection("node 1", "node 1"),), "no circles, but node 1 hears of itself"),
    ],
)
def test_what_is_no_feed_forward_graph_is_refused(nodes, connections, expected):
    with pytest.raises(TopologyError, match=expected):
        Graph(nodes, connections)


def test_a_controller_has_layers_or_a_graph():
    with pytest.raises(TopologyError, match="a graph instead of layers if it is of the kind graph"):
        Controller("graph")
    with pytest.raises(TopologyError, match="but dense was given"):
        Controller("dense", graph=Graph())


def test_a_graph_speaks_to_a_tape_that_only_it_hears():
    for head in (Head(7, "reader", target="controller"), Head(7, "tape")):
        with pytest.raises(TopologyError, match="a graph has heads of a tape, whose target is the"):
            machine(heads=(head,))


def test_connections_go_with_the_parts_that_they_lead_to():
    read, order = Connection("tape 7 read 4", "output 101"), Connection("bias", "tape 7 jump 0")
    told = (*chain(), read, order)
    whole = machine(connections=told)
    assert set(whole.controller.graph.connections) == set(told)
    assert machine(connections=told, heads=()).controller.graph.connections == chain()


def test_a_connection_is_a_wire_of_one_weight():
    topology = machine((8,), (*chain(8), Connection("bias", "tape 7 jump 0")))
    found = wires(topology)
    assert list(found) == ["node 8 < input 2", "output 101 < node 8", "tape 7 jump 0 < bias"]
    assert {wire.shape for wire in found.values()} == {(1, 1)}
    assert [wire.organ for wire in found.values()] == ["node 8", "output", "tape 7"]
    assert [wire.place.start for wire in found.values()] == [0, 1, 2]
    assert size(topology) == 3


def test_a_frame_has_a_place_for_every_connection_and_graphs_of_one_frame_one_shape():
    one, other = machine((8,), chain(8)), machine((3, 9), (*chain(3), *chain(9)[:1]))
    assert one.shape_key == other.shape_key
    assert one.framed == other.framed
    rows, columns = framed(one)
    assert (rows, columns) == (6 + 16, 16 + 8)
    assert size(one.framed) == rows * columns
    # `input 2` is the third of who is heard, the first node the seventh; the output is told last.
    assert places(one).tolist() == [2 * columns, 6 * columns + columns - 1]
    assert machine().shape_key != one.shape_key


def test_a_graph_is_told_of_by_its_counts():
    assert str(machine((8,), chain(8))) == (
        "graph of 1 node and 2 connections, 1 tape head, width 2"
    )


def test_what_was_pickled_in_another_process_is_equal_and_has_the_same_hash():
    script = (
        "import pickle, sys; from tests.topology.test_graph import chain, machine; "
        "made = machine((8,), chain(8)); hash(made); sys.stdout.buffer.write(pickle.dumps(made))"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    came, here = pickle.loads(run.stdout), machine((8,), chain(8))
    assert came == here
    assert hash(came) == hash(here)
    assert hash(came.controller.graph) == hash(here.controller.graph)
