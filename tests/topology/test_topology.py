"""What a machine may be made of, and which machines are alike."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from evo_ntm.errors import TopologyError
from evo_ntm.genome.notation import read_topology, topology_json
from evo_ntm.topology import Block, Controller, Head, Stages, Tape, Topology
from tests.genome.machines import topologies

MACHINE = Topology(
    inputs=(Block(1, 4, per_bit=True), Block(2, 1)),
    outputs=(Block(101, 4, per_bit=True),),
    controller=Controller("lstm", ((Block(3, 4, per_bit=True), Block(4, 2)), (Block(5, 3),))),
    columns=(Block(6, 4, per_bit=True), Block(7, 1)),
    heads=(Head(12, "reader"), Head(11, "reader", target="output"), Head(13, "writer")),
)


def test_heads_are_kept_writers_first_and_the_eldest_first():
    names = ["writer 13", "reader 11", "reader 12"]
    assert [head.name for head in MACHINE.heads] == names
    assert MACHINE == replace(MACHINE, heads=MACHINE.heads[::-1])
    assert [head.birth for head in MACHINE.readers] == [11, 12]
    assert [head.birth for head in MACHINE.of_kind("writer")] == [13]
    assert MACHINE.listened("controller") == (False, True)
    assert MACHINE.listened("output") == (True, True)


def test_a_machine_counts_its_units_and_says_what_it_is():
    assert MACHINE.width == 5
    assert MACHINE.bits == 4
    assert MACHINE.controller.units == (6, 3)
    assert str(MACHINE) == "lstm 6+3, 2 readers, 1 writer, width 5"
    assert MACHINE.births() == {1, 2, 101, 3, 4, 5, 6, 7, 11, 12, 13}


def renumbered(machine):
    """Give every part another birth id and every block a name."""

    def other(blocks):
        return tuple(replace(b, birth=b.birth + 1000, name="x", per_bit=False) for b in blocks)

    layers = tuple(map(other, machine.controller.layers))
    return replace(
        machine,
        inputs=other(machine.inputs),
        outputs=other(machine.outputs),
        columns=other(machine.columns),
        controller=replace(machine.controller, layers=layers),
        heads=tuple(replace(head, birth=head.birth + 1000) for head in machine.heads),
    )


DIFFERENT_SHAPE = {
    "an input more": {"inputs": (*MACHINE.inputs, Block(8, 1))},
    "an output more": {"outputs": (*MACHINE.outputs, Block(8, 1))},
    "a column more": {"columns": (*MACHINE.columns, Block(8, 1))},
    "a unit more": {"controller": Controller("lstm", ((Block(3, 7),), (Block(5, 3),)))},
}
DIFFERENT_SPECIES = {
    "a layer less": {"controller": Controller("lstm", MACHINE.controller.layers[:1])},
    "another kind": {"controller": Controller("dense", MACHINE.controller.layers)},
    "a head less": {"heads": MACHINE.heads[1:]},
    "another target": {"heads": (MACHINE.heads[0], *(Head(n, "reader") for n in (11, 12)))},
    "another source": {"heads": (*MACHINE.heads[:2], Head(12, "reader", source="cell"))},
    "another reach": {"heads": (*MACHINE.heads[:2], Head(12, "reader", shifts=5))},
    "a stage less": {
        "heads": (*MACHINE.heads[:2], Head(12, "reader", stages=Stages(sharpening=False)))
    },
}


def test_machines_that_differ_in_birth_ids_only_share_a_cohort_and_a_species():
    assert renumbered(MACHINE) != MACHINE
    assert renumbered(MACHINE).shape_key == MACHINE.shape_key
    assert renumbered(MACHINE).species_key == MACHINE.species_key


@pytest.mark.parametrize("change", DIFFERENT_SHAPE.values(), ids=DIFFERENT_SHAPE)
def test_another_size_is_another_cohort_but_the_same_species(change):
    assert replace(MACHINE, **change).shape_key != MACHINE.shape_key
    assert replace(MACHINE, **change).species_key == MACHINE.species_key


@pytest.mark.parametrize("change", DIFFERENT_SPECIES.values(), ids=DIFFERENT_SPECIES)
def test_other_heads_or_another_controller_are_another_cohort_and_species(change):
    assert replace(MACHINE, **change).shape_key != MACHINE.shape_key
    assert replace(MACHINE, **change).species_key != MACHINE.species_key


def test_the_same_heads_in_another_order_of_births_are_one_species():
    swapped = (Head(11, "reader"), Head(12, "reader", target="output"), Head(13, "writer"))
    assert replace(MACHINE, heads=swapped).species_key == MACHINE.species_key


def test_genes_that_change_nothing_are_no_difference():
    for unused in (
        Head(13, "writer", target="output"),
        Head(13, "writer", stages=Stages(shift=False), shifts=7),
    ):
        used = replace(unused, target="both", shifts=3)
        assert unused.genes == used.genes


def test_the_same_machine_can_be_built_for_other_bits():
    wide = MACHINE.with_bits(64)
    assert wide.bits == 64
    assert wide.width == 65
    assert wide.controller.units == (66, 3)
    assert [block.size for block in wide.inputs + wide.outputs] == [64, 1, 64]
    assert wide.heads == MACHINE.heads
    assert wide.with_bits(4) == MACHINE


TAPED = Topology(
    inputs=MACHINE.inputs,
    outputs=MACHINE.outputs,
    controller=Controller("dense", ()),
    columns=MACHINE.columns,
    heads=(Head(9, "tape", target="controller"), Head(8, "tape")),
)


def test_the_heads_of_a_tape_are_its_only_ones_and_read():
    assert [head.name for head in TAPED.heads] == ["tape 8", "tape 9"]
    assert TAPED.reading == TAPED.tape_heads == TAPED.heads
    assert not TAPED.readers and not TAPED.writers
    assert TAPED.listened("output") == (True, False)
    assert TAPED.tape == Tape()
    assert str(TAPED) == "dense without layers, 2 tape heads, width 5"


def test_the_head_of_a_tape_has_two_stages_only():
    assert Head(1, "tape").stages == Stages(True, False, True, False)
    still = Head(1, "tape", stages=Stages(content=False, interpolation=False, shift=False))
    assert still.stages == Stages(False, False, False, False)
    assert Head(1, "tape").genes != still.genes


@pytest.mark.parametrize("tape", [Tape("overwrite"), Tape(fresh_cell=True), Tape(initial=0.5)])
def test_another_tape_is_another_cohort_and_species(tape):
    assert replace(TAPED, tape=tape).shape_key != TAPED.shape_key
    assert replace(TAPED, tape=tape).species_key != TAPED.species_key


def test_a_machine_without_bits_is_built_for_no_others():
    plain = replace(MACHINE, inputs=(Block(1, 4),))
    with pytest.raises(TopologyError, match="no exchangeable bits to make 8 of"):
        plain.with_bits(8)


TWINS = (Block(9, 1), Block(9, 2))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inputs": ()}, "1 input"),
        ({"outputs": ()}, "1 output"),
        ({"columns": ()}, "1 memory column"),
        ({"columns": (Block(6, 5, per_bit=True),)}, "same number of bits"),
        ({"heads": (Head(1, "reader"), Head(1, "writer"))}, r"heads .* given \[1, 1\]"),
        ({"inputs": TWINS}, r"inputs have different birth ids, but were given \[9, 9\]"),
        ({"outputs": TWINS}, r"outputs .* \[9, 9\]"),
        ({"columns": TWINS}, r"memory columns .* \[9, 9\]"),
        ({"controller": Controller("lstm", ((Block(3, 1),), TWINS))}, r"layer 2 .* \[9, 9\]"),
        (
            {
                "controller": Controller("dense", MACHINE.controller.layers),
                "heads": (Head(1, "reader", source="cell"),),
            },
            "a dense controller has none",
        ),
        ({"heads": (Head(1, "reader"), Head(2, "tape"))}, "were given as reader, tape"),
        ({"tape": Tape()}, "were given as reader, writer"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(change, words):
    with pytest.raises(TopologyError, match=words):
        replace(MACHINE, **change)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Block(1, 0), "at least 1 unit, but was given 0"),
        (lambda: Head(1, "raeder"), "reader, writer, tape, not 'raeder': did you mean 'reader'"),
        (lambda: Head(1, "reader", source="cel"), "hidden, cell, not 'cel'"),
        (lambda: Head(1, "reader", target="outptu"), "did you mean 'output'"),
        (lambda: Head(1, "reader", shifts=4), "odd and from 3 to 999, but was given 4"),
        (lambda: Head(1, "reader", shifts=1), "but was given 1"),
        (lambda: Head(1, "reader", shifts=1001), "but was given 1001"),
        (lambda: Stages(content=False), "needs content"),
        (lambda: Controller("lsmt", ((Block(1, 1),),)), "did you mean 'lstm'"),
        (lambda: Controller("lstm", ()), "an lstm controller has at least 1 layer"),
        (lambda: Head(1, "tape", shifts=5), "left, stays or steps right, .* range of 5"),
        (lambda: Tape(write="owerwrite"), "did you mean 'overwrite'"),
        (lambda: Tape(initial=2.0), "initial of a tape is from 0 to 1, but was given 2"),
        (lambda: Controller("lstm", ((Block(1, 1),), ())), r"given \[1, 0\]"),
        (lambda: Controller("lstm", ((Block(1, 2),),) * 4), r"given \[2, 2, 2, 2\]"),
    ],
)
def test_a_part_that_cannot_be_is_refused(build, words):
    with pytest.raises(TopologyError, match=words):
        build()


@settings(max_examples=50, deadline=None)
@given(topology=topologies())
def test_a_topology_comes_back_from_its_json(topology):
    text = topology_json(topology)
    assert read_topology(text, "here") == topology
    assert text.isascii()
    assert " " not in text
