"""Graphs in the machine, beside plain sums in the order of their levels."""

import math

import numpy as np
import pytest
import torch

from evo_ntm.errors import MachineError
from evo_ntm.evolution.cohort import gather
from evo_ntm.evolution.individual import Individual
from evo_ntm.genome import Genome
from evo_ntm.machine import Machine
from evo_ntm.machine.graph import settle
from evo_ntm.topology import Connection, Graph, Tape
from evo_ntm.topology.graph import node
from tests.genome.machines import graph, sequences


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def told(genome, heard):
    """Sum up what everyone is told who is told anything, node after node."""
    weights = dict(zip(genome.topology.controller.graph.connections, genome.genes, strict=True))
    sums = {}

    def arriving(name):
        if name not in sums:
            terms = [
                float(weight) * thought(sender)
                for (sender, receiver), weight in weights.items()
                if receiver == name
            ]
            sums[name] = 4.9 * sum(terms)
        return sums[name]

    def thought(name):
        return heard[name] if name in heard else sigmoid(arriving(name))

    return {receiver: arriving(receiver) for _, receiver in weights}


@pytest.mark.parametrize("nodes", [0, 1, 5, 24])
def test_answers_are_those_of_plain_sums(nodes):
    genome = graph(0.5, nodes=nodes, heads=0, seed=nodes)
    inputs = sequences(genome.topology.inputs, steps=3, lanes=2)
    machine = Machine(genome.topology)
    flat = torch.tensor(genome.weights, dtype=torch.float64)
    came = machine.episode(flat, inputs, rows=0)
    names = ["input 1.0", "input 1.1", "input 1.2", "input 1.3", "input 2"]
    for step in range(3):
        for lane in range(2):
            heard = dict(zip(names, inputs[step, lane].tolist(), strict=True), bias=1.0)
            sums = told(genome, heard)
            expected = [sums.get(f"output 101.{place}", 0.0) for place in range(4)]
            assert came[step, lane].tolist() == pytest.approx(expected, abs=1e-9)


def test_a_long_chain_is_settled_exactly_and_more_products_change_nothing():
    names = ["input 2", *map(node, range(7)), "output 101.0"]
    genome = graph(0.5, nodes=0, heads=0)
    chain = Graph(tuple(range(7)), tuple(map(Connection, names, names[1:])))
    controller = type(genome.topology.controller)("graph", graph=chain)
    topology = type(genome.topology)(
        genome.topology.inputs, genome.topology.outputs, controller, genome.topology.columns
    )
    chained = Genome(topology, np.full(8, 0.7))
    weights = Machine(topology).wire_up(torch.tensor(chained.weights))
    arriving = torch.randn(3, weights.bias.shape[-1])
    told = arriving, weights.among, weights.spoken
    assert topology.controller.frame.levels == 8
    once = settle(*told, levels=8)
    for levels in (7, 9, 30):
        assert torch.equal(settle(*told, levels=levels), once)
    assert not torch.equal(settle(*told, levels=6), once)


def test_nodes_of_a_recurrent_graph_hear_what_nodes_said_the_step_before():
    genome = graph(0.5, nodes=6, heads=0, recurrent=True)
    drawn = genome.topology.controller.graph
    inputs = sequences(genome.topology.inputs, steps=4, lanes=2)
    machine = Machine(genome.topology)
    weights = machine.wire_up(torch.tensor(genome.weights, dtype=torch.float64))
    state = machine.initial_state(weights, lanes=2, rows=0)
    came, ended = machine.run(weights, inputs, state)
    names = ["input 1.0", "input 1.1", "input 1.2", "input 1.3", "input 2"]
    for lane in range(2):
        before = dict.fromkeys(drawn.names, 0.0)
        for step in range(4):
            heard = dict(zip(names, inputs[step, lane].tolist(), strict=True), bias=1.0)
            now = {name: sigmoid(total(genome, name, heard | before)) for name in before}
            expected = [total(genome, f"output 101.{n}", heard | now) for n in range(4)]
            assert came[step, lane].tolist() == pytest.approx(expected, abs=1e-9)
            before = now
        kept = ended.carry[0][0][lane].tolist()[:6]
        assert kept == pytest.approx([before[node(number)] for number in drawn.nodes])


def total(genome, receiver, heard):
    drawn = zip(genome.topology.controller.graph.connections, genome.genes, strict=True)
    return 4.9 * sum(float(w) * heard[s] for (s, r), w in drawn if r == receiver)


def test_a_recurrent_graph_may_be_interrupted_anywhere():
    genome = graph(0.5, nodes=6, recurrent=True)
    inputs = sequences(genome.topology.inputs, steps=9, lanes=3)
    machine = Machine(genome.topology)
    weights = machine.wire_up(torch.tensor(genome.weights, dtype=torch.float64))
    state = machine.initial_state(weights, lanes=3, rows=0)
    whole, _ = machine.run(weights, inputs, state, lengths=[9, 4, 7])
    first, state = machine.run(weights, inputs[:4], state)
    second, _ = machine.run(weights, inputs[4:], state, lengths=[5, 1, 3])
    torch.testing.assert_close(whole[:, 0], torch.cat([first, second])[:, 0])
    torch.testing.assert_close(whole[:7, 2], torch.cat([first, second])[:7, 2])


def test_graphs_of_one_frame_run_side_by_side_as_they_do_alone():
    tape = Tape("overwrite", fresh_cell=True)
    genomes = [graph(0.4, nodes=3 + seed % 2, seed=seed, tape=tape) for seed in range(6)]
    shapes = {genome.topology.framed for genome in genomes}
    groups = [[g for g in genomes if g.topology.framed == shape] for shape in shapes]
    assert max(map(len, groups)) > 1
    inputs = sequences(genomes[0].topology.inputs, steps=12, lanes=20)
    for group in groups:
        cohort = gather([Individual(genome, operators=("found",)) for genome in group])
        weights = torch.from_numpy(cohort.weights(0, len(group))).double()
        together = Machine(cohort.topology).episode(weights, inputs, rows=0)
        for place, genome in enumerate(group):
            flat = torch.tensor(genome.weights).double()
            alone = Machine(genome.topology).episode(flat[None], inputs, rows=0)
            torch.testing.assert_close(together[:, place], alone[:, 0])


def test_gradients_reach_the_weights_of_a_graph():
    genome = graph(0.5, nodes=4, heads=0)
    flat = torch.tensor(genome.weights, requires_grad=True)
    inputs = sequences(genome.topology.inputs, steps=3).float()
    Machine(genome.topology).episode(flat, inputs, rows=0).square().sum().backward()
    assert (flat.grad != 0).float().mean() > 0.5


def test_weights_of_another_number_are_refused():
    genome = graph()
    count = genome.genes.size
    with pytest.raises(MachineError, match=f"expected {count} weights for graph of 3 nodes and"):
        Machine(genome.topology).wire_up(torch.zeros(count + 1))
