"""The contract of every strategy, over whole runs of the engine."""

from functools import cache

import numpy as np
import pytest
from deap import base

from evo_ntm.evolution.engine import strategy_of
from evo_ntm.evolution.evaluate import score
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.school import school
from evo_ntm.machine import choose
from tests.evolution.cases import STRATEGIES, births, experiment, generations, task_of

every = pytest.mark.parametrize("strategy", STRATEGIES)
STRIDES = {"evolution_strategy": {"learning_rate": 1.0}}


@cache
def run(strategy, seed=1):
    """Evolve in strides so long that patience ends several times."""
    told = {**STRIDES.get(strategy, {}), "generations": 14, "validate_every": 1, "patience": 2}
    return generations(experiment(strategy, seed=seed, **told))


def events(run, kind):
    return [event for generation in run for event in generation.events if event.kind == kind]


@every
def test_a_seed_gives_the_same_births_again_and_another_seed_does_not(strategy):
    again = run.__wrapped__(strategy)
    assert births(again) == births(run(strategy))
    assert [generation.statistics for generation in again] == [
        generation.statistics for generation in run(strategy)
    ]
    assert births(run(strategy, seed=2)) != births(again)


@every
def test_a_birth_is_one_row_and_births_are_numbered_in_turn(strategy):
    numbers = [number for number, *_ in births(run(strategy))]
    assert numbers == list(range(1, len(numbers) + 1))
    for generation in run(strategy):
        assert {birth.generation for birth in generation.births} <= {generation.number}


@every
def test_parents_are_known_and_older(strategy):
    generation = {number: born for number, born, *_ in births(run(strategy))}
    for number, born, parents, operators, _ in births(run(strategy)):
        assert operators
        assert (operators == ("found",)) == (parents == ())
        assert len(set(parents)) == len(parents) <= 2
        for parent in parents:
            assert parent < number and generation[parent] < born


@every
def test_who_is_best_has_been_born_and_scored(strategy):
    born = set()
    for generation in run(strategy):
        born |= {birth.number for birth in generation.births}
        assert generation.best.number in born
        assert np.isfinite(generation.best.fitness.values[0])
        assert generation.best.measures.keys() >= {"bits", "wrong_bits"}
        assert generation.best.measures["bits"] == -generation.best.fitness.values[0]


@every
def test_everything_that_is_generated_is_scored(strategy):
    asked = experiment(strategy)
    task = task_of(asked)
    lessons, strategy = school(asked, task, choose()), strategy_of(asked, task, base.Toolbox())
    number = 0
    for generation in range(8):
        jobs = strategy.generate(generation)
        scores = score(jobs, lessons.trial(asked, generation, 0), map)
        assert [len(each.fitness) for each in scores] == [len(job.rows()) for job in jobs]
        assert sum(len(job.rows()) for job in jobs) <= asked.evolve.population + 2
        for job, each in zip(jobs, scores, strict=True):
            if isinstance(job, Individual):
                number += job.number is None
                job.number = job.number or number
                job.fitness.values = (float(each.fitness[0]),)
        strategy.update(generation, jobs, scores)


@every
def test_a_stall_begins_anew_from_founders(strategy):
    restarts = events(run(strategy), "restart")
    assert restarts
    told = births(run(strategy))
    for restart in restarts[:-1]:
        begun = [birth for birth in told if birth[1] == restart.generation + 1]
        assert {operators for *_, operators, _ in begun} == {("found",)}
        before = {genome for _, born, *_, genome in told if born <= restart.generation}
        assert before.isdisjoint(genome for *_, genome in begun)


IMPROVING = {
    "evolution_strategy": {"starts": 1, "learning_rate": 0.1, "sigma": 0.1, "averaging": 4},
    "genetic": {"sigma": 0.2},
    "lexicase": {"sigma": 0.2},
    "neat": {"start": 0.1, "sigma": 1.0},
    "cma": {},
}


@every
def test_validation_improves_within_a_few_generations(strategy):
    told = {**IMPROVING[strategy], "generations": 30, "validate_every": 1, "seed": 3}
    bits = [
        generation.validation.bits
        for generation in generations(experiment(strategy, **told))
        if generation.validation
    ]
    assert 1.4 < bits[0] < 1.6  # one and a half bits asked, all of them guessed
    assert min(bits[1:]) < 0.9 * bits[0]


@every
def test_its_own_figures_are_in_every_generations_log(strategy):
    names = {
        "evolution_strategy": {"step", "agreement", "norm"},
        "genetic": {"sigma"},
        "lexicase": {"sigma"},
        "neat": {"threshold"},
        "cma": {"sigma", "condition"},
    }
    for generation in run(strategy):
        restarted = any(event.kind == "restart" for event in generation.events)
        if not (restarted and strategy == "evolution_strategy"):  # a new search has not moved yet
            assert names[strategy] <= generation.statistics.keys()
        assert all(np.isfinite(value) for value in generation.statistics.values())
