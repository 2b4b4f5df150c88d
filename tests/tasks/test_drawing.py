"""What a task of somebody else's raises, or gives, is told in one line."""

import sys
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.evolution.evaluate import Trial, score
from evo_ntm.evolution.exam import prepare
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.workers.local import Local
from evo_ntm.experiment.exam import Part
from evo_ntm.genome.founder import founder
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import TASKS, draw, make
from evo_ntm.tasks.lives import Lives, lives
from evo_ntm.topology.parts import total

COPY = make("copy", {"bits": 2, "longest": 3})


@dataclass(frozen=True)
class Broken:
    """A copy task with something wrong in its episodes."""

    wrong: dict
    name = "broken"
    inputs, outputs = COPY.inputs, COPY.outputs

    def episodes(self, generator, lanes):
        made = COPY.episodes(generator, lanes)
        return made._replace(
            **{part: change(getattr(made, part)) for part, change in self.wrong.items()}
        )


def nothing(scored):
    return torch.zeros_like(scored)


def unknown(numbers):
    return torch.full_like(numbers, torch.nan)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"inputs": lambda inputs: inputs[..., 1:]}, r"inputs of task 'broken' to be of shape"),
        ({"targets": lambda targets: targets[1:]}, r"targets of task 'broken' to be of shape"),
        ({"scored": lambda scored: scored[..., None]}, r"scored of task 'broken' to be of shape"),
        ({"scored": nothing}, r"scored .* true in some step, but came none that is"),
        ({"targets": unknown}, r"inputs and targets .* numbers, but came some that are none"),
        ({"inputs": unknown}, r"inputs and targets .* numbers, but came some that are none"),
        ({"lengths": lambda lengths: lengths[1:]}, r"lengths .* to be 4 numbers, but came 3"),
        ({"lengths": lambda lengths: [0] * 4}, r"lengths .* from 1 to 7, but came 0"),
        (
            {"lengths": lambda lengths: 1 / 0},
            r"episodes of task 'broken', but came ZeroDivision.*test_drawing\.py, line \d+",
        ),
        ({"targets": lambda targets: targets + 5}, r"targets .* bits, 0 or 1, but came [56]$"),
        ({"targets": lambda targets: 0.3 * targets}, r"targets .* bits, 0 or 1, but came 0\.3$"),
        (
            {"lengths": lambda lengths: np.array(lengths)},
            r"lengths .* whole numbers of Python from 1 to 7, but came \d \(int64\)$",
        ),
        ({"scored": lambda scored: scored.float()}, r"scored .* of torch.bool, but came torch.flo"),
        ({"inputs": lambda inputs: inputs.double()}, r"inputs .* of torch.float32, but came torch"),
        ({"inputs": lambda inputs: inputs.numpy()}, r"inputs .* to be a tensor, but came ndarray"),
        ({"inputs": lambda inputs: inputs.tolist()}, r"inputs .* to be a tensor, but came list"),
        (
            {"targets": lambda targets: targets.long()},
            r"targets .* of a kind that has fractions, as torch.float32, but came torch.int64",
        ),
        ({"lengths": lambda lengths: None}, r"lengths .* to be 4 numbers, but came None$"),
    ],
)
def test_what_is_wrong_with_episodes_is_told_with_the_name_of_the_task(wrong, told):
    with pytest.raises(TaskError, match=told) as caught:
        draw(Broken(wrong), derive(1, "test"), 4)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [None, (1, 2), sys.exit])
def test_what_are_no_episodes_is_refused(given):
    @dataclass(frozen=True)
    class Other(Broken):
        def episodes(self, generator, lanes):
            return given(3) if callable(given) else given

    came = "SystemExit" if callable(given) else type(given).__name__
    with pytest.raises(TaskError, match=rf"episodes of task 'broken'.*but came {came}"):
        draw(Other({}), derive(1, "test"), 4)


@pytest.mark.parametrize(
    ("best", "fates", "lengths", "told"),
    [
        (float("nan"), {}, [3, 3], "best of task 'falls' to be a number, but came nan"),
        (1.0, {"deep": torch.ones(5)}, [3, 3], r"fates 'deep' .* of 2 lanes, but came \[5\]"),
        (1.0, {}, [3], "lengths .* 2 numbers, but came 1"),
        (1.0, {}, [3, 10**12], "lengths .* from 1 to 1,000,000,000, but came 1000000000000"),
        (1.0, {}, [0, 3], "lengths .* but came 0"),
    ],
)
def test_lives_that_cannot_be_led_are_refused(best, fates, lengths, told):
    @dataclass(frozen=True)
    class Falls(Pit):
        name = "falls"
        inputs, outputs = COPY.inputs, COPY.outputs

        def episodes(self, generator, lanes):
            return lives(replace(self), fates, lengths)

    Falls.best = best
    with pytest.raises(TaskError, match=told):
        draw(Falls(), derive(1, "test"), 2)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"fates": None}, "fates of task 'falls' to be tensors by name, but came None"),
        ({"lengths": None}, "lengths of task 'falls' to be numbers, one a lane, but came None"),
    ],
)
def test_lives_of_which_a_part_is_missing_are_refused_with_its_name(part, told):
    @dataclass(frozen=True)
    class Falls(Pit):
        name = "falls"
        inputs, outputs = COPY.inputs, COPY.outputs

        def episodes(self, generator, lanes):
            (share,) = lives(self, {}, [3, 3]).shares
            return Lives((share._replace(**part),))

    with pytest.raises(TaskError, match=told):
        draw(Falls(), derive(1, "test"), 2)


@pytest.mark.parametrize("name", TASKS)
def test_episodes_of_our_own_tasks_are_drawn_as_they_are(name):
    task = make(name)
    drawn, made = draw(task, derive(1, "test"), 3), task.episodes(derive(1, "test"), 3)
    assert torch.equal(drawn.inputs, made.inputs)


def test_a_target_that_is_not_scored_may_be_no_number():
    def half(targets):
        return torch.where(
            COPY.episodes(derive(1, "test"), 4).scored[..., None], targets, torch.nan
        )

    assert draw(Broken({"targets": half}), derive(1, "test"), 4)


@dataclass(frozen=True)
class Grader(Broken):
    """One whose own grades raise."""

    def worth(self, episodes, logits):
        return self.missing

    def measures(self, episodes, grades):
        return self.missing


def scored_here(task):
    """Score a machine on a task in this process, as a run does."""
    genome = founder(COPY.inputs, COPY.outputs, generator=derive(1, "founder"))
    episodes = draw(task, derive(1, "test"), 2)
    trial = Trial(task, episodes, 4, 0.01, choose("cpu", "torch"))
    with Local(1) as workers:
        return score([Individual(genome, operators=("found",))], trial, workers.map)


def test_grades_of_a_task_of_ones_own_that_raise_name_the_line():
    told = r"expected scores of task 'broken', .*missing.*test_drawing.py, line \d+"
    with pytest.raises(TaskError, match=told):
        scored_here(Grader({}))


def test_measures_of_a_task_of_ones_own_that_raise_are_told_before_anything_is_computed():
    part = Part(name="once", rows=4, sequences=2)
    told = r"expected measures of task 'broken', .*missing.*test_drawing.py, line \d+"
    with pytest.raises(TaskError, match=told):
        prepare([part], Grader({}), "exam", epsilon=0.01, backend=choose("cpu", "torch"))


@dataclass(frozen=True)
class Pit:
    """A world in which lives begin, and end by an exception."""

    depth: int = 3
    name = "pit"
    best, choice = 1.0, True
    done, score = torch.zeros(2, dtype=torch.bool), torch.zeros(2)
    observation, reward = torch.zeros(2, total(COPY.inputs)), torch.zeros(2)
    marks: ClassVar = {"missed": torch.zeros(2), "reward": torch.zeros(2)}

    def live(self, fates):
        return self

    def among(self, index):
        return self

    def extent(self):
        return {}

    def with_settings(self):
        return self

    def react(self, answer):
        if not self.depth:
            raise OSError("the ground is reached\nwith a thud")
        return replace(self, depth=self.depth - 1)


def test_lives_in_a_world_of_ones_own_that_raises_name_the_line():
    @dataclass(frozen=True)
    class Falls(Pit):
        inputs, outputs = COPY.inputs, COPY.outputs

        def episodes(self, generator, lanes):
            return lives(self, {}, [9] * lanes)

    told = r"expected scores of task 'pit', .*thud.*test_drawing.py, line \d+"
    with pytest.raises(TaskError, match=told):
        scored_here(Falls())
