"""Tasks as vector environments of Gymnasium."""

from inspect import unwrap

import numpy as np
import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.tasks.lives import Lives

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.utils.env_checker import check_env  # noqa: E402
from gymnasium.vector import AutoresetMode  # noqa: E402
from gymnasium.wrappers.vector import RecordEpisodeStatistics  # noqa: E402

from evo_ntm.tasks.vector import RewardVectorEnv  # noqa: E402

SMALL = {
    "t_maze": {"maze": "single", "trials": 1, "pairs": "any"},
    "season": {"years": 1, "most_days": 2, "fewest_days": 2, "foods": 2, "poisonous": 1},
    "memory_length": {"longest": 4},
}
every_task = pytest.mark.parametrize("name", SMALL)


class Alone(gymnasium.Env):
    """One of them, as Gymnasium checks environments."""

    metadata = {"render_modes": []}

    def __init__(self, task):
        self.several = RewardVectorEnv(task)
        self.observation_space = self.several.single_observation_space
        self.action_space = self.several.single_action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        seen, told = self.several.reset(seed=seed, options=options)
        return seen[0], told

    def step(self, action):
        seen, reward, ended, cut, told = self.several.step(np.asarray([action]))
        return seen[0], float(reward[0]), bool(ended[0]), bool(cut[0]), told


@every_task
@pytest.mark.filterwarnings("ignore:.*WARN.*")
def test_gymnasium_finds_nothing_wrong_with_one(name):
    check_env(Alone(make(name, SMALL[name])), skip_render_check=True)


@every_task
def test_lives_begin_anew_one_by_one_and_earn_what_they_earn_alone(name):
    task, count = make(name, SMALL[name]), 3
    several = RecordEpisodeStatistics(RewardVectorEnv(task, count))
    assert several.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    seen, _ = several.reset(seed=5)
    several.action_space.seed(1)
    ended, returned = np.zeros(count, dtype=bool), np.zeros(count)
    episodes = 0
    for _ in range(260):
        assert several.observation_space.contains(seen)
        seen, reward, terminated, truncated, told = several.step(several.action_space.sample())
        assert not (reward[ended].any() or terminated[ended].any() or truncated.any())
        if name == "memory_length":  # which has a clock
            assert (seen[ended, 0] == 1).all()
        returned = np.where(ended, 0, returned + reward)
        if "episode" in told:
            assert told["episode"]["r"][terminated].tolist() == returned[terminated].tolist()
            episodes += terminated.sum()
        ended = terminated
    assert episodes >= count


def test_the_same_seed_and_actions_are_the_same_lives():
    task = make("season", SMALL["season"])
    runs = []
    for seed in (1, 1, 2):
        several = RewardVectorEnv(task, 4)
        several.reset(seed=seed)
        runs.append([several.step(np.full((4, 1), 0.9))[:3] for _ in range(60)])
    first, again, other = (
        [np.concatenate([part.ravel() for part in step]) for step in run] for run in runs
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_an_action_is_what_a_machine_says_so_loudly():
    season = RewardVectorEnv(make("season"), 2)
    assert torch.sigmoid(season._answers(np.array([[0.75], [0.25]]))).tolist() == [[0.75], [0.25]]
    maze = RewardVectorEnv(make("t_maze"), 2)
    assert maze._answers(np.array([2, 0])).argmax(-1).tolist() == [2, 0]


def test_environments_of_gymnasium_are_refused():
    with pytest.raises(TaskError, match="begin anew one by one, but came gymnasium"):
        RewardVectorEnv(make("gymnasium", {"id": "CartPole-v1"}), 2)


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("t_maze", [0, 1, 3]),
        ("t_maze", [0, 1]),
        ("t_maze", [0.0, 1.0, 1.0]),
        ("season", [[0.5], [0.5], [1.5]]),
        ("season", [[0.5], [0.5], [np.nan]]),
        ("season", [0.5, 0.5, 0.5]),
        ("season", [["up"], ["up"], ["down"]]),
    ],
)
def test_actions_of_another_space_are_refused(name, actions):
    several = RewardVectorEnv(make(name, SMALL[name]), 3)
    several.reset(seed=1)
    with pytest.raises(TaskError, match=r"expected actions of .*\(.*, but came array"):
        several.step(np.asarray(actions))


def test_a_task_of_sequences_is_no_vector_environment_nor_are_none_of_its_lives():
    with pytest.raises(TaskError, match="rewards what is done, but came task 'copy'"):
        RewardVectorEnv(make("copy"))
    for none in (0, True, 2.0):
        with pytest.raises(TaskError, match=f"at least one life, but came num_envs={none}"):
            unwrap(RewardVectorEnv.__init__)(RewardVectorEnv(make("season")), make("season"), none)


def test_actions_of_different_lengths_are_refused():
    several = RewardVectorEnv(make("season", SMALL["season"]), 2)
    several.reset(seed=1)
    with pytest.raises(TaskError, match=r"as many numbers of every action, but came \[\[0\.5\], "):
        unwrap(RewardVectorEnv.step)(several, [[0.5], [0.5, 0.5]])


@pytest.mark.parametrize("seed", [-1, 0.5, "one"])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(TaskError, match=f"a whole seed from 0, but came {seed!r}"):
        unwrap(RewardVectorEnv.reset)(RewardVectorEnv(make("season", SMALL["season"])), seed=seed)


def test_a_seed_of_numpy_is_as_good_as_one_of_python():
    several = RewardVectorEnv(make("season", SMALL["season"]), 2)
    again, _ = unwrap(RewardVectorEnv.reset)(several, seed=np.uint8(7))
    seen, _ = several.reset(seed=7)
    assert np.array_equal(seen, again)


def test_a_step_before_the_first_reset_is_refused():
    with pytest.raises(TaskError, match="expected reset before the first step"):
        RewardVectorEnv(make("season")).step(np.asarray([[0.5]]))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            lambda drawn: Lives(drawn.shares * 2),
            "lengths of task 'season' to be 2 numbers, but came 4",
        ),
        (lambda drawn: Lives(()), "lengths of task 'season' to be 2 numbers, but came 0"),
        (lambda drawn: drawn.shares, "task 'season' to be Episodes or Lives, but came tuple"),
        (lambda drawn: make("copy").episodes(derive(1, "copy"), 2), "inputs of task 'season'"),
    ],
)
def test_lives_that_cannot_be_led_are_refused(given, told):
    class Torn(type(make("season"))):
        def episodes(self, generator, lanes):
            return given(super().episodes(generator, lanes))

    with pytest.raises(TaskError, match=told):
        RewardVectorEnv(Torn(), 2)


def test_lives_of_several_worlds_are_refused():
    class Torn(type(make("season"))):
        def episodes(self, generator, lanes):
            halves = [super(Torn, self).episodes(generator, lanes // 2) for _ in range(2)]
            return Lives(tuple(half.shares[0] for half in halves))

    with pytest.raises(TaskError, match="lives of one world by task 'season', but came 2 worlds"):
        RewardVectorEnv(Torn(), 2)
