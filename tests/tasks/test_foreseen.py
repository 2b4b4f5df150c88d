"""Episodes that are known ahead: the same as those that are played."""

import numpy as np
import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.evolution.evaluate import Trial, score_weights
from evo_ntm.genome.founder import founder
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import join, make
from evo_ntm.tasks.lives import Foreseen
from evo_ntm.topology import Tape
from evo_ntm.topology.wires import size

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.spaces import Box, Discrete, MultiBinary  # noqa: E402


class Guess(gymnasium.Env):
    """Shows bits that its seed draws, for up to four steps, and rewards who repeats them."""

    def __init__(self, *, moved=False, habit=False, fails=False, told="discrete"):
        self.observation_space = MultiBinary(1)
        self.action_space = Discrete(2, start=1) if told == "discrete" else Box(0, 1, (2,))
        self.moved, self.habit, self.fails = moved, habit, fails

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.bits = self.np_random.integers(0, 2, self.np_random.integers(2, 5))
        self.count, self.before = 0, None
        return self.bits[:1], {}

    def step(self, action):
        right = action - 1 == self.bits[self.count]
        habit = self.habit and self.before not in (None, action)
        self.count, self.before = self.count + 1, action
        if self.fails == "all" or (self.fails and self.bits[0]):
            raise RuntimeError("it fell apart")
        over = self.count == len(self.bits)
        shown = action - 1 if self.moved else 0 if over else self.bits[self.count]
        return np.array([shown]), float(right) - habit, over, False, {}


@pytest.fixture(autouse=True)
def guess():
    gymnasium.register("Guess-v0", entry_point=Guess)
    yield
    del gymnasium.registry["Guess-v0"]


def task_of(name="Guess-v0", *, foreseen=True, **settings):
    return make("gymnasium", {"id": name, "steps": 104, "foreseen": foreseen, **settings})


def lived(task, answers):
    """Tell all that is seen and earned, step by step."""
    (share,) = task.episodes(derive(1, "test"), answers.shape[2]).shares
    life, told = task.live(share.fates), []
    for answer in answers:
        seen, batch = life.observation, answer.shape[:2]
        life = life.react(answer)
        told.append((seen.expand(*batch, -1), life.reward, life.done.expand(batch), life.score))
    return [torch.stack(parts).double() for parts in zip(*told, strict=True)]


def said(lanes, actions, steps=104, population=3):
    return torch.from_numpy(derive(2, "said").normal((steps, population, lanes, actions)))


@pytest.mark.parametrize("name", ["RepeatFirstEasy", "RepeatPreviousEasy", "AutoencodeEasy"])
def test_games_of_popgym_that_are_foreseen_go_as_those_that_are_played(name):
    pytest.importorskip("popgym")
    answers = said(4, 4)
    pair = [lived(task_of(f"popgym:popgym-{name}-v0", foreseen=known), answers)
            for known in (True, False)]  # fmt: skip
    for foreseen, played in zip(*pair, strict=True):
        assert torch.equal(foreseen, played)
    assert len(pair[0][-1].unique()) > 4


def test_all_at_once_comes_to_what_step_by_step_does():
    task, answers = task_of(), said(6, 2, steps=5)
    (share,) = task.episodes(derive(1, "test"), 6).shares
    life = begun = task.live(share.fates)
    assert isinstance(begun, Foreseen)
    for shown in begun.ahead:
        assert torch.equal(life.observation, shown)
        life = life.react(answers[life.moment])
    over = begun.answered(answers[: len(begun.ahead)])
    assert over.done.all() and life.done.all() and not life.observation.any()
    assert torch.equal(over.score, life.score) and 0 < over.score.mean() < 4
    assert torch.equal(over.marks["missed"], over.score < 1)
    assert torch.equal(over.among(torch.tensor([2])).score, over.score[[2]])


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_machines_are_scored_as_those_that_play(backend):
    topology = founder(*channels(task_of()), units=(), width=2, readers=0, writers=0, tape_heads=1,
                       tape=Tape(), head={"target": "controller"},
                       generator=derive(1, "f")).topology  # fmt: skip
    weights = 2 * derive(3, "weights").normal((20, size(topology)))
    weights[3] = np.nan
    scores = []
    for foreseen in (True, False):
        task = task_of(foreseen=foreseen)
        lives = join([task.episodes(derive(seed, "test"), 5) for seed in (1, 2)])
        trial = Trial(task, lives, 0, 0.01, choose("cpu", backend))
        scores.append(score_weights(trial, topology, weights))
    assert scores[0].fitness.tolist() == scores[1].fitness.tolist()
    assert scores[0].fitness[3] == -np.inf and len(set(scores[0].fitness)) > 5
    for name, measured in scores[0].measures.items():
        assert measured.tolist() == pytest.approx(scores[1].measures[name].tolist()), name


def channels(task):
    return task.inputs, task.outputs


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"moved": True}, "expected Guess-v0 to show the same, whatever is answered, as `foreseen` "
                          "says, but with the seed [0-9]+ it does not"),
        ({"habit": True}, "expected Guess-v0 to reward the last answer alone, as `foreseen` says"),
        ({"told": "box"}, "expected actions of Discrete of what is foreseen, but those of Guess-v0 "
                          "are Box"),
    ],
)  # fmt: skip
def test_what_cannot_be_foreseen_is_refused_in_one_line(options, told):
    with pytest.raises(TaskError, match=told) as refusal:
        task_of(options=options).episodes(derive(1, "test"), 8)
    assert "\n" not in str(refusal.value)


def test_an_episode_that_fails_is_the_worst_for_everyone_and_others_go_on():
    task = task_of(options={"fails": True}, worst=-2.0)
    (share,) = task.episodes(derive(1, "test"), 8).shares
    life = task.live(share.fates)
    assert torch.equal(share.fates["length"] == 1, share.fates["failed"])
    over = life.answered(said(8, 2, steps=len(life.ahead)))
    failed = share.fates["failed"]
    assert 0 < failed.sum() < 8
    assert (over.score[:, failed] == -2).all() and (over.score[:, ~failed] >= 0).all()
    why = "expected Guess-v0 to go on, but an episode of it failed: RuntimeError: it fell apart"
    assert set(share.reasons) == {why}
    twice = join([task.episodes(derive(1, "test"), 4)] * 2)
    topology = founder(*channels(task), units=(4,), generator=derive(1, "f")).topology
    weights = derive(3, "weights").normal((3, size(topology)))
    scores = score_weights(Trial(task, twice, 4, 0.01, choose("cpu", "torch")), topology, weights)
    assert scores.reasons == (why,) and np.isfinite(scores.fitness).all()


def test_where_no_episode_can_be_foreseen_nothing_goes_on():
    told = "expected episodes of Guess-v0 to begin, but none of 8 did: RuntimeError: it fell apart"
    with pytest.raises(TaskError, match=told):
        task_of(options={"fails": "all"}).episodes(derive(1, "test"), 8)
