"""The loop: when it looks, what it keeps, when the exam is sat, and how it ends."""

import json
from dataclasses import dataclass, replace
from math import inf, isfinite, isnan

import pytest
import torch

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.school import School
from evo_ntm.experiment import parse
from evo_ntm.machine import choose
from evo_ntm.training import Descent, descent_of
from evo_ntm.tuning import read_place, tune
from evo_ntm.tuning.loop import STRAYS, Lesson
from tests.tuning.cases import PART, genome_of, lesson, looks, plain, told

HARD = [{**PART, "name": "endless", "with": {"shortest": 30, "longest": 30}, "rows": 4}]


def test_it_looks_at_the_genome_as_it_came_and_then_as_often_as_it_is_told():
    found = looks(steps=50, validate_every=20, early_stop=False)
    assert [look.point.step for look in found] == [0, 20, 40, 50]
    assert [look.point.sequences for look in found] == [0, 160, 320, 400]
    assert [look.place.over for look in found] == [False, False, False, True]
    assert isnan(found[0].point.bits) and found[0].place.best is None
    assert found[-1].place.curve == tuple(look.point for look in found)


def test_it_learns_and_ends_once_the_exam_is_passed():
    found = looks()
    last = found[-1]
    assert last.place.solved and last.place.over and last.point.step < 400
    assert last.point.validation_wrong_bits == 0 < found[0].point.validation_wrong_bits
    assert last.sitting.solved and all(look.sitting is None for look in found[:-1])
    assert last.place.best.step == last.point.step


def test_without_an_early_stop_it_goes_on_to_the_last_step():
    found = looks(early_stop=False, steps=300)
    assert found[-1].point.step == 300
    assert found[-1].place.solved


def test_the_exam_that_is_told_is_that_of_whom_is_kept_though_a_later_one_failed():
    found = looks(early_stop=False, steps=300)
    place = found[-1].place
    passed = place.sittings[-1]
    failed = replace(passed, step=passed.step + 1, solved=False, rows=())
    assert passed.solved and passed.rows
    assert replace(place, sittings=(passed, failed)).rows == passed.rows
    assert replace(place, sittings=(failed, replace(failed, step=0, rows=passed.rows))).rows == ()
    assert replace(place, sittings=()).rows == place.best.rows


def test_what_is_kept_is_the_best_by_validation():
    found = looks(steps=120, exam=HARD, learning_rate=0.3)
    marks = [(look.point.validation_wrong_bits, look.point.validation_bits) for look in found[1:]]
    best = marks.index(min(marks))
    assert found[-1].place.best.step == found[1 + best].point.step
    assert found[-1].place.best.mark == marks[best]


def test_the_exam_is_sat_only_once_validation_is_passed_and_then_where_the_mark_has_fallen():
    found = looks(steps=220, exam=HARD, validate_every=5)
    assert not found[-1].place.solved
    sat = [look for look in found if look.sitting is not None]
    assert 2 <= len(sat) < sum(look.validated.passed for look in found)
    assert len(found[-1].place.sittings) == len(sat)
    assert [look.point.sat for look in sat] == [False] * len(sat)
    for look in found:
        assert look.validated.passed or look.sitting is None
    marks = [each.mark for each in found[-1].place.sittings]
    for before, after in zip(marks[:-1], marks[1:-1], strict=False):
        assert after[1] <= 0.75 * before[1]
    assert found[-1].place.best.step == found[-1].place.sittings[-1].step


def test_after_one_has_passed_the_exam_only_another_that_has_is_kept():
    found = looks(early_stop=False, steps=200, validate_every=10)
    place = found[-1].place
    passed = [sitting.step for sitting in place.sittings if sitting.solved]
    assert place.best.step in passed


def test_where_nothing_decides_it_goes_on_to_the_last_step():
    reported = [{key: PART[key] for key in ("name", "rows", "sequences")}]
    found = looks(steps=60, exam=reported)
    assert found[-1].point.step == 60


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
@pytest.mark.parametrize("controller", ["dense", "lstm"])
def test_it_goes_on_from_any_look_as_it_went_on_then(optimiser, controller):
    told = {"optimiser": optimiser, "machine": {"controller": controller}, "exam": HARD}
    told |= {"steps": 90, "schedule": "cosine", "warmup": 10, "early_stop": False}
    whole = looks(**told)
    for start, look in enumerate(whole[:-1]):
        lessons, genome = lesson(**told)
        words = json.loads(json.dumps(look.place.words, allow_nan=False))
        place = read_place(words, look.place.tensors, lessons.descent)
        assert plain(place) == plain(look.place)
        again = list(tune(lessons, genome, place))
        assert [plain(each.place) for each in again] == [
            plain(each.place) for each in whole[start + 1 :]
        ]


def test_what_is_over_does_not_go_on():
    last = looks(steps=20)[-1].place
    assert list(tune(*lesson(steps=20), last)) == []


def test_another_seed_means_other_sequences_and_the_seed_of_evolution_is_the_usual_one():
    one, same, other = (looks(steps=20, seed=seed)[-1] for seed in (None, 1, 2))
    assert plain(one.place) == plain(same.place)
    assert one.point.bits != other.point.bits


def test_rows_are_drawn_anew_for_every_step():
    lessons, _ = lesson()
    drawn = {lessons.met(step, 0)[1] for step in range(40)}
    assert drawn == {5, 6, 7}
    others, _ = lesson(rows=[8, 9])
    assert {others.met(step, 0)[1] for step in range(40)} == {8, 9}


def test_rows_are_those_of_the_stage_unless_tuning_has_its_own():
    larger = [STAGES[0], {**STAGES[1], "rows": 11}]
    lessons, _ = lesson(curriculum=larger)
    assert {lessons.met(step, 0)[1] for step in range(40)} == {5, 6, 7}
    assert {lessons.met(step, 1)[1] for step in range(40)} == {11}
    plain, _ = lesson(curriculum=larger, rows=8)
    assert plain.met(0, 1)[1] == 8


def test_rows_that_a_shift_reaches_beyond_are_refused():
    with pytest.raises(ExperimentError, match="finetune.rows: expected at least 2 rows"):
        parse(told(rows=1, machine={"bounds": {"shifts": [3, 5]}}))


STAGES = [
    {"with": {"longest": 1}, "until": {"wrong_bits": 0.0}},
    {"with": {"longest": 2}},
]


def test_stages_open_as_they_are_passed():
    found = looks(curriculum=STAGES, batch=1)
    assert found[0].place.stage == 0
    assert found[-1].place.stage == 1
    assert [look.opened for look in found if look.opened] == [(1,)]
    lessons, _ = lesson(curriculum=STAGES, batch=1)
    assert {len(lessons.met(step, 0)[0].inputs) for step in range(30)} == {3}
    assert {len(lessons.met(step, 1)[0].inputs) for step in range(30)} == {3, 5}


def test_who_can_do_a_stage_already_need_not_repeat_it():
    genome = looks()[-1].place.best
    lessons, founder = lesson(curriculum=STAGES)
    first = next(tune(lessons, founder.with_genes(genome.genes)))
    assert first.place.stage == 1 and first.opened == (1,)


def test_without_the_curriculum_there_is_only_its_last_stage():
    lessons, genome = lesson(curriculum=STAGES, batch=1)
    settings = lessons.settings.model_copy(update={"curriculum": False, "steps": 20})
    lessons = Lesson(lessons.experiment, settings, lessons.school, lessons.descent, map)
    assert {len(lessons.met(step, 0)[0].inputs) for step in range(30)} == {3, 5}
    found = list(tune(lessons, genome))
    assert all(not look.opened for look in found)
    assert {look.point.stage for look in found} == {1}


@dataclass(frozen=True)
class Stumbling(Descent):
    """Loses its way in some steps, where something is no number."""

    at: range = range(30, 31)
    lost: str = "bits"

    def step(self, standing, episodes, rows):
        after, slope = super().step(standing, episodes, rows)
        if after.step not in self.at:
            return after, slope
        lost = {"steady": ~slope.steady, self.lost: slope.bits * torch.nan}
        return standing._replace(step=after.step), slope._replace(**lost)


def stumbled(at, lost="bits", count=1, **changes):
    lessons, genome = lesson(**changes)
    way = descent_of(genome, lessons.settings, epsilon=0.01, backend=choose())
    way = Stumbling(**{**vars(way), "at": range(at, at + count), "lost": lost})
    return list(
        tune(Lesson(lessons.experiment, lessons.settings, lessons.school, way, map), genome)
    )


def test_where_the_cost_is_no_number_it_ends_says_where_and_keeps_the_best():
    found = stumbled(30, exam=HARD)
    last = found[-1].place
    assert last.diverged == 30 and last.over
    assert [look.point.step for look in found] == [0, 20, 29]
    assert found[-1].point.sequences == 29 * 8
    assert last.best is not None


def test_a_step_whose_gradient_alone_is_no_number_is_left_out():
    found = stumbled(30, lost="norm", count=STRAYS, exam=HARD)
    last = found[-1]
    assert last.place.diverged is None
    assert last.point.sequences == last.point.step * 8
    assert last.place.standing.step == last.point.step > 30 + STRAYS
    assert all(isfinite(look.point.norm) for look in found[1:])
    assert found[2].met == 20 * 8


@pytest.mark.parametrize("every", [20, 5])
def test_many_such_steps_in_a_row_are_no_accident(every):
    found = stumbled(30, lost="norm", count=STRAYS + 1, exam=HARD, validate_every=every)
    assert found[-1].place.diverged == 30 + STRAYS


def test_what_diverges_in_its_first_step_has_nothing_to_keep():
    found = stumbled(1)
    assert [look.point.step for look in found] == [0, 0]
    assert found[-1].place.diverged == 1 and found[-1].place.best is None


class Deaf(School):
    """Hears no number from anybody who has moved."""

    def validate(self, generation, individual, spread):
        told = super().validate(generation, individual, spread)
        lost = told.validation._replace(bits=inf)
        return replace(told, validation=lost) if generation else told


def test_what_answers_no_numbers_is_not_kept():
    lessons, genome = lesson(steps=40)
    lessons = replace(lessons, school=Deaf(**vars(lessons.school)))
    last = list(tune(lessons, genome))[-1]
    assert last.place.over and last.point.step == 40
    assert last.place.best is None and last.place.sittings == ()


def test_it_ends_when_its_time_is_over():
    found = looks(minutes=1e-9, steps=10**6)
    assert [look.point.step for look in found] == [0, 1]
    assert found[-1].place.over


def test_a_tied_genome_is_tuned_by_its_genes_or_untied():
    machine = {"units": [8], "encoding": "tied"}
    for encoding, expected in (("genes", "tied"), ("wires", "direct")):
        lessons, genome = lesson(machine=machine, encoding=encoding, steps=20)
        assert genome.encoding == "tied"
        last = list(tune(lessons, genome))[-1]
        assert lessons.descent.genome(last.place.standing).encoding == expected
        assert len(last.place.best.genes) == len(
            genome.weights if expected == "direct" else genome.genes
        )


def test_the_same_machine_is_the_same_whatever_others_do():
    genome = genome_of(lesson()[0].experiment, seed=2)
    one, other = (list(tune(*lesson(genome=genome, steps=20)))[-1] for _ in range(2))
    assert plain(one.place) == plain(other.place)
