"""The first genome, and the rules by which weights start."""

import numpy as np
import pytest

from evo_ntm.errors import EvoNTMError
from evo_ntm.genome.encoding import likes
from evo_ntm.genome.founder import founder
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Stages, Tape, wires
from tests.genome.machines import INPUTS, OUTPUTS, answers


def found(**told):
    told = {"encoding": "direct", "generator": derive(1, "founder"), **told}
    return founder(INPUTS, OUTPUTS, **told)


def sizes(blocks):
    return [(block.size, block.per_bit) for block in blocks]


def test_hidden_units_come_in_fours_and_memory_columns_one_by_one():
    topology = found(units=(10, 3), width=3).topology
    assert [sizes(layer) for layer in topology.controller.layers] == [
        [(4, False), (4, False), (2, False)],
        [(3, False)],
    ]
    assert sizes(topology.columns) == [(1, False)] * 3


def test_a_tied_founder_begins_every_axis_with_one_unit_a_bit():
    topology = found(units=(10,), width=5, encoding="tied").topology
    assert sizes(topology.controller.layers[0]) == [(4, True), (4, False), (2, False)]
    assert sizes(topology.columns) == [(4, True), (1, False)]
    assert topology.width == 5


def test_a_founder_whose_bits_are_alike_begins_with_the_weights_of_a_tied_one():
    told = {"units": (10,), "width": 5}
    tied, direct = found(**told, encoding="tied"), found(**told, per_bit=True, alike=True)
    assert direct.topology == tied.topology and direct.genes.size > tied.genes.size
    assert np.array_equal(direct.weights, tied.weights)
    assert not np.array_equal(direct.weights, found(**told, per_bit=True).weights)


def test_the_connections_of_a_graph_may_begin_alike_too():
    told = {"controller": "graph", "units": (), "readers": 0, "writers": 0, "width": 5}
    tape = {"tape_heads": 1, "tape": Tape("overwrite"), "head": {"target": "controller"}}
    genome = found(**told, **tape, per_bit=True, alike=True)
    kinds = likes(genome.topology)
    assert len(np.unique(kinds)) < genome.genes.size
    assert all(len(np.unique(genome.genes[kinds == kind])) == 1 for kind in kinds)


def test_no_two_parts_have_one_birth_id_and_heads_have_the_first_that_are_free():
    topology = found(units=(8, 8), width=6, readers=2, writers=1).topology
    assert [head.name for head in topology.heads] == ["writer 3", "reader 4", "reader 5"]
    hidden = [block for layer in topology.controller.layers for block in layer]
    parts = [*INPUTS, *OUTPUTS, *hidden, *topology.columns, *topology.heads]
    assert len({part.birth for part in parts}) == len(parts) == len(topology.births())


def test_the_genes_of_the_heads_are_as_told():
    told = {"source": "cell", "target": "output", "stages": ["content", "shift"], "shifts": 5}
    for head in found(controller="lstm", readers=1, writers=1, head=told).topology.heads:
        assert (head.source, head.target, head.shifts) == ("cell", "output", 5)
        assert head.stages == Stages(True, False, True, False)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"encoding": "tied", "units": (3,)}, "layer 1 .* 4 bits, but it was given 3"),
        ({"encoding": "tied", "units": (8, 2)}, "layer 2 .* 4 bits, but it was given 2"),
        ({"encoding": "tied", "width": 3}, "the memory .* 4 bits, but it was given 3"),
        ({"head": {"sorce": "cell"}}, "no gene 'sorce': did you mean 'source'"),
        ({"head": {"stages": ["contents"]}}, "no stage 'contents': did you mean 'content'"),
        ({"head": {"shifts": 4}}, "odd .* given 4"),
        ({"head": {"source": "cell"}}, "a dense controller has none"),
        ({"units": (), "controller": "lstm"}, "at least 1 layer"),
        ({"tape_heads": 1}, "all of the kind tape, but were given as reader, tape, writer"),
        ({"units": (8, 0)}, r"given \[8, 0\]"),
        ({"controller": "gru"}, "dense, lstm, graph, not 'gru'"),
        ({"encoding": "cppn"}, "direct, tied, not 'cppn'"),
    ],
)
def test_a_founder_that_cannot_be_is_refused(told, words):
    with pytest.raises(EvoNTMError, match=words):
        found(**told)


def test_the_tied_encoding_needs_bits_to_tie():
    plain = (Block(1, 1, name="bit"),)
    with pytest.raises(EvoNTMError, match="expected inputs with exchangeable bits"):
        founder(plain, plain, encoding="tied", generator=derive(1, "founder"))


@pytest.mark.parametrize("encoding", ["direct", "tied"])
def test_weights_start_with_the_variance_of_one_over_fan_in(encoding):
    told = dict(units=(400, 200), width=60, readers=2, encoding=encoding)
    weights = found(**told).express()
    heads = 2 * 60
    for name, fan_in in {
        "layer 1 < input": 5 + heads,
        "layer 1 < reader 4": 5 + heads,
        "layer 2 < layer 1": 400,
        "output < layer 2": 200 + heads,
        "writer 3 key < layer 2": 200,
    }.items():
        spread = weights[name].std() * fan_in**0.5
        assert 0.85 < spread < 1.15, name
        assert abs(weights[name].mean()) * fan_in**0.5 < 0.15


def test_biases_start_at_zero_and_forget_gates_open():
    genome = found(controller="lstm", units=(8,), readers=1, writers=1)
    for name, wire in wires(genome.topology).items():
        if wire.source == "bias":
            expected = 1.0 if name == "layer 1 forget gate < bias" else 0.0
            assert (genome.express()[name] == expected).all(), name


def test_a_founder_is_reproducible_and_runs():
    assert found().id == found().id
    assert found().id != found(generator=derive(2, "founder")).id
    assert np.isfinite(answers(found(readers=2, writers=2)).numpy()).all()


def test_what_a_tape_is_told_starts_loud_enough_to_decide():
    told = dict(units=(), tape_heads=1, readers=0, writers=0, head={"target": "controller"})
    assert 7 < found(**told).genes.std() < 9
    layered = found(**{**told, "units": (8,)})
    (head,), express = layered.topology.heads, layered.express()
    assert express["layer 1 < input"].std() < 1
    assert express[f"{head.name} write < layer 1"].std() > 6
    assert not express["output < bias"].any()
