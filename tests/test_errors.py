"""What is suggested is what was meant, or nothing is."""

from dataclasses import dataclass, replace

import pytest

from evo_ntm.errors import TaskError, near, nearest, somebody_elses
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.cma import CMA
from evo_ntm.experiment.evolution_strategy import EvolutionStrategy
from evo_ntm.experiment.exam import Part, Stage
from evo_ntm.experiment.genetic import Genetic
from evo_ntm.experiment.machine import MachineSettings
from evo_ntm.experiment.operators import OPERATORS
from evo_ntm.experiment.run import RunSettings
from evo_ntm.experiment.tasks import TASK_SETTINGS

MODELS = (Experiment, MachineSettings, RunSettings, Part, Stage, EvolutionStrategy, Genetic, CMA,
          *TASK_SETTINGS.values())  # fmt: skip
WORDS = {**{model.__name__: model.keys() for model in MODELS}, "tasks": tuple(TASK_SETTINGS),
         "operators": tuple(OPERATORS)}  # fmt: skip


ALIKE = {"declines", "cpus_per_worker", "gpus_per_worker"}  # nearly another word


def slips(word):
    """List what a word becomes by one letter left out, doubled, swapped or mistaken."""
    for place in range(len(word)):
        head, letter, tail = word[:place], word[place], word[place + 1 :]
        yield from (head + tail, head + 2 * letter + tail, head + "x" + tail)
        if tail:
            yield head + tail[0] + letter + tail[1:]


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_slip_of_one_letter_is_understood(words):
    for word in words:
        for slip in {*slips(word)} - {*words}:
            told = near(slip, words)
            short = told is None and len(word) <= 4
            assert told == word or short or word in ALIKE, slip


@pytest.mark.parametrize(
    ("word", "words"),
    [("gpu", ["cpu", "cuda"]), ("colour", ["source", "birth"]), ("lr", ["starts", "sigma"]),
     ("batch", EvolutionStrategy.keys()), ("momentum", EvolutionStrategy.keys()),
     ("water", TASK_SETTINGS), ("xor", TASK_SETTINGS), ("adam", OPERATORS),
     ("size", MachineSettings.keys()), ("epochs", Experiment.keys()), ("x", ["y"]), ("", ["a"])],
)  # fmt: skip
def test_what_is_not_near_is_not_suggested(word, words):
    assert near(word, words) is None
    assert nearest(word, words) == f"known: {', '.join(sorted(words))}"


@pytest.mark.parametrize(
    ("word", "meant"),
    [("wrong", "wrong_bits"), ("pop", "population"), ("population_size", "population"),
     ("Population", "population"), ("wrong-bits", "wrong_bits"), ("learning", "learning_rate")],
)  # fmt: skip
def test_a_beginning_and_another_spelling_are_understood(word, meant):
    assert near(word, ["population", "wrong_bits", "learning_rate", "bits"]) == meant


class Odd(Exception):
    """One that cannot show itself."""

    def __repr__(self):
        raise OSError("no words")


def test_what_cannot_show_itself_is_named_by_its_kind():
    def fail():
        raise Odd

    with (
        pytest.raises(TaskError, match=r"expected a thing, but came Odd \(.*test_errors\.py"),
        somebody_elses("a thing", TaskError),
    ):
        fail()


@dataclass(frozen=True)
class Theirs:
    """Somebody else's, with a slip in it."""

    def called(self):
        return replace(self, no_such=1)


def test_what_somebody_elses_code_raises_is_told_with_their_line_and_not_with_the_library_s():
    with pytest.raises(TaskError, match=r"but came TypeError.*\(.*test_errors\.py, line \d+\)$"):
        with somebody_elses("a thing", TaskError):
            Theirs().called()
