import pytest
import torch

from evo_ntm.errors import TaskError
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.school import Sitting, school
from evo_ntm.experiment import parse
from evo_ntm.genome.founder import founder
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import make
from tests.evolution.cases import told

TASK = make("copy", {"bits": 1, "longest": 6})


def lesson(curriculum=(), task=TASK, **changes):
    asked = {**told(), "with": {"bits": 1, "longest": 6}, "curriculum": list(curriculum), **changes}
    experiment = parse(asked)
    return experiment, school(experiment, task, choose())


def stages(*thresholds):
    gates = [{"with": {"longest": n + 1}, "until": {"bits": t}} for n, t in enumerate(thresholds)]
    return [*gates, {"with": {"longest": 6}}]


SOMEBODY = Individual(
    founder(TASK.inputs, TASK.outputs, units=[4], width=3, generator=derive(1, "founder")),
    operators=("found",),
)


def test_a_generation_has_fresh_episodes_and_rows_of_its_own():
    experiment, lessons = lesson()
    trials = [lessons.trial(experiment, generation, 0) for generation in range(40)]
    again = lessons.trial(experiment, 7, 0)
    assert torch.equal(again.episodes.inputs, trials[7].episodes.inputs)
    assert again.rows == trials[7].rows
    assert {trial.rows for trial in trials} == {4, 5, 6}
    shown = {tuple(trial.episodes.inputs[:1].flatten().tolist()) for trial in trials}
    assert len(shown) > 20
    assert {len(trial.episodes.lengths) for trial in trials} == {8}


def test_another_seed_makes_other_episodes():
    seeds = [lesson(evolve={**told()["evolve"], "seed": seed}) for seed in (1, 2)]
    one, other = (lessons.trial(experiment, 0, 0).episodes for experiment, lessons in seeds)
    assert one.lengths != other.lengths or not torch.equal(one.inputs, other.inputs)


def test_a_stage_shows_longer_sequences_than_the_one_before():
    experiment, lessons = lesson(stages(0.1, 0.1))
    longest = [
        max(max(lessons.trial(experiment, n, stage).episodes.lengths) for n in range(10))
        for stage in range(3)
    ]
    assert longest == [5, 13, 13]  # a share of the next stage is shown already


def test_a_stage_may_need_more_rows_from_then_on():
    asked = stages(0.1, 0.1, 0.1)
    asked[1]["rows"], asked[3]["rows"] = [9, 10], 20
    experiment, lessons = lesson(asked)
    met = [{lessons.trial(experiment, n, stage).rows for n in range(30)} for stage in range(4)]
    assert met == [{4, 5, 6}, {9, 10}, {9, 10}, {20}]
    assert [gate.rows for gate in lessons.gates] == [6, 10, 10, 20]
    assert [experiment.rows_of(stage) for stage in (0, 1, -1)] == [(4, 6), (9, 10), (20, 20)]
    longest = [
        max(max(lessons.trial(experiment, n, stage).episodes.lengths) for n in range(10))
        for stage in range(4)
    ]
    assert longest == [3, 7, 7, 13]  # nothing is shown of a stage for which there is no room yet


def test_a_stage_opens_where_the_held_out_measure_has_fallen():
    _, lessons = lesson(stages(100.0, 0.0001))
    assert lessons.opens(0, SOMEBODY, map)
    assert not lessons.opens(1, SOMEBODY, map)
    assert not lessons.opens(2, SOMEBODY, map)  # as nothing follows


def test_without_a_curriculum_there_is_one_stage():
    _, lessons = lesson()
    assert len(lessons.curriculum.stages) == 1
    assert not lessons.opens(0, SOMEBODY, map)


def test_a_validation_sums_its_parts_and_the_exam_is_another_set():
    part = {"name": "short", "with": {"longest": 1}, "rows": 5, "sequences": 16}
    exam = {
        "validation": [
            {**part, "at_most": {"bits": 100.0}},
            {**part, "name": "long", "with": {"longest": 6}, "at_most": {"bits": 100.0}},
        ],
        "parts": [{**part, "at_most": {"bits": 0.0}}],
    }
    _, lessons = lesson(exam=exam)
    validated = lessons.validate(3, SOMEBODY, map)
    assert [row.name for row in validated.rows] == ["short", "long"]
    assert validated.passed
    validation = validated.validation
    assert (validation.generation, validation.individual) == (3, SOMEBODY)
    assert validation.bits == sum(row.bits for row in validated.rows)
    assert validation.wrong_bits == sum(row.wrong_bits for row in validated.rows)
    sitting = lessons.examine(SOMEBODY, map)
    assert (sitting.individual, sitting.solved) == (SOMEBODY, False)
    assert sitting.rows[0].bits != validated.rows[0].bits


def test_an_exam_without_limits_is_solved_by_nobody():
    part = {"name": "part", "rows": 5, "sequences": 8}
    passes = {**part, "at_most": {"bits": 1000}}
    _, lessons = lesson(exam={"validation": [passes], "parts": [part]})
    assert lessons.validate(0, SOMEBODY, map).passed
    assert not lessons.examine(SOMEBODY, map).solved
    assert not Sitting(SOMEBODY, ()).solved


@pytest.mark.parametrize(("limit", "names"), [(1000.0, ["long", "short"]), (0.0, ["short"])])
def test_what_is_only_reported_is_asked_once_the_rest_is_passed(limit, names):
    part = {"name": "short", "rows": 5, "sequences": 8}
    parts = [{**part, "name": "long"}, {**part, "at_most": {"bits": limit}}]
    _, lessons = lesson(exam={"validation": parts[1:], "parts": parts})
    assert [row.name for row in lessons.examine(SOMEBODY, map).rows] == names


class Brought:
    """A task with settings that no task file of the package has."""

    name, inputs, outputs = "brought", TASK.inputs, TASK.outputs

    def episodes(self, generator, lanes):
        return TASK.episodes(generator, lanes)

    def extent(self):
        return {}

    def with_settings(self, **settings):
        return self


def test_a_gate_that_looks_at_no_measure_of_the_task_is_refused():
    asked = {**told(), "task": "brought", "with": {}}
    asked["curriculum"] = [{"with": {"depth": 1}, "until": {"wrong": 1.0}}, {"with": {"depth": 2}}]
    with pytest.raises(TaskError, match="stage 1 of the curriculum: expected a measure of the task,"
                                        " but came 'wrong': did you mean"):  # fmt: skip
        school(parse(asked, tasks=["brought"]), Brought(), choose())


def test_where_an_individual_stands_is_told_by_the_gate_of_its_stage():
    _, lessons = lesson(stages(100.0, 0.0001))
    took = [lessons.taken(stage, SOMEBODY, map) for stage in range(3)]
    stood = [lessons.standing(stage, taken) for stage, taken in enumerate(took)]
    assert [standing.stage for standing in stood] == [0, 1, 2]
    for standing, taken in zip(stood, took, strict=True):
        assert (standing.wrong_bits, standing.bits) == (taken["wrong_bits"], taken["bits"])
    assert len({standing.bits for standing in stood}) == 3
