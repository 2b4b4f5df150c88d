"""How often runs solve their task and what it costs: against scipy, and by hand."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from evo_ntm.reports.comparison.rates import (
    Interval,
    cost,
    expected_running_time,
    held,
    quantile,
    resampled,
    solve_rate,
    solved_by,
)

COSTS = [120.0, 80.0, 300.0, 40.0, 300.0, 95.0, 210.0, 300.0]
SOLVED = [True, True, False, True, False, True, True, False]


@given(
    some.integers(1, 300).flatmap(lambda runs: some.tuples(some.integers(0, runs), some.just(runs)))
)
def test_the_interval_of_a_rate_is_wilsons(counts):
    solved, runs = counts
    told = stats.binomtest(solved, runs).proportion_ci(method="wilson")
    found = solve_rate(solved, runs)
    assert (found.low, found.high) == pytest.approx((told.low, told.high), abs=1e-12)


def test_nothing_is_known_of_a_rate_without_runs():
    assert solve_rate(0, 0) == Interval(0.0, 1.0)
    assert solve_rate(0, 7).low == 0 and solve_rate(7, 7).high == 1


def test_failures_are_paid_for_by_those_that_solve():
    assert expected_running_time([10, 20, 70], [True, True, False]) == 50
    assert expected_running_time([10, 20], [True, True]) == 15
    assert expected_running_time([10, 20], [False, False]) == inf


def test_the_interval_of_the_expected_running_time_is_that_of_a_bootstrap():
    def expected(spent, done, axis):
        return spent.sum(axis) / np.maximum(done.sum(axis), 1e-6)

    told = stats.bootstrap(
        (COSTS, np.array(SOLVED, float)), expected, paired=True, method="percentile",
        n_resamples=20_000, vectorized=True, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    found = resampled(COSTS, SOLVED)
    assert found.low == pytest.approx(told.low, rel=0.02)
    assert found.high == pytest.approx(told.high, rel=0.05)
    assert found.low < expected_running_time(COSTS, SOLVED) < found.high


def test_the_interval_is_open_where_runs_might_all_have_failed():
    assert resampled([50, 100, 100, 100, 100], [True] + [False] * 4).high == inf


def test_the_interval_is_the_same_every_time_and_never_drawn_of_few_runs():
    assert resampled(COSTS, SOLVED) == resampled(COSTS, SOLVED)
    assert cost(COSTS[:4], SOLVED[:4]).interval is None
    assert cost(COSTS, [False] * 8).interval is None
    assert cost(COSTS, SOLVED).interval == resampled(COSTS, SOLVED)


def test_the_interval_covers_what_is_expected_about_as_often_as_it_says():
    # Runs that solve with one chance in two at 100, and fail at 200, are expected to cost 300.
    stream, covered = np.random.default_rng(5), 0
    for _ in range(40):
        solved = (stream.random(40) < 0.5).tolist()
        found = resampled([100.0 if done else 200.0 for done in solved], solved)
        covered += found.low <= 300 <= found.high
    assert 34 <= covered <= 40


@given(
    some.lists(some.floats(0, 1e6), min_size=1, max_size=40), some.sampled_from([0.25, 0.5, 0.75])
)
def test_quantiles_are_numpys_where_all_is_finite(numbers, share):
    assert quantile(sorted(numbers), share) == pytest.approx(np.quantile(numbers, share))


def test_quantiles_are_infinite_where_too_few_solve():
    told = cost(COSTS, SOLVED)
    assert (told.lower, told.median) == (91.25, 165.0)
    assert told.upper == inf and told.total == sum(COSTS)
    assert quantile([1.0, inf], 0.5) == inf == quantile([], 0.5)
    assert cost([], []).expected == inf


def test_the_share_that_has_solved_rises_with_each_run_that_did():
    assert solved_by([30, 10, 50, 30], [True, True, False, True]) == ((10, 0.25), (30, 0.75))
    assert solved_by([5, 5], [False, False]) == ()


@given(some.lists(some.tuples(some.integers(1, 9), some.booleans()), min_size=1))
def test_the_share_ends_at_the_rate(runs):
    costs, solved = zip(*runs, strict=True)
    steps = solved_by(costs, solved)
    told = stats.ecdf([each if done else 1e9 for each, done in runs]).cdf
    assert [share for _, share in steps] == pytest.approx(told.evaluate([at for at, _ in steps]))
    assert (steps[-1][1] if steps else 0) == pytest.approx(sum(solved) / len(solved))


def test_what_is_held_at_a_place_is_the_last_step_up_to_it():
    steps = [(10, 5.0), (30, 2.0), (40, 0.5)]
    places = [9, 10, 29, 30, 39, 40, 1e9]
    assert [held(steps, place) for place in places] == [inf, 5.0, 5.0, 2.0, 2.0, 0.5, 0.5]
    assert held([], 10) == inf
