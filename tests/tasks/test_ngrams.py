import pytest
import torch

from evo_ntm.seeds import derive
from evo_ntm.tasks import grade, join, make, measures
from tests.tasks import reference

FREE_BITS = 5


def test_the_best_learner_pays_133_bits_for_200():
    task = make("ngrams")
    paid = task.optimal_bits(task.episodes(derive(1, "optimum"), 20_000))
    assert paid.shape == (20_000,)
    # Three standard errors of a simulation of the same size, by other code.
    assert abs(float(paid.mean()) - 127.98) < 0.9
    assert abs(float(paid.mean()) + FREE_BITS - 132.98) < 0.9


@pytest.mark.parametrize(("steps", "context"), [(200, 5), (60, 1), (30, 12)])
def test_the_optimum_is_that_of_the_reference(steps, context):
    task = make("ngrams", {"steps": steps, "context": context})
    episodes = task.episodes(derive(2, "optimum"), 9)
    sequences = episodes.inputs[..., 0].mT.int().tolist()
    expected = [reference.optimal_bits(bits, context) for bits in sequences]
    paid = task.optimal_bits(episodes)
    torch.testing.assert_close(paid, torch.tensor(expected, dtype=torch.float64), rtol=1e-5, atol=0)


def test_the_optimum_of_a_sequence_does_not_depend_on_its_neighbours():
    short, long = (make("ngrams", {"steps": steps, "context": 3}) for steps in (20, 50))
    apart = [task.episodes(derive(3, "optimum"), 4) for task in (short, long)]
    expected = torch.cat([short.optimal_bits(episodes) for episodes in apart])
    torch.testing.assert_close(short.optimal_bits(join(apart)), expected)


def test_the_best_learner_has_no_regret():
    task = make("ngrams", {"steps": 60, "context": 2})
    episodes = task.episodes(derive(4, "regret"), 8)
    bits = episodes.inputs[..., 0].mT.int().tolist()
    logits = torch.zeros(60, 8, 1, dtype=torch.float64)
    for lane, sequence in enumerate(bits):
        for step in range(1, 59):
            situation = sequence[step - 1 : step + 1]
            came = [sequence[i + 2] for i in range(step - 1) if sequence[i : i + 2] == situation]
            ones = came.count(1) + 0.5
            logits[step, lane, 0] = torch.tensor(ones / (len(came) + 1 - ones)).double().log()
    told = measures(task, episodes, grade(episodes, logits))
    assert abs(float(told["regret"])) < 1e-3
    assert told["bits"] > 20


def test_a_learner_who_knows_nothing_regrets_what_the_best_one_saves():
    task = make("ngrams")
    episodes = task.episodes(derive(5, "regret"), 100)
    told = measures(task, episodes, grade(episodes, torch.zeros(200, 3, 100, 1)))
    saved = 195 - task.optimal_bits(episodes).mean().float()
    torch.testing.assert_close(told["bits"], torch.full((3,), 195.0))
    torch.testing.assert_close(told["regret"], saved.expand(3))
