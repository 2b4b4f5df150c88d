"""What sequences fail on, against failures that were planted: their cause is known."""

import numpy as np
import pytest

from evo_ntm.evolution.exam import prepare
from evo_ntm.experiment.exam import Part
from evo_ntm.machine import choose
from evo_ntm.reports.explaining.failings import Paper, failings
from evo_ntm.reports.explaining.marks import Marks
from evo_ntm.seeds import derive
from evo_ntm.tasks import make

COPY = make("copy", {"bits": 6, "longest": 12})


def paper(task, wrong, *, sequences=1500):
    """Ask a task's sequences; `wrong` plants where the answers are wrong, by [T, B]."""
    part = Part.model_validate({"name": "the task", "rows": 30, "sequences": sequences})
    [asked] = prepare([part], task, "planted", epsilon=1e-2, backend=choose())
    marks = []
    for number, trial in enumerate(asked.trials):
        steps = wrong(trial.episodes, number) & trial.episodes.scored.numpy()
        channels = np.zeros(trial.episodes.targets.shape[-1], int)
        channels[min(2, len(channels) - 1)] = steps.sum()
        bits = steps.sum(0)
        marks.append(Marks(5.0 * bits, bits, steps, channels))
    return Paper("the task", asked.trials, marks)


def vectors(episodes):
    """Give the vectors asked for, [T, B, C]."""
    return episodes.targets.numpy()


def rarely(episodes, number, share):
    return derive(number, "rarely").random(tuple(episodes.scored.shape)) < share


def test_sequences_with_a_blank_vector_are_found_out():
    def wrong(episodes, number):
        blank = (vectors(episodes) == 0).all(-1) & episodes.scored.numpy()
        return blank.any(0) | rarely(episodes, number, 0.0005)

    found = failings([paper(COPY, wrong)])
    first = found.found[0]
    assert (first.told, first.of) == ("contains an all-zero vector", "sequences")
    assert first.share_wrong == 1.0 and first.share_otherwise < 0.02
    assert found.asked[0].wrong_sequences >= first.sequences


def test_answers_behind_a_blank_one_are_found_out():
    def wrong(episodes, number):
        blank = (vectors(episodes) == 0).all(-1) & episodes.scored.numpy()
        return np.concatenate([blank[:1] & False, blank[:-1]])

    [told] = [each for each in failings([paper(COPY, wrong)]).found if each.of == "answers"]
    assert told.told == "the vector asked for before is all zeros"
    assert told.share_wrong == 1.0 and told.share_otherwise == 0.0


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_a_machine_that_mixes_two_bits_up_is_found_out(share):
    def wrong(episodes, number):
        differ = vectors(episodes)[..., 1] != vectors(episodes)[..., 4]
        return differ & rarely(episodes, number, share)

    found = failings([paper(COPY, wrong)])
    told = [(each.told, each.of) for each in found.found]
    assert told == [("the vector asked for has bits 2 and 5 that differ", "answers")]
    assert found.channels == "Most of its wrong bits are in bit 3 (100 %)."


def test_long_sequences_are_blamed_only_where_length_is_the_cause():
    some = failings([paper(COPY, lambda e, n: rarely(e, n, 0.03))])
    assert some.found == () and some.asked[0].wrong_sequences > 100

    def wrong(episodes, number):
        return (episodes.scored.numpy().sum(0) > 9) & rarely(episodes, number, 0.3)

    first = failings([paper(COPY, wrong)]).found[0]
    assert first.told == "has at least 10 vectors" and first.share_otherwise == 0


def test_where_nearly_all_fail_the_worse_half_is_looked_at():
    def wrong(episodes, number):
        blank = ((vectors(episodes) == 0).all(-1) & episodes.scored.numpy()).any(0)
        return rarely(episodes, number, 0.8) | blank

    found = failings([paper(COPY, wrong)])
    assert found.wrong_means == "a greater share of its bits is wrong than in half of them"
    assert found.asked[0].wrong_sequences <= 750
    assert "contains an all-zero vector" in [each.told for each in found.found]


def test_blocks_of_answers_are_told_apart():
    task = make("mirror_copy", {"bits": 3, "longest": 5})
    told = failings([paper(task, lambda e, n: rarely(e, n, 0.1), sequences=300)]).channels
    assert told.startswith("Wrong are ") and told.endswith(
        "of bits forwards and 0 % of bits backwards."
    )


def test_the_regret_decides_where_nobody_can_know_the_answer():
    task = make("ngrams", {"steps": 40, "context": 2})
    found = failings([paper(task, lambda e, n: rarely(e, n, 0.3), sequences=256)])
    assert found.wrong_means.startswith("it costs more beyond the best learner")
    assert found.asked[0].wrong_sequences == pytest.approx(64, abs=2)


def test_a_machine_that_never_fails_has_nothing_to_tell():
    found = failings([paper(COPY, lambda e, n: rarely(e, n, 0.0), sequences=100)])
    assert found.found == () and found.channels == "" and not found.asked[0].wrong_sequences
