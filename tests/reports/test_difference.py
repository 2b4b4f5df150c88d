"""What two genomes differ in, against plain loops and by operators whose work is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from evo_ntm.genome import Genome
from evo_ntm.genome.drawing import add_node, drop_connection
from evo_ntm.genome.founder import founder
from evo_ntm.genome.variation import OPERATORS, Inapplicable, parents_needed, perturb
from evo_ntm.reports.difference import difference, displacement, topology_changes
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Stages, wires
from tests.genome.machines import SPECIMENS, graph, specimen

STRUCTURAL = sorted(name for name in OPERATORS if name not in ("perturb", "cross"))


def small(encoding="direct", units=(8,), **told):
    channels = (Block(1, 2, per_bit=True, name="bits"),), (Block(101, 2, per_bit=True),)
    told = {"width": 5, **told}
    return founder(*channels, units=units, encoding=encoding, **told, generator=derive(1, "f"))


def plainly(genome):
    """Name every weight by its wire and the units at both ends, counted within their birth."""
    found = {}
    for name, matrix in genome.express().items():
        wire = wires(genome.topology)[name]
        rows, columns = (
            [(block.birth, unit) for block in blocks for unit in range(block.size)]
            for blocks in (wire.rows, wire.columns)
        )
        for row, receiver in enumerate(rows):
            for column, sender in enumerate(columns):
                found[name, receiver, sender] = float(matrix[row, column])
    return found


def by_hand(before, after):
    """Give the lengths of change and of what was, in all and by wire, weight after weight."""
    old, new = plainly(before), plainly(after)
    squares = {}
    for key in old.keys() & new.keys():
        change, was = squares.get(key[0], (0.0, 0.0))
        squares[key[0]] = change + (new[key] - old[key]) ** 2, was + old[key] ** 2
    lengths = {name: tuple(np.sqrt(pair)) for name, pair in squares.items()}
    return lengths, np.sqrt(np.sum(list(squares.values()), axis=0)) if squares else (0.0, 0.0)


def compare(before, after):
    told = difference(before, after)
    by_wire, (change, was) = by_hand(before, after)
    assert {wire.name for wire in told.wires} == by_wire.keys()
    for wire in told.wires:
        assert (wire.change, wire.before) == pytest.approx(by_wire[wire.name], rel=1e-9, abs=1e-12)
        expected = by_wire[wire.name]
        assert wire.relative == (pytest.approx(expected[0] / expected[1]) if expected[1] else None)
    assert told.displacement == (pytest.approx(change / was) if was else None)
    assert displacement(before, after) == (pytest.approx(change / was) if was else None)
    assert set(told.gained) == after.express().keys() - before.express().keys()
    assert set(told.lost) == before.express().keys() - after.express().keys()
    return told


def test_a_genome_does_not_differ_from_itself():
    for genome in SPECIMENS.values():
        told = compare(genome, genome)
        assert told.changes == told.gained == told.lost == ()
        assert told.displacement == 0.0 and all(wire.change == 0.0 for wire in told.wires)
        assert [wire.name for wire in told.wires] == list(wires(genome.topology))


@pytest.mark.parametrize("operator", STRUCTURAL)
@pytest.mark.parametrize("encoding", ["direct", "tied"])
def test_every_operator_is_told_of_and_its_weights_are_matched_one_by_one(operator, encoding):
    done = 0
    layered = [specimen(kind, encoding, "all sorts", units=(8, 8)) for kind in ("dense", "lstm")]
    taped = SPECIMENS[f"{encoding} dense, two tape heads"]
    for parent in (*layered, taped, SPECIMENS["graph"]):
        try:
            child = OPERATORS[operator](parent, generator=derive(5, operator))
        except Inapplicable:
            continue
        child = perturb(child, generator=derive(6, operator), sigma=0.1)
        assert compare(parent, child).changes and compare(child, parent).changes
        done += 1
    assert done


def told(operator, parent=None, **parameters):
    parent = parent or small()
    child = OPERATORS[operator](parent, generator=derive(1, "told"), **parameters)
    fresh = ({head.birth for head in child.topology.heads}
             - {head.birth for head in parent.topology.heads})  # fmt: skip
    return difference(parent, child), *fresh


def test_parts_that_come_and_go_are_told_in_plain_words():
    came, birth = told("add_reader")
    assert came.changes == (f"reader {birth} gained",)
    assert f"reader {birth} key < layer 1" in came.gained and came.lost == ()
    assert came.displacement == 0.0
    writer = small().topology.writers[0].name
    assert told("drop_writer")[0].changes == (f"{writer} lost",)
    assert told("widen_memory")[0].changes == ("memory: 1 column gained (5 to 6)",)
    assert told("widen_memory", columns=3)[0].changes == ("memory: 3 columns gained (5 to 8)",)
    assert told("narrow_memory")[0].changes == ("memory: 1 column lost (5 to 4)",)
    assert told("grow_controller")[0].changes == ("layer 1: 4 units gained (8 to 12)",)
    assert told("shrink_controller")[0].changes == ("layer 1: 4 units lost (8 to 4)",)
    assert told("deepen_controller")[0].changes == ("layer 2 gained, of 8 units",)
    flat = told("flatten_controller", small(units=(8, 8)))[0]
    assert flat.changes == ("layer 2 lost, of 8 units",)
    assert told("swap_controller")[0].changes == ("controller: lstm (was dense)",)


def test_a_head_that_is_changed_is_told_by_its_name():
    one = small()
    (writer, reader), topology = one.topology.heads, one.topology

    def changes(head, topology=topology):
        others = [each for each in topology.heads if each.birth != head.birth]
        return topology_changes(topology, replace(topology, heads=(*others, head)))

    assert changes(replace(reader, shifts=5)) == (
        f"{reader.name}: shifts by one of 5 offsets (was 3)",
    )
    assert changes(replace(reader, target="output")) == (
        f"{reader.name}: is heard by output (was controller and output)",
    )
    assert changes(replace(writer, stages=Stages(content=False, interpolation=False))) == (
        f"{writer.name}: no longer uses content",
        f"{writer.name}: no longer uses interpolation",
    )
    lstm = replace(topology, controller=replace(topology.controller, kind="lstm"))
    assert changes(replace(writer, source="cell"), lstm) == (
        f"{writer.name}: takes its orders from the cell (was the hidden units)",
    )
    bare = replace(topology, heads=(replace(writer, stages=Stages(sharpening=False)), reader))
    assert topology_changes(bare, topology) == (f"{writer.name}: uses sharpening",)
    assert changes(replace(writer, kind="reader")) == (
        f"reader {writer.birth} gained",
        f"writer {writer.birth} lost",
    )


def test_units_that_come_while_others_go_are_both_told():
    topology = small().topology
    first, second = topology.controller.layers[0]
    other = replace(topology.controller, layers=((second, Block(900, 3)),))
    assert topology_changes(topology, replace(topology, controller=other)) == (
        "layer 1: 3 units gained, 4 units lost (8 to 7)",
    )


def test_a_tied_genome_differs_in_nothing_from_its_weights():
    for name, genome in SPECIMENS.items():
        if name.startswith("tied"):
            told = compare(genome, Genome(genome.topology, genome.weights))
            assert told.displacement == 0.0 and told.changes == ()


def test_a_genome_of_more_bits_is_told_so():
    genome = small("tied")
    told = compare(genome, genome.with_bits(4))
    assert "inputs: 2 channels gained (2 to 4)" in told.changes
    assert "memory: 2 columns gained (5 to 7)" in told.changes


def test_genomes_that_share_nothing_differ_all_the_same():
    one = small()
    strange = replace(
        one.topology,
        inputs=(Block(501, 2),),
        outputs=(Block(502, 1),),
        controller=replace(one.topology.controller, layers=((Block(503, 2),),)),
        columns=(Block(504, 2),),
        heads=(),
    )
    other = Genome(strange, np.ones(2 * 2 + 2 + 2 + 1))
    told = compare(one, other)
    assert told.displacement is None and told.wires == ()
    assert {"layer 1: 2 units gained, 8 units lost (8 to 2)",
            "memory: 2 columns gained, 5 columns lost (5 to 2)"} <= {*told.changes}  # fmt: skip
    assert displacement(one, other) is None


@given(seed=some.integers(0, 2**20), count=some.integers(1, 6))
def test_a_topology_changes_exactly_where_something_is_told(seed, count):
    generator = derive(seed, "walk")
    start = genome = specimen("dense", "direct", units=(8,))
    for _ in range(count):
        name = STRUCTURAL[int(generator.integers(0, len(STRUCTURAL)))]
        assert parents_needed(OPERATORS[name]) == 1
        try:
            genome = OPERATORS[name](genome, generator=generator)
        except Inapplicable:
            continue
    there, back = (
        topology_changes(*pair)
        for pair in ((start.topology, genome.topology), (genome.topology, start.topology))
    )
    same = start.topology.shape_key == genome.topology.shape_key and (
        start.topology.births() == genome.topology.births()
    )
    assert bool(there) == bool(back)
    assert there or same
    compare(start, genome)


def test_nodes_and_connections_gained_and_lost_are_counted():
    before = graph(0.5, nodes=2)
    count = before.genes.size
    grown = add_node(before, generator=derive(1, "node"))
    assert topology_changes(before.topology, grown.topology) == (
        "nodes: 1 gained (2 to 3)",
        f"connections: 2 gained ({count} to {count + 2})",
    )
    shrunk = drop_connection(before, generator=derive(1, "drop"))
    assert topology_changes(before.topology, shrunk.topology) == (
        f"connections: 1 lost ({count} to {count - 1})",
    )
    told = difference(shrunk, grown)
    assert told.changes[-1] == f"connections: 3 gained ({count - 1} to {count + 2})"
    assert len(told.gained) == 3
    assert told.lost == ()
