from dataclasses import replace

import pytest

from evo_ntm.genome.drawing import add_node, drop_connection
from evo_ntm.reports.drawings.graph import graph, height
from evo_ntm.reports.drawings.machine import machine
from evo_ntm.reports.drawings.svg import markup
from evo_ntm.seeds import derive
from evo_ntm.topology import Controller
from evo_ntm.topology.ends import receivers, senders
from tests.genome.machines import SPECIMENS
from tests.genome.machines import graph as genome_of

ROOM = {"left": 10.0, "top": 100.0, "width": 300.0}


def marked(drawn, kind):
    """Tell of each element of a kind its state and what its title says."""
    found = [(part.get("class", "").split(), part.findtext("title")) for part in drawn]
    return [(names[-1], told) for names, told in found if names[0] == kind]


@pytest.mark.parametrize("name", [name for name in SPECIMENS if "graph" in name])
def test_all_nodes_and_ends_of_a_graph_are_drawn_within_its_room(name):
    topology = SPECIMENS[name].topology
    drawn = graph(topology, None, **ROOM)
    nodes, connections = topology.controller.graph.nodes, topology.controller.graph.connections
    ends = (*senders(topology.inputs, topology.columns, topology.heads),
            *receivers(topology.outputs, topology.columns, topology.heads))  # fmt: skip
    assert sorted(told for _, told in marked(drawn, "end")) == sorted(ends)
    assert marked(drawn, "node") == [("kept", f"node {number}") for number in nodes]
    assert marked(drawn, "connection") == [("kept", f"{len(connections)} connections kept")]
    points = [(float(p.get("cx")), float(p.get("cy"))) for p in drawn if p.tag == "circle"]
    assert len(set(points)) == len(points)
    assert all(10 <= x <= 310 for x, _ in points)
    assert all(100 <= y <= 100 + height(topology, None) for _, y in points)


def test_nodes_stand_above_those_that_they_hear():
    topology = SPECIMENS["graph of two tape heads"].topology
    drawn = graph(topology, None, **ROOM)
    y = {part.findtext("title"): float(part.get("cy")) for part in drawn if part.tag == "circle"}
    for sender, receiver in topology.controller.graph.connections:
        assert y[sender] > y[receiver]


def test_what_a_graph_gained_and_lost_is_marked():
    before = genome_of(0.5, nodes=3)
    after = add_node(before, generator=derive(1, "node"))
    after = drop_connection(after, generator=derive(3, "drop"))
    gained = set(after.topology.controller.graph.nodes) - set(
        before.topology.controller.graph.nodes
    )
    drawn = graph(after.topology, before.topology, **ROOM)
    assert [told for state, told in marked(drawn, "node") if state == "gained"] == [
        f"node {number}" for number in gained
    ]
    told = dict(marked(drawn, "connection"))
    assert told["gained"] == "2 connections gained" and told["lost"] == "1 connection lost"
    back = graph(before.topology, after.topology, **ROOM)
    assert [state for state, _ in marked(back, "node")].count("lost") == len(gained) == 1


def test_ways_between_nodes_of_a_recurrent_graph_are_bent():
    topology = SPECIMENS["recurrent graph"].topology
    drawn = topology.controller.graph
    ways = next(p.get("d") for p in graph(topology, None, **ROOM) if p.tag == "path")
    loops = sum(sender == receiver for sender, receiver in drawn.among)
    assert ways.count("c") == loops
    assert ways.count("q") == len(drawn.among) - loops > 0


def test_other_controllers_take_no_room_for_a_graph():
    dense = SPECIMENS["direct dense, one tape head"].topology
    drawn = genome_of(1.0, nodes=0).topology
    assert graph(dense, drawn, **ROOM) == [] and height(dense, drawn) == 0
    bare = replace(drawn, controller=Controller("dense"))
    assert {state for state, _ in marked(graph(drawn, bare, **ROOM), "connection")} == {"kept"}


def test_a_machine_says_how_large_its_graph_is():
    text = markup(machine(genome_of(0.5, nodes=3).topology))
    assert "3 nodes" in text and "connections kept" in text
