import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from evo_ntm.seeds import derive
from evo_ntm.tasks import Episodes, constant_cost, grade, grading, make
from tests.tasks import reference

SETTINGS = {"bits": 3, "shortest": 1, "longest": 4}


@pytest.fixture
def episodes() -> Episodes:
    return make("copy", SETTINGS).episodes(derive(1, "grading"), 6)


def logits_for(episodes: Episodes, *population: int, seed: int = 0) -> torch.Tensor:
    steps, lanes, channels = episodes.targets.shape
    drawn = derive(seed, "logits").normal((steps, *population, lanes, channels))
    return 3 * torch.from_numpy(drawn)


@pytest.mark.parametrize("population", [(), (4,), (2, 3)])
def test_grades_are_those_of_the_reference(episodes, population):
    task = make("copy", SETTINGS)
    scripts = reference.copy(task.settings, derive(1, "grading"), 6)
    logits = logits_for(episodes, *population)
    grades = grade(episodes, logits)
    assert grades.bits.shape == grades.wrong_bits.shape == (*population, 6)
    answers = logits.reshape(len(logits), -1, 6, 3)
    for genome in range(answers.shape[1]):
        for lane, script in enumerate(scripts):
            bits, wrong = reference.grade(script, answers[:, genome, lane].tolist())
            assert grades.bits.reshape(-1, 6)[genome, lane].item() == pytest.approx(bits, rel=1e-5)
            assert grades.wrong_bits.reshape(-1, 6)[genome, lane].item() == wrong


@given(some.integers(1, 60), some.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_grades_do_not_depend_on_how_many_steps_are_taken_at_once(numbers, seed):
    episodes = make("repeat_copy", {"bits": 2, "longest": 3, "most": 2}).episodes(
        derive(seed, "pieces"), 3
    )
    logits = logits_for(episodes, 2, seed=seed)
    whole = grade(episodes, logits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "NUMBERS_AT_ONCE", numbers)
        pieces = grade(episodes, logits)
    torch.testing.assert_close(pieces.bits, whole.bits)
    assert torch.equal(pieces.wrong_bits, whole.wrong_bits)


def test_what_is_answered_outside_the_scored_steps_does_not_count(episodes):
    logits = logits_for(episodes, 4)
    expected = grade(episodes, logits)
    for noise in (1e9, math.inf, math.nan):
        disturbed = logits.masked_fill(~episodes.scored[:, None, :, None], noise)
        grades = grade(episodes, disturbed)
        assert torch.equal(grades.bits, expected.bits)
        assert torch.equal(grades.wrong_bits, expected.wrong_bits)


def test_nan_is_wrong_and_costs_nan_but_only_where_it_is(episodes):
    logits = 50 * (2 * episodes.targets - 1)[:, None].repeat(1, 2, 1, 1)
    step = int(episodes.scored[:, 3].nonzero()[0])
    logits[step, 1, 3] = math.nan
    grades = grade(episodes, logits)
    assert grades.bits[1, 3].isnan() and int(grades.bits.isnan().sum()) == 1
    assert grades.wrong_bits[1, 3] == 3 and int(grades.wrong_bits.sum()) == 3


def test_a_logit_of_zero_answers_zero_and_costs_one_bit(episodes):
    grades = grade(episodes, torch.zeros_like(episodes.targets))
    asked = episodes.scored.sum(0) * 3.0
    torch.testing.assert_close(grades.bits, asked)
    assert torch.equal(grades.wrong_bits, episodes.targets.sum((0, 2)))


def test_confident_mistakes_cost_as_much_as_they_should(episodes):
    grades = grade(episodes, 1000 * (1 - 2 * episodes.targets))
    asked = episodes.scored.sum(0) * 3.0
    torch.testing.assert_close(grades.bits, asked * 1000 / math.log(2))


def test_gradients_are_those_of_finite_differences(episodes):
    logits = logits_for(episodes, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: grade(episodes, z).bits, logits)


def test_answers_are_left_as_they_were(episodes):
    logits = logits_for(episodes, 2)
    before = logits.clone()
    grade(episodes, logits)
    assert torch.equal(logits, before)


def test_episodes_without_a_question_cost_nothing(episodes):
    silent = episodes._replace(scored=torch.zeros_like(episodes.scored))
    grades = grade(silent, logits_for(episodes, 2))
    assert grades.bits.shape == (2, 6)
    assert not grades.bits.any() and not grades.wrong_bits.any()
    assert constant_cost(silent) == 0


def test_the_best_constant_answer_to_copy_of_length_10_costs_80_bits():
    task = make("copy", {"shortest": 10, "longest": 10})
    cost = constant_cost(task.episodes(derive(1, "chance"), 500))
    assert 79.95 < cost <= 80


def test_the_best_constant_answer_is_the_best_one():
    task = make("repeat_copy", {"bits": 2, "longest": 3})
    episodes = task.episodes(derive(1, "chance"), 40)
    share = episodes.targets[episodes.scored].mean(0)

    def cost_of(probabilities):
        logits = probabilities.logit().expand_as(episodes.targets)
        return float(grade(episodes, logits).bits.mean())

    best = constant_cost(episodes)
    assert cost_of(share) == pytest.approx(best, rel=1e-5)
    for channel in range(3):
        for shift in (-0.02, 0.02):
            other = share.clone()
            other[channel] += shift
            assert cost_of(other) > best


def test_a_channel_that_never_changes_costs_nothing(episodes):
    assert constant_cost(episodes._replace(targets=torch.ones_like(episodes.targets))) == 0
