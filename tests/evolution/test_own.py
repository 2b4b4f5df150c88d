import numpy as np
import pytest
from deap import base, cma

from evo_ntm.errors import ExperimentError, GenomeError
from evo_ntm.evolution.breeding import found
from evo_ntm.evolution.own import Own
from evo_ntm.seeds import derive
from tests.evolution.cases import Turns, births, experiment, generations, task_of, tiny


class Fitness(base.Fitness):
    weights = (1.0,)


class Loss(base.Fitness):
    weights = (-1.0,)


class Genes(list):
    def __init__(self, genes, fitness=Fitness):
        super().__init__(genes)
        self.fitness = fitness()


def own(generate, update=lambda individuals: None):
    toolbox = base.Toolbox()
    toolbox.register("generate", generate)
    toolbox.register("update", update)
    return toolbox


def adaptation(size):
    search = cma.Strategy(np.zeros(size), 0.5, lambda_=12)
    return own(lambda: search.generate(Genes), search.update)


def test_a_strategy_of_deap_evolves_machines():
    machine = {"units": [2], "readers": 0, "writers": 0}
    asked = experiment(generations=12, machine=machine)
    size = found(asked, task_of(asked), derive(1, "founder")).genes.size
    run = generations(asked, adaptation(size))
    bits = [generation.validation.bits for generation in run if generation.validation]
    assert min(bits) < bits[0]
    assert all(len(generation.births) == generation.scored == 12 for generation in run)
    assert {(parents, made) for _, _, parents, made, _ in births(run)} == {((), ("generate",))}
    assert births(run) == births(generations(asked, adaptation(size)))


def test_the_toolbox_is_told_the_fitness_of_what_it_gave():
    asked, heard = [Genes([float(n)] * 4) for n in range(3)], []
    strategy = Own(own(lambda: asked, heard.extend), founder=tiny())
    Turns(strategy, lambda genes, slot: genes.sum(1)).take()
    assert all(one is other for one, other in zip(asked, heard, strict=True))
    assert [genes.fitness.values for genes in heard] == [(0.0,), (4.0,), (8.0,)]
    assert strategy.best().genome.genes.tolist() == [2.0] * 4


def test_the_topology_is_the_founder_s():
    strategy = Own(own(lambda: [Genes([0.0] * 4)]), founder=tiny())
    (individual,) = strategy.generate(0)
    assert individual.topology == tiny().topology
    assert strategy.species() == 1


@pytest.mark.parametrize(
    ("generate", "error", "sentence"),
    [
        (lambda: [], ExperimentError, "expected `generate` to give individuals, but got none"),
        (lambda: [Genes([1.0] * 3)], GenomeError, r"has 4 genes, .* of shape \(3,\)"),
        (lambda: [Genes([1.0] * 4, Loss)], ExperimentError, r"to be maximised, .* came \(-1.0,\)"),
    ],
)
def test_individuals_that_are_of_no_use_are_refused(generate, error, sentence):
    turns = Turns(Own(own(generate), founder=tiny()), lambda genes, slot: genes.sum(1))
    with pytest.raises(error, match=sentence):
        turns.take()
