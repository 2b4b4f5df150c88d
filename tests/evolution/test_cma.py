import random

import numpy as np
import pytest

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.cma import CMA, founders
from evo_ntm.genome.variation import perturb
from evo_ntm.seeds import derive
from tests.evolution.cases import Turns, experiment, tiny


def strategy(founder=None, **changes):
    settings = experiment("cma", population=10, **changes).evolve
    found = founder or (lambda stream: perturb(tiny(), generator=stream))
    return CMA(settings, begin=founders(found, settings.seed))


def sphere(genes, slot):
    return -((genes - 3.0) ** 2).sum(1)


def test_the_mean_climbs():
    turns = Turns(strategy(), sphere)
    turns.take(60)
    assert np.abs(turns.strategy.best().genome.genes - 3.0).max() < 0.1


def test_the_individual_is_the_mean_of_the_better_half_of_the_samples():
    turns = Turns(strategy(), sphere)
    turns.take()
    mean, points = turns.jobs
    rows = sorted(points.rows().tolist(), key=lambda row: -sphere(np.array([row]), 1)[0])[:5]
    weights = [np.log(5.5) - np.log(rank) for rank in range(1, 6)]  # as Hansen and Ostermeier say
    expected = np.average(rows, axis=0, weights=weights)
    turns.take()
    child = turns.jobs[0]
    np.testing.assert_allclose(child.genome.genes, expected, rtol=1e-5)
    assert (child.operators, child.parents) == (("recombine",), (mean.number,))
    assert turns.strategy.best() is child


def test_the_samples_do_not_depend_on_what_others_draw():
    def rows(noise):
        turns = Turns(strategy(), sphere)
        for _ in range(4):
            random.random(), np.random.random(noise)
            turns.take()
        return turns.jobs[1].rows()

    assert np.array_equal(rows(1), rows(7))


def test_a_stall_begins_anew_at_another_founder():
    turns = Turns(strategy(patience=5), sphere)
    turns.take()
    first = turns.jobs[0]
    assert turns.reflect(4.0) == []
    turns.take(5)
    (event,) = turns.reflect(4.0)
    assert (event.kind, event.text) == ("restart", "no progress for 5 generations")
    turns.take()
    again = turns.jobs[0]
    assert again.operators == ("found",) and again.parents == ()
    assert again.genome.id != first.genome.id


def test_a_covariance_that_breaks_down_begins_anew():
    turns = Turns(strategy(), lambda genes, slot: genes.sum(1))  # ever upwards
    events = []
    while not events and turns.generation < 2000:
        events = turns.take()
    assert [event.text for event in events] == ["the covariance has broken down"]
    assert np.isfinite(turns.strategy.best().genome.genes).all()
    turns.take()
    assert turns.jobs[0].operators == ("found",)


def test_a_failing_sample_is_the_worst():
    def judge(genes, slot):
        return np.where(genes[:, 0] > 0, -np.inf, sphere(genes, slot))

    turns = Turns(strategy(), judge)
    turns.take(80)
    assert turns.strategy.best().genome.genes[0] < 0.5


def test_too_large_a_machine_is_refused():
    with pytest.raises(ExperimentError, match=r"up to 500 genes, but dense 200, .* has 601"):
        strategy(lambda stream: tiny(units=(200,)))


def test_its_founder_is_that_of_the_seed():
    turns = Turns(strategy(seed=4), sphere)
    turns.take()
    stream = derive(4, "founder", 0)
    assert turns.jobs[0].genome.id == perturb(tiny(), generator=stream).id
