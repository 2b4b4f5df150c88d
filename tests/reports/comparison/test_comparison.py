"""Groups beside each other: what is tested and what is not, and what is warned of."""

from math import inf

import pytest
from scipy import stats

from evo_ntm.reports.comparison.comparison import beside
from tests.reports.comparison.cases import HERE, compared, experiment, run, series

FAST, SLOW = [30, 20, 40, 25, 35, 45, 15, 50], [70, 60, 90, 65, 45, 75, 55, 80]


def by_question(contrast):
    return {test.question: test for test in contrast.tests}


def test_runs_of_the_same_seed_are_compared_in_pairs():
    told = compared(series(experiment(population=24), FAST, unsolved=(3,)),
                    series(experiment(population=32), SLOW, unsolved=(1, 2, 3, 8)))  # fmt: skip
    (contrast,) = told.contrasts
    assert contrast.paired and contrast.seeds == tuple(range(1, 9)) and not contrast.refused
    assert contrast.least == pytest.approx(2 / 2**8)
    tests = by_question(contrast)
    assert tests["solved"].p == pytest.approx(stats.binomtest(3, 3).pvalue)
    assert (tests["solved"].better, tests["solved"].worse, tests["solved"].equal) == (3, 0, 5)
    gaps = [-1e9, -1e9, -1e9, *(FAST[n] - SLOW[n] for n in (3, 4, 5, 6))]
    every = stats.PermutationMethod(n_resamples=inf)
    assert tests["evaluations"].p == pytest.approx(stats.wilcoxon(gaps, method=every).pvalue)
    assert tests["evaluations"].a12 == pytest.approx((7 + 0.5) / 8)
    assert tests["seconds"].p == tests["timesteps"].p == tests["evaluations"].p


def test_runs_without_a_common_seed_are_compared_without_pairs():
    later = series(experiment(population=32), SLOW, unsolved=(11, 12), first=11)
    told = compared(series(experiment(population=24), FAST), later)
    (contrast,) = told.contrasts
    assert not contrast.paired and contrast.seeds == () and contrast.runs == (8, 8)
    tests = by_question(contrast)
    assert tests["solved"].p == pytest.approx(stats.fisher_exact([[8, 0], [6, 2]]).pvalue)
    slow = [1e9, 1e9, *SLOW[2:]]
    every = stats.PermutationMethod(n_resamples=inf)
    told = stats.mannwhitneyu(FAST, slow, method=every)
    assert tests["evaluations"].p == pytest.approx(told.pvalue)
    assert tests["evaluations"].a12 == pytest.approx(1 - told.statistic / 64)
    assert {test.name for test in contrast.tests} == {"Fisher's exact test", "Mann-Whitney test"}


@pytest.mark.parametrize(
    ("first", "runs", "why"),
    [
        (1, 4, "4 common seeds"),
        (8, 8, "1 common seed"),
        (20, 4, "8 and 4 runs without a common seed"),
    ],
)
def test_nothing_is_tested_where_there_are_too_few_runs(first, runs, why):
    told = compared(series(experiment(population=24), FAST),
                    series(experiment(population=32), SLOW[:runs], first=first))  # fmt: skip
    (contrast,) = told.contrasts
    assert contrast.tests == ()
    assert contrast.refused == f"no test is possible with {why}: it takes at least 5"


def test_what_is_tested_of_many_groups_is_corrected_for_how_many_they_are():
    told = compared(*(series(experiment(population=24 + 2 * n), [cost + 10 * n for cost in FAST])
                      for n in range(3)))  # fmt: skip
    assert len(told.contrasts) == 3
    for question in ("solved", "evaluations"):
        tests = [by_question(contrast)[question] for contrast in told.contrasts]
        least = min(tests, key=lambda test: test.p)
        assert least.corrected == pytest.approx(min(1, 3 * least.p))
        assert all(test.p <= test.corrected <= 1 for test in tests)


def test_one_run_is_a_group_of_its_own():
    told = compared(series(experiment(), [30]))
    assert len(told.groups) == 1 and told.contrasts == () == told.warnings == told.differences
    assert told.groups[0].costs["evaluations"].expected == 30
    assert told.groups[0].costs["evaluations"].interval is None


def test_runs_that_have_not_ended_are_in_no_figure_and_told_of():
    one = experiment()
    cut = [run(one, seed, 2 + seed, "interrupted") for seed in (4, 5)]
    told = compared(series(one, [10, 20]), [run(one, 3, 5, "running")], cut)
    (group,) = told.groups
    assert len(group.results) == 5 and len(group.ended) == group.solved == 2
    assert group.costs["evaluations"].total == 30
    so = "in no figure: what ends early weighs more until all have ended"
    assert told.warnings == (
        f"copy: 1 run (seed 3) running, {so}",
        f"copy: 2 runs (seeds 4, 5) interrupted, {so}",
    )


def test_tasks_that_differ_are_warned_of():
    told = compared(series(experiment(), FAST),
                    series(experiment(changes=["exam.parts.0.rows=6"]), SLOW))  # fmt: skip
    one, other = told.groups
    assert one.task_hash != other.task_hash
    assert told.warnings == (
        f"tasks differ, and so do exams (task {one.task_hash[:8]} in copy, parts.0.rows 5; "
        f"task {other.task_hash[:8]} in copy, parts.0.rows 6): each group solves its own",
    )


def test_budgets_that_differ_are_warned_of_where_it_matters():
    short, long = experiment(generations=12), experiment(generations=40)
    gave_up = series(short, [40] * 5, unsolved=(1, 2))
    told = compared(gave_up, series(long, [30, 90, 20, 20, 20]))
    assert told.warnings == (
        "budgets differ: some gave up before others solved their task, yet count as slowest "
        "(after 40 in copy, generations 12; solved after up to 90 evaluations)",
    )
    assert not compared(gave_up, series(long, [40] * 5)).warnings


def test_evaluations_of_different_numbers_of_episodes_are_warned_of():
    told = compared(series(experiment(episodes=8), FAST), series(experiment(episodes=16), SLOW))
    assert told.warnings == (
        "an evaluation is of a different number of episodes (8 in copy, episodes 8; 16 in copy, "
        "episodes 16): compare sequence-timesteps",
    )


def test_runs_that_were_not_computed_alike_are_warned_of():
    elsewhere = {**HERE, "threads": "4", "evo_ntm": "0.0.1"}
    told = compared(series(experiment(), FAST),
                    series(experiment(population=32), SLOW, computed=elsewhere))  # fmt: skip
    assert told.warnings == (
        "runs were not computed alike (evo_ntm 0.0.1 or here): births may differ for that alone",
        "runs were not computed alike (threads 4 or here): seconds cannot be compared",
    )


def test_an_exam_that_nobody_passes_is_told_of_and_not_tested():
    only = experiment(changes=["exam.parts.0.at_most=null"])
    told = compared(series(only, FAST, unsolved=range(9)), series(experiment(), SLOW))
    assert told.warnings[0] == (
        "copy, parts.0.at_most.wrong_bits none: its exam is only reported: nobody passes it, so "
        "nobody solves it"
    )
    assert told.contrasts[0].refused.startswith(
        "nothing can be tested, as an exam is only reported"
    )


def test_what_was_warned_of_before_comes_first():
    assert beside(series(experiment(), [30]), ["left out: one"]).warnings == ("left out: one",)
