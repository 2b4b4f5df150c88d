"""Environments of Gymnasium as tasks."""

import gc
import sys

import numpy as np
import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.evolution.evaluate import Trial, score_weights
from evo_ntm.genome.founder import founder
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import make, spaces
from evo_ntm.topology.wires import size

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.spaces import (  # noqa: E402
    Box,
    Dict,
    Discrete,
    MultiBinary,
    MultiDiscrete,
    Sequence,
    Text,
    Tuple,
)


class Mute(Exception):
    """One that cannot say what it is."""

    def __str__(self):
        raise OSError("no words")


class Counter(gymnasium.Env):
    """Counts to three; shows, earns and does as it is told when it is made."""

    made = 0

    def __init__(
        self, *, space=None, action=None, fails_at=None, shows=0.0, earns=None, twice=False,
        leaves=False, fails_to_reset=False, loud=False, ends=None, mute=False,
    ):  # fmt: skip
        self.loud, self.ends, self.mute = loud, ends, mute
        self._say("made")
        type(self).made += 1
        others = {"sequence": Sequence(Discrete(2)), "text": Text(3), "none": None,
                  "some": Tuple([Discrete(2), Text(3)]), "vast": Discrete(10**12)}  # fmt: skip
        self.observation_space = others.get(space, Box(-1, 1, (2,)))
        endless = Box(-np.inf, np.inf, (1,))
        possible = {"endless": endless, "vast": Discrete(10**12)}
        self.action_space = possible.get(action, Discrete(2, start=1))
        self.fails_at, self.shows, self.fails_to_reset = fails_at, shows, fails_to_reset
        self.earns, self.twice, self.leaves = earns, twice, leaves

    def _say(self, word):
        if self.loud:
            print(f"\x1b[31m{word}")

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._say("reset")
        self.count, self.heard = 0, []
        self.odd = self.np_random.integers(2) == 1
        if self.fails_to_reset and (self.odd or self.fails_to_reset == "all"):
            raise RuntimeError("no beginning")
        return np.array([0.0, self.odd], dtype=np.float32), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self._say("step")
        self.count += 1
        self.heard.append(action)
        if self.odd and self.count == self.fails_at:
            if self.mute:
                raise Mute
            raise SystemExit(3) if self.leaves else RuntimeError("it fell\napart\x1b[0m")
        wrong = self.odd and (self.count == 2 or self.twice)
        shown = [self.shows if wrong else 0.0, self.count]
        if self.shows == "less":
            shown = [self.count] if wrong else [0.0, self.count]
        earned = self.earns if wrong and self.earns is not None else float(action)
        over = self.ends if wrong and self.ends is not None else self.count == 3
        return np.array(shown, dtype=np.float32), earned, over, False, {}


@pytest.fixture(autouse=True)
def counter():
    gymnasium.register("Counter-v0", entry_point=Counter)
    yield
    del gymnasium.registry["Counter-v0"]


def task_of(**settings):
    return make("gymnasium", {"id": "Counter-v0", "best": 6.0, **settings})


def fates_of(task, lanes=8):
    (share,) = task.episodes(derive(1, "test"), lanes).shares
    return share.fates


SPACES = [
    (Box(-1, 1, (2, 2)), [[1, 2], [3, 4]], [1, 2, 3, 4]),
    (Discrete(3, start=5), 6, [0, 1, 0]),
    (MultiBinary(3), [1, 0, 1], [1, 0, 1]),
    (MultiDiscrete([2, 3]), [1, 0], [0, 1, 1, 0, 0]),
    (Tuple([Discrete(2), Box(0, 9, (1,))]), (1, np.array([7.0])), [0, 1, 7]),
    (Dict(a=Discrete(2), b=MultiBinary(2)), {"a": 0, "b": np.array([0, 1])}, [1, 0, 0, 1]),
]


@pytest.mark.parametrize(("space", "shown", "expected"), SPACES, ids=lambda part: str(part)[:20])
def test_what_is_seen_is_laid_out_in_numbers_and_choices_are_one_hot(space, shown, expected):
    shown = np.array(shown) if isinstance(shown, list) else shown
    assert spaces.senses(space, "it") == len(expected)
    assert spaces.seen(space, shown).tolist() == expected


@pytest.mark.parametrize(
    ("space", "logits", "expected"),
    [
        (Discrete(3, start=2), [0.0, 4.0, -1.0], 3),
        (MultiDiscrete([2, 3]), [1.0, 0.0, -1.0, 0.0, 2.0], [0, 2]),
        (MultiBinary(2), [-1.0, 1.0], [0, 1]),
        (Box(-2, 2, (2,)), [0.0, 800.0], [0, 2]),
        (Box(0, 255, (1,), dtype=np.uint8), [-800.0], [0]),
    ],
    ids=lambda part: str(part)[:20],
)  # fmt: skip
def test_what_is_told_is_the_largest_or_a_number_between_bounds(space, logits, expected):
    assert spaces.answers(space, "it") == len(logits)
    chosen = spaces.told(space, np.array(logits))
    assert space.contains(chosen)
    assert np.asarray(chosen).tolist() == expected


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"options": {"space": "sequence"}},
         "expected observations of Box, .*Dict, but those of Counter-v0 are Sequence"),
        ({"options": {"space": "none"}}, "expected observations of Box, .* are None"),
        ({"options": {"space": "text"}}, "expected observations of Box, .* are Text"),
        ({"options": {"space": "some"}}, "expected observations of Box, .* are Tuple"),
        ({"options": {"space": "vast"}}, "expected observations of at most 131,072 numbers, but "
         "those of Counter-v0 have 1,000,000,000,000"),
        ({"options": {"action": "vast"}}, "expected actions of at most 131,072 numbers, but those "
         "of Counter-v0 have 1,000,000,000,000"),
        ({"best": 1e300}, "best must be less than or equal to 1000000000, not"),
        ({"options": {"action": "endless"}},
         "expected actions of Discrete, .*with bounds, but those of Counter-v0 are Box"),
        ({"id": "Nothing-v0"},
         "expected an environment that gymnasium.make makes, but 'Nothing-v0' is none: "),
        ({"id": "nowhere:Nothing-v0"},
         "'nowhere:Nothing-v0' is none: .*nowhere"),
        ({"options": {"colour": "red"}},
         "but 'Counter-v0' is none: .*colour"),
        ({"options": {"space": {1: "x"}}}, "options.space must be true, false, null, a number"),
        ({"options": {"shows": object()}}, "options.shows must be true, false, null, a number"),
        ({"worst": 7.0}, "gymnasium: worst must be less than best .6.0., not 7.0"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(settings, told):
    with pytest.raises(TaskError, match=told) as refusal:
        task_of(**settings)
    assert "\n" not in str(refusal.value)


def test_every_life_is_that_of_an_environment_with_its_seed():
    task = task_of()
    fates = fates_of(task, 4)
    plain = [gymnasium.make("Counter-v0") for _ in range(4)]
    seen = [
        each.reset(seed=seed)[0] for each, seed in zip(plain, fates["seed"].tolist(), strict=True)
    ]
    life = task.live(fates)
    assert life.observation.tolist() == np.stack(seen).tolist()
    for said in torch.from_numpy(derive(2, "said").normal((3, 5, 4, 2))):
        life = life.react(said)
        for lane, each in enumerate(plain):
            seen, *_ = each.step(1 + said[2, lane].argmax().item())
            if not life.done.all():
                assert life.observation[2, lane].tolist() == seen.tolist()
    assert life.done.all() and not life.observation.any()
    assert life.score[2].tolist() == [sum(each.unwrapped.heard) for each in plain]
    assert torch.equal(life.marks["missed"], life.score < 6)


def test_a_package_that_is_an_extra_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "popgym", None)
    with pytest.raises(TaskError, match=r"popgym is not installed: .*'evo-ntm\[popgym\]'"):
        make("gymnasium", {"id": "popgym:Unheard-v0"})


@pytest.mark.parametrize("foreseen", [False, True])
def test_what_an_environment_prints_is_no_result(capsys, foreseen):
    task = task_of(steps=3, foreseen=foreseen, options={"loud": True, "shows": float(foreseen)})
    life = task.live(fates_of(task))
    life.answered(torch.zeros(3, 8, 2)) if foreseen else life.react(torch.zeros(8, 2))
    said = capsys.readouterr()
    assert said.out == ""
    assert {"made", "reset", "step"} <= {line[5:] for line in said.err.splitlines()}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"fails_at": 2}, r"RuntimeError: it fell apart\x1b[0m"),
        ({"shows": np.nan}, "ValueError: its observation is no number"),
        ({"shows": "less"}, "ValueError: it shows 1 of 2 numbers"),
        ({"earns": np.inf}, "ValueError: its reward is no number"),
        ({"earns": 1.7e308, "twice": True}, "ValueError: its return is no number"),
        ({"fails_at": 2, "leaves": True}, "SystemExit: 3"),
        ({"ends": np.nan}, "ValueError: its terminated is neither true nor false"),
        ({"fails_at": 2, "mute": True}, "Mute"),
        ({"fails_to_reset": True}, "RuntimeError: no beginning"),
    ],
)
def test_an_episode_that_fails_ends_alone_and_counts_as_the_worst(options, why):
    task = task_of(options=options, worst=-2.0)
    topology = founder(task.inputs, task.outputs, units=(4,), generator=derive(1, "f")).topology
    lives = task.episodes(derive(1, "test"), 8)
    trial = Trial(task, lives, 4, 0.01, choose("cpu", "torch"))
    weights = derive(3, "weights").normal((3, size(topology)))
    scores = score_weights(trial, topology, weights)
    assert np.isfinite(scores.fitness).all() and scores.failures == 0
    expected = f"expected Counter-v0 to go on, but an episode of it failed: {why}"
    assert scores.reasons == (expected,)
    odd = [gymnasium.make("Counter-v0").reset(seed=seed)[0][1]
           for seed in lives.shares[0].fates["seed"].tolist()]  # fmt: skip
    failed = sum(odd)
    # Those that go on earn 1 or 2 on each of their three steps.
    low, high = (-2 * failed + each * (8 - failed) for each in (3, 6))
    assert (low <= 8 * scores.fitness).all() and (8 * scores.fitness <= high).all()
    assert failed


def test_where_no_episode_begins_nothing_goes_on():
    task = task_of(options={"fails_to_reset": "all"})
    told = "expected episodes of Counter-v0 to begin, but none of 8 did: RuntimeError: no beginning"
    with pytest.raises(TaskError, match=told):
        task.live(fates_of(task))


def test_environments_are_used_again_and_those_that_failed_are_not():
    task = task_of(options={"fails_at": 1})
    fates = fates_of(task)
    begun = task.live(fates)
    after = begun.react(torch.zeros(8, 2))
    failed = int(after.failed.sum())
    assert 0 < failed < 8
    del begun, after
    gc.collect()
    before = Counter.made
    life = task.live(fates)
    assert Counter.made == before + failed
    assert life.observation[:, 1].sum() == failed


def test_an_earlier_session_cannot_be_gone_on_from():
    task = task_of()
    life = task.live(fates_of(task))
    life.react(torch.zeros(8, 2))
    with pytest.raises(TaskError, match="expected the last session"):
        life.react(torch.zeros(8, 2))


def test_an_episode_is_cut_short_after_so_many_steps():
    task = task_of(steps=2)
    life = task.live(fates_of(task))
    for _ in range(2):
        assert not life.done.any()
        life = life.react(torch.zeros(8, 2))
    assert life.done.all() and life.score.tolist() == [2.0] * 8


@pytest.mark.parametrize(
    ("name", "inputs"), [("RepeatFirstEasy", 4), ("RepeatPreviousEasy", 4), ("AutoencodeEasy", 6)]
)
def test_the_games_of_popgym_earn_1_at_best(name, inputs):
    pytest.importorskip("popgym")
    task = make("gymnasium", {"id": f"popgym:popgym-{name}-v0"})
    assert [block.size for block in (*task.inputs, *task.outputs)] == [inputs, 4]
    life, shown = task.live(fates_of(task, 2)), []
    while not life.done.all():
        shown.append(life.observation[:, -4:].argmax(-1))
        answer = shown[0]
        if name == "RepeatPreviousEasy":
            answer = shown[-4] if len(shown) >= 4 else shown[-1]
        elif name == "AutoencodeEasy":
            answer = shown[max(0, 103 - len(shown))] if len(shown) > 51 else shown[0]
        life = life.react(torch.nn.functional.one_hot(answer, 4).float())
    assert life.score.tolist() == pytest.approx([1.0, 1.0])
    assert not life.marks["missed"].any(), life.score
