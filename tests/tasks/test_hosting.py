"""A task that may be anybody's is refused in one line where it is none."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.evolution.closed_loop import lead
from evo_ntm.genome.founder import founder
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import REWARD_TASKS, TASKS, draw, grade, make, measures
from evo_ntm.tasks.hosting import changed, welcome
from evo_ntm.topology.wires import size
from tests.tasks.coins import Coin

COPY = make("copy", {"bits": 2, "longest": 3})


@dataclass(frozen=True)
class Known:
    """A task with settings, of which any may be wrong."""

    steps: int = 3
    told: object = None
    name = "known"
    inputs, outputs = COPY.inputs, COPY.outputs

    def episodes(self, generator, lanes):
        return COPY.episodes(generator, lanes)

    def extent(self):
        return {"steps": self.steps} if self.told is None else self.told

    def with_settings(self, **settings):
        return replace(self, **settings)


@pytest.mark.parametrize("name", [*TASKS, *REWARD_TASKS])
def test_our_own_tasks_are_welcome(name):
    settings = {"id": "CartPole-v1", "worst": 0, "best": 500} if name == "gymnasium" else {}
    task = make(name, settings)
    assert welcome(task) is task


def test_a_task_of_ones_own_is_welcome_with_other_settings_too():
    assert changed(Known(), {"steps": 5}) == Known(5)
    assert changed(Known(), {}) == Known()
    assert changed(Known(told={"length": [1, 20]}), {})


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (3, r"expected a task, an object with inputs, outputs and episodes, but came 3"),
        (Known, r"expected a task, .* but came the class Known"),
        (Known(told=[1]), r"extent of task 'known' to name whole numbers.*but came \[1\]"),
        (Known(told={"steps": "many"}), r"extent of task 'known' .*but came {'steps': 'many'}"),
        (Known(told={"steps": [1, 2, 3]}), r"extent of task 'known' .*but came"),
    ],
)
def test_what_is_no_task_is_refused(task, told):
    with pytest.raises(TaskError, match=told) as caught:
        welcome(task)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("channels", [3, [*COPY.inputs], ("one", "two"), None, ()])
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_channels_that_are_no_blocks_are_refused(side, channels):
    odd = type("Odd", (Known,), {side: channels})()
    with pytest.raises(TaskError, match=rf"{side} of task 'known' to be a tuple of Block, but"):
        welcome(odd)


def test_channels_that_raise_and_settings_that_do_name_the_line():
    class Raises(Known):
        @property
        def inputs(self):
            raise OSError("no channels\nhere")

    told = r"channels of task 'known', but came OSError.*test_hosting\.py, line \d+"
    with pytest.raises(TaskError, match=told):
        welcome(Raises())
    with pytest.raises(TaskError, match=r"settings of task 'known', but came TypeError"):
        changed(Known(), {"stepps": 4})


@dataclass(frozen=True)
class Grader(Known):
    """One that grades in its own way."""

    measured: object = None
    worths: object = None

    def measures(self, episodes, grades):
        return {"own": grades.bits.mean(-1)} if self.measured is None else self.measured

    def worth(self, episodes, logits):
        good = torch.ones(logits.shape[1:-1])
        return good if self.worths is None else self.worths


def graded(task):
    """Grade three machines that say nothing, on four sequences."""
    episodes = COPY.episodes(derive(1, "test"), 4)
    logits = torch.zeros(len(episodes.inputs), 3, 4, 2)
    return measures(task, episodes, grade(episodes, logits, task))


def test_measures_and_worths_of_ones_own_are_told():
    assert graded(Grader())["own"].shape == (3,)
    assert graded(Grader())["shortfall"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (Grader(measured=[1]), r"measures of task 'known' by name, but came \[1\]"),
        (Grader(measured={"own": 1.0}), r"measure 'own' of task 'known' .*\[3\], but came float"),
        (Grader(measured={"own": torch.ones(3, 4)}), r"'own' .* shape \[3\], but came \[3, 4\]"),
        (Grader(worths=torch.ones(4)), r"worth by task 'known' .* \[3, 4\], but came \[4\]"),
        (Grader(worths=7), r"worth by task 'known' .* \[3, 4\], but came int"),
        (Grader(worths=torch.full((3, 4), 1.5)), r"worth .* at most 1 a sequence, but came 1\.5"),
    ],
)
def test_measures_and_worths_that_fit_no_population_are_refused(task, told):
    with pytest.raises(TaskError, match=told):
        graded(task)


def led(task):
    """Lead three machines through four lives of a task."""
    topology = founder(task.inputs, task.outputs, generator=derive(1, "founder")).topology
    machine = choose("cpu", "torch").machine(topology, 0.01)
    lives = draw(task, derive(1, "test"), 4)
    return lead(machine, torch.zeros(3, size(topology)), lives, rows=4)


def test_lives_without_a_reaction_are_refused():
    class Still(Coin):
        def live(self, fates):
            return SimpleNamespace(observation=torch.zeros(4, 1), marks={}, score=torch.zeros(4))

    told = r"lives of task 'coin' to have all .* no reward, no done, no react, no among$"
    with pytest.raises(TaskError, match=told):
        led(Still())


def test_lives_of_a_world_of_ones_own_are_led():
    assert led(Coin()).measures()["shortfall"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", ["choice", "best", "extent", "with_settings", "name"])
def test_a_task_that_rewards_and_lacks_a_member_is_refused(name):
    lacking = type("Lacking", (Coin,), {name: None})()
    told = rf"to have all that a task has that rewards what is done, but it has no {name}$"
    for refuse in (welcome, lambda task: draw(task, derive(1, "test"), 4)):
        with pytest.raises(TaskError, match=told):
            refuse(lacking)


def test_what_an_answer_is_has_to_be_told():
    with pytest.raises(TaskError, match="choice of task 'coin' to be true or false, but came 3"):
        welcome(type("Odd", (Coin,), {"choice": 3})())


def test_blocks_of_one_birth_are_refused():
    alike = type("Alike", (Coin,), {"outputs": Coin.inputs})()
    with pytest.raises(TaskError, match="channels of task 'coin' to have a birth .* 1 came twice"):
        welcome(alike)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"observation": None}, r"observation .* of torch.float32 \[4, 1\], but came NoneType"),
        ({"observation": torch.zeros(4)}, r"observation .* \[4, 1\], but came float32 \[4\]"),
        ({"observation": torch.zeros(4, 2)}, r"observation .* but came float32 \[4, 2\]"),
        ({"observation": torch.full((4, 1), torch.nan)}, "observation .* a number, but came nan"),
        ({"done": False}, r"done of task 'coin' to be a tensor of truths \[4\], but came bool"),
        ({"done": torch.zeros(4)}, r"done .* of truths \[4\], but came float32 \[4\]"),
        ({"score": 0.5}, r"score of task 'coin' to be a tensor of numbers \[4\], but came float"),
        ({"marks": {"reward": torch.zeros(4)}}, r"marks\['missed'\] .* but came NoneType"),
        ({"marks": None}, "marks of task 'coin' by name, but came None"),
        (
            {"observation": torch.zeros(4, 1).double()},
            r"observation .* of numbers of torch.float32 \[4, 1\], but came float64 \[4, 1\]",
        ),
    ],
)
def test_lives_that_cannot_be_led_are_refused(wrong, told):
    with pytest.raises(TaskError, match=told):
        led(Coin(wrong))


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ({"score": torch.full((3, 4), torch.inf)}, "score of task 'coin' to be a number, .* inf"),
        (
            {"marks": {"missed": torch.full((3, 4), torch.nan), "reward": torch.zeros(3, 4)}},
            "missed of task 'coin' to be a number, but came nan",
        ),
    ],
)
def test_lives_that_come_to_no_number_are_refused(then, told):
    with pytest.raises(TaskError, match=told):
        led(Coin(then=then))
