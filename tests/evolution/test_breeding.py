from collections import Counter

import numpy as np
import pytest

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.breeding import Choice, found, operators_of, structural, vary
from evo_ntm.experiment import parse
from evo_ntm.genome.bounds import Inapplicable
from evo_ntm.seeds import derive
from tests.evolution.cases import experiment, task_of, tiny, told

PARENT, OTHER = tiny(1), tiny(2)


def same(genome, *, generator):
    return genome


def never(genome, *, generator):
    raise Inapplicable("not for this one")


def second(genome, other, *, generator):
    return other


def operators(told):
    return operators_of(experiment("genetic", operators=told))


def test_a_founder_is_the_machine_of_the_task_file():
    asked = experiment()
    genome = found(asked, task_of(asked), derive(1, "founder"))
    assert str(genome.topology) == "dense 4, 1 reader, 1 writer, width 3"
    again = found(asked, task_of(asked), derive(1, "founder"))
    assert genome.id == again.id != found(asked, task_of(asked), derive(2, "founder")).id


def test_operators_are_drawn_by_their_shares():
    choices = {"often": Choice(3.0, same), "seldom": Choice(1.0, same), "off": Choice(0.0, same)}
    drawn = Counter(
        vary(choices, PARENT, generator=derive(slot, "test")).operator for slot in range(400)
    )
    assert drawn.keys() == {"often", "seldom"}
    assert 260 < drawn["often"] < 340


def test_an_operator_that_does_not_apply_makes_room_for_the_others():
    choices = {"never": Choice(1000.0, never), "same": Choice(1.0, same)}
    assert vary(choices, PARENT, generator=derive(1, "test")) == (PARENT, "same", 1)
    assert vary({"never": Choice(1.0, never)}, PARENT, generator=derive(1, "test")) is None
    assert vary({}, PARENT, generator=derive(1, "test")) is None


def test_an_operator_of_two_parents_needs_two():
    choices = {"second": Choice(1.0, second, parents=2)}
    assert vary(choices, PARENT, generator=derive(1, "test")) is None
    assert vary(choices, PARENT, OTHER, generator=derive(1, "test")) == (OTHER, "second", 2)


def test_a_child_says_of_how_many_parents_it_is():
    assert vary({"same": Choice(1.0, same)}, PARENT, OTHER, generator=derive(1, "t")).parents == 1


@pytest.mark.parametrize(("told", "expected"), [({}, 0.5), ({"sigma": 0.02}, 0.02)])
def test_perturb_inherits_a_step_size_unless_the_task_file_sets_one(told, expected):
    choices = operators({"perturb": told})
    steps = [
        vary(choices, PARENT, generator=derive(slot, "test"), sigma=0.5).genome.genes - PARENT.genes
        for slot in range(200)
    ]
    assert np.std(steps) == pytest.approx(expected, rel=0.1)


def test_perturb_moves_as_many_genes_as_the_task_file_says():
    choices = operators({"perturb": {"chance": 0.1}})
    moved = [
        vary(choices, PARENT, generator=derive(slot, "test"), sigma=0.5).genome.genes
        != PARENT.genes
        for slot in range(200)
    ]
    assert np.mean(moved) == pytest.approx(0.1, abs=0.02)


def test_an_operator_has_the_parameters_and_the_bounds_of_the_task_file():
    asked = experiment("genetic", operators={"widen_memory": {"columns": 2}})
    genome = found(asked, task_of(asked), derive(1, "founder"))
    wider = vary(operators_of(asked), genome, generator=derive(1, "test"))
    assert (wider.genome.topology.width, wider.operator) == (5, "widen_memory")
    bounds = asked.machine.bounds.model_copy(update={"width": (1, 3)})
    narrow = asked.machine.model_copy(update={"bounds": bounds})
    told = asked.model_copy(update={"machine": narrow})
    assert vary(operators_of(told), genome, generator=derive(1, "test")) is None


@pytest.mark.parametrize("span", [(1, 2), (1000, 2000)])
def test_a_graph_has_to_have_room_for_what_a_founder_is_connected_by(span):
    machine = {"controller": "graph", "units": [], "width": 3, "rows": 6}
    asked, stream = parse({**told("neat"), "machine": machine}), derive(1, "founder")
    count = len(found(asked, task_of(asked), stream).topology.controller.graph.connections)
    narrow = parse({**told("neat"), "machine": {**machine, "bounds": {"connections": [*span]}}})
    said = f"room for the {count} that a founder has, but came {span[0]} to {span[1]}"
    with pytest.raises(ExperimentError, match=f"^machine.bounds.connections: expected {said}$"):
        found(narrow, task_of(narrow), stream)


def test_structural_operators_are_those_that_change_a_topology():
    told = operators({"perturb": {}, "cross": {}, "add_reader": {}, "swap_controller": {}})
    assert {name: chosen.parents for name, chosen in told.items()} == {
        "perturb": 1, "cross": 2, "add_reader": 1, "swap_controller": 1
    }  # fmt: skip
    assert structural(told).keys() == {"add_reader", "swap_controller"}
