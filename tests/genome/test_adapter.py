"""DEAP's own operators, used as ours."""

import random

import numpy as np
import pytest
from deap import base, tools

from evo_ntm.errors import GenomeError
from evo_ntm.genome.adapter import from_deap
from evo_ntm.genome.variation import OPERATORS, parents_needed, perturb
from evo_ntm.seeds import derive
from tests.genome.machines import SPECIMENS

PARENT = SPECIMENS["direct dense, one of each"]
OTHER = perturb(PARENT, generator=derive(1, "other"))

MUTATE = from_deap(tools.mutGaussian, mu=0, sigma=0.1, indpb=0.5)
MATES = {
    "two points": from_deap(tools.cxTwoPoint),
    "uniform": from_deap(tools.cxUniform, indpb=0.5),
    "blend": from_deap(tools.cxBlend, alpha=0.3),
}


def draws(slot=0):
    return derive(12, "operator", slot)


def test_a_mutation_of_deap_makes_a_child_and_leaves_the_parent_alone():
    before = PARENT.genes.tobytes()
    child = MUTATE(PARENT, generator=draws())
    assert PARENT.genes.tobytes() == before
    assert child.topology == PARENT.topology
    assert 0.3 < (child.genes != PARENT.genes).mean() < 0.7
    assert parents_needed(MUTATE) == 1
    assert MUTATE.__name__ == "mutGaussian"


@pytest.mark.parametrize("name", MATES)
def test_a_crossover_of_deap_mixes_two_parents_and_leaves_both_alone(name):
    before = PARENT.genes.tobytes(), OTHER.genes.tobytes()
    child = MATES[name](PARENT, OTHER, generator=draws())
    assert (PARENT.genes.tobytes(), OTHER.genes.tobytes()) == before
    assert child.id not in (PARENT.id, OTHER.id)
    assert parents_needed(MATES[name]) == 2
    if name != "blend":
        assert ((child.genes == PARENT.genes) | (child.genes == OTHER.genes)).all()


def test_a_second_parent_of_another_topology_is_grafted_first():
    richer = perturb(OPERATORS["add_reader"](PARENT, generator=draws()), generator=draws(1))
    take_all = from_deap(tools.cxUniform, indpb=1.0)
    child = take_all(PARENT, richer, generator=draws())
    assert child.topology == PARENT.topology
    for wire, weights in child.express().items():
        assert (weights == richer.express()[wire]).all()
    back = take_all(richer, PARENT, generator=draws())
    (new,) = set(richer.topology.readers) - set(PARENT.topology.readers)
    for wire, weights in back.express().items():
        expected = richer if new.name in wire else PARENT
        assert (weights == expected.express()[wire]).all()


def test_deaps_operators_draw_from_our_generator_and_leave_the_global_ones_as_they_were():
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    child = MUTATE(PARENT, generator=draws())
    assert (random.random(), np.random.random()) == expected
    assert MUTATE(PARENT, generator=draws()).id == child.id
    assert MUTATE(PARENT, generator=draws(1)).id != child.id


def test_what_is_registered_in_a_toolbox_can_be_adapted():
    toolbox = base.Toolbox()
    toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=0.1, indpb=0.5)
    child = from_deap(toolbox.mutate)(PARENT, generator=draws())
    assert child.id == MUTATE(PARENT, generator=draws()).id


def test_one_may_adapt_a_function_that_works_on_arrays_or_lists_in_place():
    def forget(individual):
        individual[:] = [0.0] * len(individual)
        return (individual,)

    assert not from_deap(forget)(PARENT, generator=draws()).genes.any()


def test_a_function_that_takes_neither_one_individual_nor_two_is_refused():
    with pytest.raises(GenomeError, match="but mutGaussian takes 4; give its other parameters"):
        from_deap(tools.mutGaussian)
    with pytest.raises(GenomeError, match="takes 0"):
        from_deap(lambda: None)
