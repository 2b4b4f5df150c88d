import numpy as np
import pytest
import torch

import evo_ntm
from evo_ntm.errors import GenomeError
from evo_ntm.evolution.cohort import Cohort
from evo_ntm.evolution.evaluate import chunks
from evo_ntm.genome.founder import founder
from evo_ntm.seeds import derive
from evo_ntm.tasks import make

TASK = make("copy", {"bits": 2, "longest": 3})
GENOME = founder(TASK.inputs, TASK.outputs, units=[4], width=3, generator=derive(1, "founder"))
PROBLEM = evo_ntm.Problem(TASK, GENOME.topology, rows=6)


def population(count):
    drawn = derive(2, "population").normal((count, GENOME.genes.size))
    return GENOME.genes + 0.3 * drawn


def test_a_problem_knows_how_many_weights_a_machine_has():
    assert PROBLEM.size == GENOME.genes.size
    assert (PROBLEM.task, PROBLEM.topology) == (TASK, GENOME.topology)


def test_fitness_is_minus_the_bits_of_a_sequence():
    fitness = PROBLEM.score(np.zeros((1, PROBLEM.size)), seed=3)
    episodes = PROBLEM.trial(3).episodes
    # A machine of zeros says nothing: every bit that is asked costs one.
    assert fitness == pytest.approx([-episodes.scored.sum().item() * 2 / 16])


def test_numpy_comes_back_as_numpy_and_torch_as_torch():
    weights = population(5)
    fitness = PROBLEM.score(weights, seed=1)
    assert isinstance(fitness, np.ndarray) and fitness.shape == (5,)
    for dtype in (torch.float32, torch.float64):
        given = torch.tensor(weights, dtype=dtype, requires_grad=True)
        answered = PROBLEM.score(given, seed=1)
        assert (answered.dtype, answered.shape) == (dtype, (5,))
        np.testing.assert_allclose(answered.numpy(), fitness, rtol=1e-6)
    np.testing.assert_array_equal(PROBLEM.score(weights.astype(np.float64), seed=1), fitness)


def test_a_seed_makes_the_same_episodes_again_and_another_does_not():
    weights = population(3)
    assert np.array_equal(PROBLEM.score(weights, seed=1), PROBLEM.score(weights, seed=1))
    assert not np.array_equal(PROBLEM.score(weights, seed=1), PROBLEM.score(weights, seed=2))


def test_a_machine_scores_the_same_in_whatever_company():
    weights = population(2500)
    assert len(chunks(PROBLEM.trial(1), Cohort(GENOME.topology, (weights,)))) > 2
    fitness = PROBLEM.score(weights, seed=1)
    alone = [PROBLEM.score(weights[place : place + 1], seed=1)[0] for place in (0, 1, 1250, 2499)]
    np.testing.assert_allclose(fitness[[0, 1, 1250, 2499]], alone, rtol=1e-5)


def test_what_is_not_finite_scores_minus_infinity():
    weights = population(3)
    weights[1, 4] = np.nan
    fitness = PROBLEM.score(weights, seed=1)
    assert fitness[1] == -np.inf and np.isfinite(fitness[[0, 2]]).all()


@pytest.mark.parametrize("shape", [(0, PROBLEM.size), (PROBLEM.size,), (2, PROBLEM.size + 1)])
def test_weights_of_another_shape_are_refused(shape):
    with pytest.raises(GenomeError) as refusal:
        PROBLEM.score(np.zeros(shape), seed=1)
    assert str(refusal.value) == (
        f"expected weights of shape [P, {PROBLEM.size}] for {GENOME.topology}, "
        f"but was given {list(shape)}"
    )
