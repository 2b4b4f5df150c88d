"""The hardest episodes: which are chosen, and that everything else stays as it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.cohort import gather
from evo_ntm.evolution.evaluate import Chunk, score_chunk, unscored
from evo_ntm.evolution.hardest import with_hardest
from evo_ntm.evolution.school import school
from evo_ntm.experiment import parse
from evo_ntm.experiment.evolution import Hardest
from evo_ntm.machine import choose
from evo_ntm.seeds import derive
from evo_ntm.tasks import join, make, pick
from tests.evolution.cases import STRATEGIES, births, experiment, generations, task_of, told

HARDEST = {"episodes": 3, "among": 20}
every = pytest.mark.parametrize("strategy", STRATEGIES)


def lesson(**changes):
    asked = experiment(**changes)
    lessons = school(asked, task_of(asked), choose())
    jobs = [*generations(experiment(generations=1))[0].individuals]
    return lessons.trial(asked, 4, 0), jobs


def in_two_stages(**changes):
    """Let everybody be shown all of the task after the first look at them."""
    stages = [{"with": {"longest": 1}, "until": {"wrong_bits": 9}}, {"with": {}}]
    return parse({**told("genetic", **changes), "curriculum": stages})


def test_what_costs_the_first_machine_most_takes_the_last_places():
    trial, jobs = lesson()
    chosen, steps = with_hardest(trial, Hardest(**HARDEST), 1, 4, jobs, map)
    before, after = trial.episodes, chosen.episodes
    assert len(after.lengths) == len(before.lengths) == 8
    assert after.lengths[:5] == before.lengths[:5]
    kept = min(len(before.inputs), len(after.inputs))
    assert torch.equal(after.inputs[:kept, :5], before.inputs[:kept, :5])

    many = trial.task.episodes(derive(1, "hardest", 4), 20)
    alone = [
        score_chunk(Chunk(replace(trial, episodes=pick(many, [lane])), gather(jobs[:1]), 0, 1))
        for lane in range(20)
    ]
    costs = np.array([-each.fitness[0] for each in alone])
    hardest = np.argsort(-costs, kind="stable")[:3]
    assert after.lengths[5:] == tuple(many.lengths[lane] for lane in hardest)
    for place, lane in enumerate(hardest, start=5):
        length = many.lengths[lane]
        assert torch.equal(after.targets[:length, place], many.targets[:length, lane])
        assert not after.scored[length:, place].any()
    assert steps == sum(many.lengths)


def test_who_answers_nothing_that_is_a_number_finds_every_sequence_as_hard():
    trial, jobs = lesson()
    broken = jobs[0].genome.with_genes(np.full_like(jobs[0].genome.genes, 1e38))
    cohort = gather([type(jobs[0])(broken, operators=())])
    told_each = score_chunk(Chunk(replace(trial, each=True), cohort, 0, 1))
    assert np.isneginf(told_each.worths).any()
    broken = type(jobs[0])(broken, operators=())
    chosen, _ = with_hardest(trial, Hardest(**HARDEST), 1, 4, [broken], map)
    assert len(chosen.episodes.lengths) == 8


@every
def test_a_search_on_the_hardest_goes_another_way_and_always_the_same(strategy):
    plain = generations(experiment(strategy, generations=5))
    one, same = (generations(experiment(strategy, generations=5, hardest=HARDEST)) for _ in "12")
    assert births(one) == births(same) != births(plain)


def test_they_are_chosen_from_a_stage_of_the_curriculum_on_and_not_before():
    plain, late = (
        generations(in_two_stages(generations=8, validate_every=4, hardest=hardest))
        for hardest in (None, {**HARDEST, "stage": 2})
    )
    stages = [done.stage for done in plain]
    assert stages == [done.stage for done in late] == [0] * 4 + [1] * 4
    extra = [b.timesteps - a.timesteps for a, b in zip(plain, late, strict=True)]
    assert extra[:4] == [0] * 4 and all(extra[4:])
    assert births(plain[:4]) == births(late[:4])
    assert births(plain) != births(late)


def test_where_nobody_could_look_through_them_the_trial_stays_as_it_is():
    trial, jobs = lesson()
    failed = with_hardest(
        trial, Hardest(**HARDEST), 1, 4, jobs, lambda _, chunks: [unscored(chunks[0], "it hung")]
    )
    assert failed == (trial, 0)


def test_choosing_them_is_counted_among_what_was_done():
    (done,) = generations(experiment(generations=1, hardest=HARDEST))
    asked = experiment(hardest=HARDEST)
    lessons = school(asked, task_of(asked), choose())
    jobs = done.individuals
    trial, looked = with_hardest(lessons.trial(asked, 0, 0), Hardest(**HARDEST), 1, 0, jobs, map)
    assert done.timesteps == done.scored * trial.steps + looked


def test_the_sequences_answered_are_counted():
    evolve = experiment(hardest=HARDEST).evolve
    assert evolve.answered(100, {0: 2, 1: 3}) == 100 * 8 + 5 * 20
    assert experiment().evolve.answered(100, {0: 2, 1: 3}) == 800
    late = in_two_stages(hardest={**HARDEST, "stage": 2}).evolve
    assert late.answered(100, {0: 2, 1: 3}) == 100 * 8 + 3 * 20


SHORT = {"t_maze": {"trials": 1}, "season": {"years": 1}}


def lives_of(task, **settings):
    part = {"name": "lives", "rows": 4, "sequences": 8, "at_most": {"missed": 0}}
    return parse({
        **told("genetic", **settings),
        "task": task,
        "with": SHORT[task],
        "machine": {"units": [], "width": 2, "rows": 4, "tape_heads": 1},
        "exam": {"validation": [part], "parts": [part]},
    })  # fmt: skip


@pytest.mark.parametrize("task", ["t_maze", "season"])
def test_the_hardest_lives_take_the_last_places(task):
    asked = lives_of(task, hardest=HARDEST)
    lessons = school(asked, task_of(asked), choose())
    jobs = [*generations(lives_of(task, generations=1))[0].individuals]
    trial = lessons.trial(asked, 4, 0)
    chosen, steps = with_hardest(trial, Hardest(**HARDEST), 1, 4, jobs, map)
    many = trial.task.episodes(derive(1, "hardest", 4), 20)
    assert steps == sum(many.lengths)

    costs = [-score_chunk(Chunk(replace(trial, episodes=pick(many, [lane])), gather(jobs[:1]),
                                0, 1)).fitness[0] for lane in range(20)]  # fmt: skip
    hardest = np.argsort(-np.array(costs), kind="stable")[:3]
    (drawn,), (among,), (shown,) = (each.shares for each in (trial.episodes, many, chosen.episodes))
    for name, fates in shown.fates.items():
        assert torch.equal(fates[:5], drawn.fates[name][:5])
        assert torch.equal(fates[5:], among.fates[name][hardest.tolist()])
    assert len(chosen.episodes.lengths) == len(trial.episodes.lengths) == 8


def test_picked_lives_of_several_worlds_stay_with_their_worlds():
    generator = derive(1, "pick")
    single, double = make("t_maze", {"maze": "single"}), make("t_maze", {"maze": "double"})
    both = join([single.episodes(generator, 2), double.episodes(generator, 3)])
    kept = pick(both, [4, 1, 2])
    assert [share.world for share in kept.shares] == [single, double]
    assert torch.equal(kept.shares[0].fates["moved"], both.shares[0].fates["moved"][[1]])
    assert torch.equal(kept.shares[1].fates["moved"], both.shares[1].fates["moved"][[2, 0]])
    assert kept.lengths == (both.lengths[1], both.lengths[4], both.lengths[2])
    assert len(pick(both, [3]).shares) == 1


@pytest.mark.parametrize(
    ("told_of", "said"),
    [
        ({"episodes": 8, "among": 20}, "evolve.hardest.episodes: expected fewer than the episodes "
         r"of a generation \(8\), but came 8"),
        ({"episodes": 3, "among": 3}, r"evolve.hardest.among: expected more than episodes \(3\), "
         "but came 3"),
        ({"stage": 2}, "evolve.hardest.stage: expected at most 1, the stages there are, but "
         "came 2"),
        ({"stage": 0}, "evolve.hardest.stage: expected at least 1, but came 0"),
        ({"episodes": 0}, "evolve.hardest.episodes: expected at least 1, but came 0"),
        ({"amnog": 9}, "evolve.hardest.amnog: .*did you mean 'among'"),
    ],
)  # fmt: skip
def test_a_choice_that_is_none_is_refused(told_of, said):
    with pytest.raises(ExperimentError, match=said):
        experiment(hardest=told_of)


def test_a_search_without_them_keeps_its_hash():
    plain = experiment()
    assert experiment(hardest=None).config_hash == plain.config_hash
    assert experiment(hardest=HARDEST).config_hash != plain.config_hash
    late, first = (experiment(hardest={**HARDEST, "stage": stage}) for stage in (1, None))
    assert first.config_hash == experiment(hardest=HARDEST).config_hash != late.config_hash
    assert experiment(hardest=HARDEST).task_hash == plain.task_hash
