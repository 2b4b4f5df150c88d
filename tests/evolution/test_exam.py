from dataclasses import dataclass, replace
from math import inf

import numpy as np
import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.evolution.evaluate import Trial, score_weights
from evo_ntm.evolution.exam import ExamRow, answer, ask, passed, prepare
from evo_ntm.experiment.exam import Part
from evo_ntm.genome.founder import founder
from evo_ntm.machine import Backend, choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from evo_ntm.tasks.hosting import changed

TASK = make("copy", {"bits": 3, "longest": 4})
ENCODINGS = ("direct", "tied")
GENOMES = {
    encoding: founder(TASK.inputs, TASK.outputs, units=[5], width=4, encoding=encoding,
                      generator=derive(1, "founder"))
    for encoding in ENCODINGS
}  # fmt: skip
GENOME = GENOMES["direct"]


def part(**changes):
    return Part(**{"name": "part", "rows": 8, "sequences": 100, **changes})


def prepared(part, task=TASK, purpose="exam", fused=False):
    (questions,) = prepare([part], task, purpose, epsilon=0.01, backend=Backend("cpu", fused))
    return questions


def answered(questions, genome, spread=map):
    (row,) = ask([questions], genome, spread)
    return row


def inputs(questions):
    return [trial.episodes.inputs for trial in questions.trials]


def shares(questions):
    return [len(trial.episodes.lengths) for trial in questions.trials]


def test_the_questions_are_always_the_same_and_those_of_no_other_part():
    asked = inputs(prepared(part()))
    again = inputs(prepared(part()))
    assert all(torch.equal(one, other) for one, other in zip(asked, again, strict=True))
    for others in (prepared(part(name="other")), prepared(part(), purpose="validation")):
        assert not torch.equal(asked[0][:3, :8], inputs(others)[0][:3, :8])
    one, other = inputs(prepared(part(), fused=True))
    assert not torch.equal(one[:3, :8], other[:3, :8])


def test_torch_is_asked_many_of_the_same_questions_at_once():
    asked = part(sequences=600)
    shared, joined = prepared(asked, fused=True), prepared(asked)
    assert shares(shared) == [64] * 9 + [24]
    assert shares(joined) == [512, 88]
    for number, share in enumerate(inputs(shared)):
        trial, lane = divmod(64 * number, 512)
        there = inputs(joined)[trial][: len(share), lane : lane + share.shape[1]]
        assert torch.equal(there, share)


@pytest.mark.parametrize(("fused", "asked"), [(False, [100]), (True, [64, 36])])
def test_a_row_tells_the_means_over_all_sequences(fused, asked):
    questions = prepared(part(sequences=100), fused=fused)
    row = answered(questions, GENOME, map)
    assert shares(questions) == asked
    totals = {"bits": 0.0, "wrong_bits": 0.0}
    for trial in questions.trials:
        for lane, length in enumerate(trial.episodes.lengths):
            sequences, targets, scored, _ = trial.episodes
            one = slice(lane, lane + 1)
            alone = (sequences[:length, one], targets[:length, one], scored[:length, one])
            asked = replace(trial, episodes=type(trial.episodes)(*alone, (length,)))
            scores = score_weights(asked, GENOME.topology, GENOME.weights[None])
            for name in totals:
                totals[name] += scores.measures[name][0]
    assert row.bits == pytest.approx(totals["bits"] / 100, rel=1e-5)
    assert row.wrong_bits == pytest.approx(totals["wrong_bits"] / 100, rel=1e-6)
    assert (row.name, row.rows, row.sequences) == ("part", 8, 100)
    assert row.extent == {"length": [1, 4]}


def test_a_part_changes_the_task():
    questions = prepared(part(**{"with": {"shortest": 7, "longest": 7}}))
    assert answered(questions, GENOME, map).extent == {"length": 7}


@pytest.mark.parametrize(
    ("limits", "passes"),
    [
        (None, None),
        ({"wrong_bits": 1000}, True),
        ({"wrong_bits": 1000, "bits": 0}, False),
        ({"wrong_bits": 0}, False),
    ],
)
def test_a_part_is_passed_where_no_measure_is_above_its_limit(limits, passes):
    assert answered(prepared(part(at_most=limits, sequences=8)), GENOME, map).passed is passes


def test_a_limit_that_is_just_reached_is_passed():
    bits = answered(prepared(part()), GENOME, map).bits
    assert answered(prepared(part(at_most={"bits": bits})), GENOME, map).passed is True
    below = float(np.nextafter(bits, 0))
    assert answered(prepared(part(at_most={"bits": below})), GENOME, map).passed is False


def test_a_machine_that_is_not_finite_passes_nothing():
    broken = GENOME.with_genes(np.full(GENOME.genes.size, 3e38, dtype=np.float32))
    row = answered(prepared(part(at_most={"wrong_bits": 1000})), broken, map)
    assert (row.bits, row.wrong_bits, row.passed) == (inf, inf, False)


def test_a_measure_of_the_task_s_own_is_told():
    task = make("ngrams", {"steps": 12})
    genome = founder(task.inputs, task.outputs, generator=derive(1, "founder"))
    row = answered(prepared(part(at_most={"regret": 100.0}), task), genome, map)
    assert row.measures.keys() == {"regret", "chance"} and row.passed is True


def test_chance_is_what_the_best_constant_answer_costs():
    silent = GENOME.with_genes(np.zeros(GENOME.genes.size))
    row = answered(prepared(part()), silent, map)
    # Every fair coin costs one bit, or a little less where as many heads as tails did not fall.
    assert 0.98 * row.bits < row.measures["chance"] <= row.bits


def test_a_tied_machine_answers_with_as_many_bits_as_are_asked():
    questions = prepared(part(**{"with": {"bits": 9}}))
    row = answered(questions, GENOMES["tied"], map)
    assert row.bits == answered(questions, GENOMES["tied"].with_bits(9), map).bits


def test_several_workers_may_take_the_shares_of_all_parts_at_once():
    calls = []

    def spread(function, items):
        calls.append(len(items))
        return map(function, items)

    long = {"with": {"shortest": 7, "longest": 7}}
    parts = [prepared(part(sequences=1200)), prepared(part(sequences=10, **long))]
    rows = ask(parts, GENOME, spread)
    assert calls == [4]
    assert rows == tuple(answered(questions, GENOME) for questions in parts)


def test_answers_are_weighed_by_their_sequences():
    trials = [Trial(TASK, TASK.episodes(derive(1, "some"), lanes), 8, 0.01) for lanes in (1, 2, 61)]
    means = [answer([trial], GENOME, map)["bits"] for trial in trials]
    told = answer(trials, GENOME, map)["bits"]
    assert told == pytest.approx(np.average(means, weights=[1, 2, 61]))


def test_a_measure_that_the_task_does_not_have_is_refused():
    with pytest.raises(TaskError) as refusal:
        prepared(part(name="long", at_most={"wrong_bit": 0}))
    assert str(refusal.value) == (
        "exam 'long': expected a measure of the task, but came 'wrong_bit': "
        "did you mean 'wrong_bits'?"
    )


@dataclass(frozen=True)
class Plain:
    """A task that cannot be asked for anything else."""

    inputs = TASK.inputs
    outputs = TASK.outputs

    def episodes(self, generator, lanes):
        return TASK.episodes(generator, lanes)


def test_a_plain_task_needs_no_settings_but_cannot_be_given_any():
    assert answered(prepared(part(), Plain()), GENOME, map).extent == {}
    assert changed(Plain(), {}) == Plain()
    with pytest.raises(TaskError, match=r"with settings \(longest\), but Plain lacks some of"):
        prepared(part(**{"with": {"longest": 3}}), Plain())


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([True, True], True),
        ([True, None], True),
        ([True, False], False),
        ([None, False], False),
        ([None, None], None),
        ([], None),
    ],
)
def test_an_exam_is_passed_where_all_parts_are_that_can_be(verdicts, verdict):
    rows = [ExamRow("part", {}, 8, 4, 0.0, 0.0, {}, passes) for passes in verdicts]
    assert passed(rows) is verdict


@pytest.mark.parametrize(
    ("changes", "side"),
    [
        ({"id": "Acrobot-v1"}, "inputs of the task, 4 of them, but came others, 6"),
        ({"id": "MountainCar-v0"}, "inputs of the task, 4 .* others, 2"),
    ],
)
def test_a_part_with_other_channels_than_the_task_is_refused(changes, side):
    pytest.importorskip("gymnasium")
    task = make("gymnasium", {"id": "CartPole-v1", "steps": 5, "best": 5})
    part = Part(name="elsewhere", rows=4, sequences=2, **{"with": changes})
    with pytest.raises(TaskError, match=f"exam 'elsewhere': expected the {side}"):
        prepare([part], task, "exam", epsilon=0.01, backend=choose("cpu", "torch"))
