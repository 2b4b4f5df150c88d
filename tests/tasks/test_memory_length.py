import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.seeds import derive
from evo_ntm.tasks.lives import Foreseen
from evo_ntm.tasks.memory_length import MemoryLength


def begun(task, lanes=40):
    lives = task.episodes(derive(1, "test"), lanes)
    return lives, task.live(lives.shares[0].fates)


def test_the_bits_are_shown_first_and_one_is_asked_for_last():
    task = MemoryLength().with_settings(bits=3, shortest=2, longest=5)
    lives, life = begun(task)
    fates = {name: drawn.tolist() for name, drawn in lives.shares[0].fates.items()}
    for step in range(6):
        for lane, length in enumerate(fates["length"]):
            shown = [2 * bit - 1 if step == 0 else 0 for bit in fates["bits"][lane]]
            asked = [float(step == length and bit == fates["asked"][lane]) for bit in range(3)]
            expected = [1 - step / length, *asked, *shown] if step <= length else [0.0] * 7
            assert life.observation[lane].tolist() == pytest.approx(expected)
            assert bool(life.done[lane]) == (step > length)
        life = life.react(torch.zeros(40, 2))
    assert life.done.all()
    assert lives.lengths == tuple(length + 1 for length in fates["length"])
    assert set(fates["length"]) == {2, 3, 4, 5} and set(fates["asked"]) == {0, 1, 2}


@pytest.mark.parametrize("right", [True, False])
def test_only_the_last_answer_earns_anything(right):
    task = MemoryLength().with_settings(bits=2, longest=4)
    lives, life = begun(task)
    fates = lives.shares[0].fates
    due = fates["bits"].gather(1, fates["asked"][:, None])[:, 0]
    total = torch.zeros(40)
    for step in range(5):
        last = fates["length"] == step
        said = torch.where(last, due, 1 - due) if right else torch.where(last, 1 - due, due)
        life = life.react(torch.nn.functional.one_hot(said, 2).float())
        assert torch.equal(life.reward != 0, last)
        total += life.reward
    assert total.tolist() == [1.0 if right else -1.0] * 40
    assert life.score.tolist() == [float(right)] * 40
    assert life.marks["missed"].tolist() == [not right] * 40


@pytest.mark.parametrize("population", [(), (3,)])
def test_all_answers_at_once_come_to_the_same_as_one_after_another(population):
    task = MemoryLength().with_settings(bits=2, longest=4)
    _, life = begun(task)
    assert isinstance(life, Foreseen)
    answers = torch.from_numpy(derive(2, "answers").normal((5, *population, 40, 2)))
    at_once, seen = life.answered(answers), []
    for answer in answers:
        seen.append(life.observation.expand(*population, -1, -1))
        life = life.react(answer)
    assert torch.equal(at_once.score, life.score) and torch.equal(at_once.done, life.done)
    for name, marks in life.marks.items():
        assert torch.equal(at_once.marks[name], marks)
    for shown, ahead in zip(seen, life.ahead, strict=True):
        assert torch.equal(shown, ahead.expand_as(shown))


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(TaskError, match="memory_length: shortest must be at most longest .20."):
        MemoryLength().with_settings(shortest=21)
