import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, SequenceEnvironment, grade, make

LANES = 5


def answers_to(episodes, *population):
    steps, lanes, channels = episodes.targets.shape
    drawn = derive(1, "answers").normal((steps, *population, lanes, channels))
    return torch.from_numpy(drawn)


@pytest.mark.parametrize("population", [(), (3,)])
@pytest.mark.parametrize("name", TASKS)
def test_an_environment_shows_the_episodes_and_its_rewards_add_up_to_their_grades(name, population):
    session = SequenceEnvironment(make(name)).begin(7, LANES)
    episodes = session.episodes
    answers = answers_to(episodes, *population)
    rewards = torch.zeros(*population, LANES)
    for step, answer in enumerate(answers):
        assert torch.equal(session.observation, episodes.inputs[step])
        assert session.done.tolist() == [length <= step for length in episodes.lengths]
        session = session.react(answer)
        assert session.reward.shape == (*population, LANES)
        rewards += session.reward
    assert session.done.all()
    torch.testing.assert_close(rewards, -grade(episodes, answers).bits, rtol=1e-4, atol=1e-4)


def test_a_session_is_a_value_that_can_be_gone_on_from_twice():
    begun = SequenceEnvironment(make("copy")).begin(1, LANES)
    right = begun.react(torch.ones(LANES, 8))
    wrong = begun.react(-torch.ones(LANES, 8))
    assert begun.step == 0 and right.step == wrong.step == 1
    assert torch.equal(right.observation, wrong.observation)


def test_the_same_seed_begins_the_same_sequences_and_another_does_not():
    environment = SequenceEnvironment(make("priority_sort"))
    first, again, other = (environment.begin(seed, LANES).observation for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_after_the_end_there_is_nothing_to_see_and_no_answer_is_taken():
    session = SequenceEnvironment(make("copy", {"bits": 2, "longest": 1})).begin(1, LANES)
    for _ in range(3):
        session = session.react(torch.zeros(LANES, 2))
    assert session.done.all()
    assert not session.observation.any()
    with pytest.raises(TaskError, match="ended after 3 steps"):
        session.react(torch.zeros(LANES, 2))
