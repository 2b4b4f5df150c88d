"""The contract of every strategy's state: what follows a checkpoint is what would have followed."""

import json
from functools import cache
from math import inf

import numpy as np
import pytest
from deap import base, tools
from safetensors.numpy import load, save

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.checkpoint import read_checkpoint
from evo_ntm.evolution.engine import evolve
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.own import Own
from evo_ntm.evolution.state import State, exact, pack, unpack
from evo_ntm.evolution.strategy import Patience
from evo_ntm.experiment import parse
from tests.evolution.cases import STRATEGIES, task_of, tiny, told

# Runs in which everything happens: restarts, declines, challengers, stages, champions.
CASES = {
    "evolution_strategy": {"learning_rate": 0.3, "patience": 9, "declines": 2, "decline": 1.0001},
    "genetic": {"sigma": 0.3, "patience": 9},
    "neat": {"sigma": 1.0, "patience": 9},
    "cma": {"patience": 3},
    "lexicase": {"sigma": 0.3, "patience": 9},
}
EVENTS = {
    "evolution_strategy": {"stage", "halve", "challenge", "restart", "restore"},
    "genetic": {"stage", "restart"},
    "neat": {"stage", "restart"},
    "cma": {"stage", "restart"},
    "lexicase": {"stage", "restart"},
}
GENERATIONS = 30
every = pytest.mark.parametrize("strategy", STRATEGIES)


def asked(strategy, **more):
    stages = [{"with": {"longest": 1}, "until": {"bits": 1000.0}}, {"with": {"longest": 2}}]
    changes = {**CASES[strategy], "generations": GENERATIONS, "validate_every": 1, **more}
    run = {"threads": 1, "checkpoint_every": 1}
    return parse({**told(strategy, **changes), "curriculum": stages, "run": run})


def on_disk(checkpoint):
    """Take a checkpoint through the bytes of a file."""
    tensors = {n: np.ascontiguousarray(t) for n, t in checkpoint.strategy.tensors.items()}
    words = json.loads(json.dumps(checkpoint.words, allow_nan=False))
    return read_checkpoint(words, load(save(tensors)))


def account(generation):
    """Tell all of a generation that is the same in every run."""
    births = [
        (each.number, each.generation, each.parents, each.operators, each.genome.id,
         each.genome.genes.tobytes(), each.sigma)
        for each in generation.births
    ]  # fmt: skip
    scored = generation.best.number, generation.best.fitness.values, generation.best.measures
    validation = generation.validation and generation.validation[2:]
    champion = generation.champion and generation.champion.number
    sitting = generation.sitting and generation.sitting.rows
    words = json.dumps({**generation.checkpoint.words, "seconds": 0.0})
    tensors = {n: (t.tobytes(), t.shape) for n, t in generation.checkpoint.strategy.tensors.items()}
    return (births, scored, validation, champion, sitting, dict(generation.statistics),
            generation.stage, generation.rows, generation.events, generation.species, words,
            tensors)  # fmt: skip


@cache
def straight(strategy):
    experiment = asked(strategy)
    return list(evolve(experiment, task_of(experiment), map))


@every
def test_much_happens_in_the_runs_of_these_tests(strategy):
    kinds = {event.kind for generation in straight(strategy) for event in generation.events}
    assert kinds >= EVENTS[strategy]


@every
@pytest.mark.parametrize("after", [0, 7, 13, 22, 28])
def test_what_follows_a_checkpoint_is_what_would_have_followed(strategy, after):
    experiment = asked(strategy)
    checkpoint = on_disk(straight(strategy)[after].checkpoint)
    followed = list(evolve(experiment, task_of(experiment), map, since=checkpoint))
    expected = straight(strategy)[after + 1 :]
    assert [account(generation) for generation in followed] == [
        account(generation) for generation in expected
    ]
    assert followed[0].seconds > checkpoint.seconds


@every
def test_the_hardest_sequences_are_those_that_they_would_have_been(strategy):
    experiment = asked(strategy, hardest={"episodes": 2, "among": 12}, generations=12)
    whole = list(evolve(experiment, task_of(experiment), map))
    since = on_disk(whole[6].checkpoint)
    followed = list(evolve(experiment, task_of(experiment), map, since=since))
    assert [account(generation) for generation in followed] == list(map(account, whole[7:]))


@every
def test_a_state_that_is_restored_is_told_alike(strategy):
    first = straight(strategy)[17].checkpoint
    again = on_disk(on_disk(first))
    assert json.dumps(again.words) == json.dumps(first.words)
    assert {n: t.tobytes() for n, t in again.strategy.tensors.items()} == {
        n: np.ascontiguousarray(t).tobytes() for n, t in first.strategy.tensors.items()
    }


@every
def test_nothing_follows_the_end(strategy):
    last = straight(strategy)[-1].checkpoint
    assert last.ended and last.generation == GENERATIONS - 1
    experiment = asked(strategy)
    assert list(evolve(experiment, task_of(experiment), map, since=on_disk(last))) == []


@every
def test_checkpoints_come_as_often_as_asked_for_and_at_the_end(strategy):
    experiment = parse({**told(strategy, generations=8), "run": {"checkpoint_every": 3}})
    run = evolve(experiment, task_of(experiment), map)
    there = {turn.number: turn.checkpoint.ended for turn in run if turn.checkpoint}
    assert there == {2: False, 5: False, 7: True}


@every
def test_a_budget_of_evaluations_counts_those_before_the_checkpoint(strategy):
    changes = {"generations": 100, "evaluations": 200}
    experiment = parse({**told(strategy, **changes), "run": {"checkpoint_every": 1}})
    run = list(evolve(experiment, task_of(experiment), map))
    since = on_disk(run[3].checkpoint)
    after = list(evolve(experiment, task_of(experiment), map, since=since))
    assert [turn.number for turn in after] == [turn.number for turn in run[4:]]


def test_individuals_keep_who_they_are():
    first, second = (
        Individual(tiny(seed=seed, units=units), operators=("perturb", "cross"), parents=(7, 3),
                   sigma=0.1 / 3)
        for seed, units in ((1, (1,)), (2, (2, 1)))
    )  # fmt: skip
    first.number, first.generation = 9, 4
    read = unpack(pack([first, second, first]))
    assert read[0] is read[2] is not read[1]
    for came, gone in zip(read, (first, second, first), strict=True):
        assert came.genome.id == gone.genome.id
        for name in ("operators", "parents", "sigma", "number", "generation"):
            assert getattr(came, name) == getattr(gone, name)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 5e-324, -0.0, inf, -inf, 1.7976931348623157e308])
def test_a_number_comes_back_bit_for_bit_from_json(value):
    told = json.loads(json.dumps(exact(value), allow_nan=False))
    assert np.float64(float(told)).tobytes() == np.float64(value).tobytes()


def test_patience_goes_on_as_it_was():
    patience = Patience(5, since=3, share=0.1, bits=0.1, wrong_bits=inf)
    words = json.loads(json.dumps(patience.words(), allow_nan=False))
    assert Patience(5, since=0, share=0.1).restored(words) == patience


def test_a_strategy_of_one_s_own_says_that_it_cannot_be_resumed():
    strategy = Own(base.Toolbox(), founder=tiny())
    assert strategy.state() is None
    with pytest.raises(ExperimentError, match="of one's own cannot be resumed"):
        strategy.restore(State({}, {}))


def test_operators_of_one_s_own_go_on_as_they_would_have():
    toolbox = base.Toolbox()
    toolbox.register("select", tools.selTournament, tournsize=2)
    toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=0.1, indpb=0.5)
    experiment = parse({**told("genetic", generations=8), "run": {"checkpoint_every": 1}})
    run = list(evolve(experiment, task_of(experiment), map, toolbox))
    since = on_disk(run[3].checkpoint)
    after = list(evolve(experiment, task_of(experiment), map, toolbox, since))
    assert list(map(account, after)) == list(map(account, run[4:]))
