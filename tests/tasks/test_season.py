"""Seasons beside lives written plainly, a lane and a step at a time."""

import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.genome.founder import founder
from evo_ntm.machine import Machine
from evo_ntm.machine.walk import PlainWalk
from evo_ntm.seeds import derive
from evo_ntm.tasks.season import Season


def drawn(task, lanes=6, seed=1):
    return task.episodes(derive(seed, "test"), lanes)


def led(task, fates, lane, answers):
    """Lead one life by the numbers a machine said, between 0 and 1; tell all that is seen of it."""
    settings = task.settings
    foods = [food for food in fates["food"][lane].tolist() if food >= 0]
    days = len(foods) // (settings.foods * settings.years * settings.seasons)
    seen, rewards, right, judged = [], [], 0, 0
    for number, food in enumerate(foods):
        poisonous = bool(fates["poisonous"][lane, food])
        of_first_year = number < settings.foods * days * settings.seasons
        first_day = of_first_year and number % (settings.foods * days) < settings.foods
        for step in range(settings.steps):
            channels = [0.0] * (settings.seasons * settings.foods + 2)
            channels[food] = 1.0
            if step == settings.steps - 1:
                eaten = answers[len(seen) - 1]
                correct = eaten < 0.3 if poisonous else eaten > 0.7
                counts = settings.first_day or not first_day
                right, judged = right + (correct and counts), judged + counts
                rewards.append(float(correct and counts))
                if settings.feedback_always or correct != poisonous:
                    channels[-2 if correct else -1] = 1.0
            elif seen:
                rewards.append(0.0)
            seen.append(channels)
    return seen, rewards, right, judged


@pytest.mark.parametrize(
    "settings",
    [
        {"years": 2, "most_days": 3, "fewest_days": 1},
        {"years": 2, "most_days": 2, "fewest_days": 2, "seasons": 3, "foods": 3, "poisonous": 1,
         "steps": 2, "feedback_always": False},
        {"years": 1, "most_days": 2, "fewest_days": 2, "foods": 2, "poisonous": 1, "steps": 3,
         "first_day": True},
    ],
)  # fmt: skip
def test_lives_are_those_of_the_reference(settings):
    task = Season().with_settings(**settings)
    lives = drawn(task)
    fates = lives.shares[0].fates
    longest, lanes = max(lives.lengths), len(lives.lengths)
    said = torch.from_numpy(derive(2, "answers").normal((longest, lanes, 1)) * 2)
    answers = torch.sigmoid(said[..., 0])
    plain = [led(task, fates, lane, answers[:, lane].tolist()) for lane in range(lanes)]
    life = task.live(fates)
    for step, answer in enumerate(said):
        for lane, (seen, _, _, _) in enumerate(plain):
            ended = step >= lives.lengths[lane]
            blank = [0.0] * life.observation.shape[-1]
            assert life.observation[lane].tolist() == (blank if ended else seen[step])
            assert bool(life.done[lane]) == ended
        life = life.react(answer)
        for lane, (_, rewards, _, _) in enumerate(plain):
            due = rewards[step] if step < lives.lengths[lane] else 0.0
            assert life.reward[lane].item() == due
    assert life.done.all()
    assert life.marks["reward"].tolist() == [right for _, _, right, _ in plain]
    assert life.marks["missed"].tolist() == [judged - right for _, _, right, judged in plain]
    assert life.score.tolist() == pytest.approx([right / judged for _, _, right, judged in plain])
    assert 0 < life.score.mean() < 1


def test_a_life_as_published_has_480_steps_and_counts_112_answers():
    task = Season()
    lives = drawn(task, lanes=2)
    assert lives.lengths == (479, 479)
    assert lives.shares[0].fates["counts"].sum(-1).tolist() == [112, 112]
    assert task.extent() == {"years": 3, "days": 5}


def test_every_day_shows_each_food_of_its_season_once_and_half_of_them_are_poisonous():
    task = Season().with_settings(fewest_days=2, most_days=6, years=2)
    fates = drawn(task, lanes=40).shares[0].fates
    assert fates["poisonous"].reshape(40, 2, 4).sum(-1).unique().tolist() == [2]
    lengths = set()
    for lane in range(40):
        foods = fates["food"][lane][fates["food"][lane] >= 0].reshape(-1, 4)
        days = len(foods) // 4
        lengths.add(days)
        season = torch.arange(len(foods)) // days % 2
        assert torch.equal(foods.sort().values, season[:, None] * 4 + torch.arange(4))
    assert lengths == {2, 3, 4, 5, 6}
    orders = {tuple(day.tolist()) for day in fates["food"][:, :4]}
    assert len(orders) > 10


def test_an_answer_in_between_is_wrong_of_any_food():
    task = Season()
    life = task.live(drawn(task).shares[0].fates)
    while not life.done.all():
        life = life.react(torch.zeros(6, 1))
    assert life.score.tolist() == [0.0] * 6
    assert life.marks["missed"].tolist() == [112] * 6


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"poisonous": 4}, "season: poisonous must be less than foods .4., not 4"),
        ({"fewest_days": 9}, "season: fewest_days must be at most most_days .5., not 9"),
        ({"years": 1, "fewest_days": 1}, "season: fewest_days must be a day to be judged"),
    ],
)
def test_what_cannot_be_is_refused(settings, told):
    with pytest.raises(TaskError, match=told):
        Season().with_settings(**settings)


def test_a_tied_machine_treats_all_foods_alike():
    task = Season()
    genome = founder(
        task.inputs, task.outputs, units=(), width=10, readers=0, writers=0, tape_heads=1,
        head={"target": "controller"}, encoding="tied", generator=derive(1, "founder"),
    )  # fmt: skip
    assert genome.topology.bits == task.settings.bits == 8
    machine, weights = Machine(genome.topology), torch.tensor(genome.weights)
    lives = drawn(task, 2)
    fates = {**lives.shares[0].fates}
    swapped = torch.tensor([1, 0, *range(2, 8)])
    others = {**fates, "food": swapped[fates["food"]], "poisonous": fates["poisonous"][:, swapped]}
    scores = []
    with torch.inference_mode():
        for each in (fates, others):
            way, life = PlainWalk(machine, weights, lanes=2, rows=9), task.live(each)
            while not life.done.all():
                life = life.react(way.answer(life.observation))
            scores.append(life.score)
    assert torch.equal(*scores)
