from collections import Counter
from dataclasses import replace

import pytest

from evo_ntm.genome.variation import OPERATORS
from evo_ntm.reports.drawings.machine import compared, machine, short
from evo_ntm.reports.drawings.svg import markup
from evo_ntm.seeds import derive
from evo_ntm.topology import Block, Head
from tests.genome.machines import SPECIMENS
from tests.reports.made_up import STRUCTURE, line

STRUCTURAL = sorted(set(OPERATORS) - {"perturb", "cross", "swap_controller"})


def looks(drawn, *kinds):
    """Count the elements of each kind by their state."""
    found = Counter()
    for part in drawn.iter():
        names = part.get("class", "").split()
        found.update(name for name in names if set(kinds) & set(names))
    return found


@pytest.mark.parametrize("name", SPECIMENS)
def test_every_machine_is_drawn_with_all_its_parts(name):
    topology = SPECIMENS[name].topology
    drawn = machine(topology)
    assert looks(drawn, "head")["head"] == len(topology.heads)
    assert looks(drawn, "stage")["stage"] == 4 * len(topology.heads)
    assert looks(drawn, "column")["column"] == topology.width
    assert looks(drawn, "unit")["unit"] == sum(topology.controller.units)
    assert not set(looks(drawn, "head", "column", "unit")) & {"gained", "lost", "changed"}
    assert str(topology) in markup(drawn)


def test_what_is_new_is_marked():
    genomes = line(60)
    states = {}
    for place, operator in STRUCTURE.items():
        after, before = genomes[place].topology, genomes[place - 1].topology
        states[operator] = looks(machine(after, before), "head", "column", "unit")
    assert states["add_reader"]["gained"] == 1 and states["drop_reader"]["lost"] == 1
    assert states["toggle_stage"]["changed"] == states["widen_shift"]["changed"] == 1
    assert states["widen_memory"]["gained"] == 1 and states["grow_controller"]["gained"] == 4


def test_another_controller_is_marked_as_changed():
    before = SPECIMENS["direct dense, one of each"]
    after = OPERATORS["swap_controller"](before, generator=derive(1, "swap"))
    drawn = machine(after.topology, before.topology)
    assert looks(drawn, "organ")["changed"] == 1 and "lstm" in markup(drawn)


def test_parts_are_known_by_their_births_whatever_their_place():
    old = (Block(1, 2), Block(2, 3))
    told = compared((Block(2, 3), Block(3, 1)), old)
    assert [(part.part.birth, part.state) for part in told] == [
        (2, "kept"), (3, "gained"), (1, "lost")
    ]  # fmt: skip


def test_very_many_units_and_columns_are_told_as_a_number_and_stay_within():
    topology = SPECIMENS["direct dense, one of each"].topology
    many = replace(topology, columns=(Block(901, 300),), controller=replace(
        topology.controller, layers=((Block(902, 500),),)))  # fmt: skip
    text = markup(machine(many))
    assert "500 units" in text and "300 columns" in text
    assert looks(machine(many), "unit")["unit"] == 1


def test_heads_have_short_names():
    assert [short(Head(birth, "reader")) for birth in (4, 715941, 12345678)] == [
        "R 4", "R 715941", "R …678"
    ]  # fmt: skip
