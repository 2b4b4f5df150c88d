"""Exact tests: against scipy, and by hand where scipy does not go."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from evo_ntm.reports.comparison.contrasts import (
    Balance,
    balance,
    balance_of_all,
    holm,
    rank_sum_test,
    sign_test,
    signed_rank_test,
    table_test,
    twice_the_ranks,
)

FEW = some.integers(0, 12)
TIED = some.lists(some.tuples(some.integers(0, 6), some.integers(0, 6)), min_size=5, max_size=9)


@given(FEW, FEW)
def test_the_sign_test_is_a_binomial_test(more, fewer):
    told = stats.binomtest(more, more + fewer).pvalue if more + fewer else 1.0
    assert sign_test(more, fewer) == pytest.approx(told)


@given(some.integers(0, 400), some.integers(0, 400))
def test_the_sign_test_takes_many_pairs(more, fewer):
    assert 0 < sign_test(more, fewer) <= 1


@given(some.lists(some.integers(-200, 200).filter(bool), min_size=5, max_size=30, unique_by=abs))
def test_the_signed_rank_test_is_exact(gaps):
    told = stats.wilcoxon(gaps, method="exact").pvalue
    assert signed_rank_test(gaps, [0] * len(gaps)) == pytest.approx(told)


@given(TIED)
def test_the_signed_rank_test_is_exact_with_ties(pairs):
    one, other = np.array(pairs, float).T
    every = stats.PermutationMethod(n_resamples=np.inf)
    unlike = (one - other)[one != other]
    told = stats.wilcoxon(unlike, method=every).pvalue if len(unlike) > 1 else 1.0
    assert signed_rank_test(one, other) == pytest.approx(told)


def test_many_pairs_are_tested_by_the_normal_law():
    stream = np.random.default_rng(3)
    one, other = stream.integers(0, 50, (2, 150)).astype(float)
    told = stats.wilcoxon(one, other + 3, correction=True, method="asymptotic").pvalue
    assert signed_rank_test(one, other + 3) == pytest.approx(told)
    assert signed_rank_test(one, one) == 1.0


@given(some.lists(some.integers(0, 9), min_size=3, max_size=5),
       some.lists(some.integers(0, 9), min_size=3, max_size=5))  # fmt: skip
def test_the_rank_sum_test_is_exact_with_ties(one, other):
    every = stats.PermutationMethod(n_resamples=np.inf)
    told = stats.mannwhitneyu(one, other, method=every).pvalue
    assert rank_sum_test(one, other) == pytest.approx(told)


@given(some.permutations(range(40)), some.integers(5, 35))
def test_the_rank_sum_test_is_exact(numbers, size):
    told = stats.mannwhitneyu(numbers[:size], numbers[size:], method="exact").pvalue
    assert rank_sum_test(numbers[:size], numbers[size:]) == pytest.approx(told)


def test_many_runs_are_tested_by_the_normal_law():
    stream = np.random.default_rng(4)
    one, other = stream.integers(0, 60, 70), stream.integers(10, 70, 90)
    told = stats.mannwhitneyu(one, other, method="asymptotic").pvalue
    assert rank_sum_test(one, other) == pytest.approx(told)
    assert rank_sum_test([1.0] * 60, [1.0] * 60) == 1.0


@given(FEW, FEW, FEW, FEW)
def test_the_test_of_a_table_is_fishers(a, b, c, d):
    told = stats.fisher_exact([[a, b], [c, d]]).pvalue
    assert table_test((a, b), (c, d)) == pytest.approx(told)


def test_who_did_not_solve_counts_as_the_largest_and_two_of_them_as_equal():
    one, other = [10, inf, 30, inf, 20, 15], [20, 40, inf, inf, 25, 10]
    every = stats.PermutationMethod(n_resamples=np.inf)
    told = stats.wilcoxon([-10, 1e6, -1e6, -5, 5], method=every)
    assert signed_rank_test(one, other) == pytest.approx(told.pvalue)
    told = stats.mannwhitneyu(*(np.minimum(each, 1e6) for each in (one, other)), method=every)
    assert rank_sum_test(one, other) == pytest.approx(told.pvalue)
    assert balance_of_all(one, other).a12 == pytest.approx(1 - told.statistic / 36)
    assert balance(one, other) == Balance(less=3, more=2, equal=1)
    assert balance(one, other).a12 == pytest.approx(3.5 / 6)


@given(some.lists(some.integers(0, 5), min_size=1), some.lists(some.integers(0, 5), min_size=1))
def test_a12_is_the_statistic_of_mann_and_whitney_as_a_share(one, other):
    told = stats.mannwhitneyu(one, other, method="asymptotic").statistic
    assert balance_of_all(one, other).a12 == pytest.approx(1 - told / (len(one) * len(other)))
    less, more, equal = balance_of_all(one, other)
    assert balance_of_all(other, one) == (more, less, equal)


@given(some.lists(some.floats(0, 9) | some.just(inf)))
def test_ranks_are_scipys(numbers):
    assert twice_the_ranks(numbers) == [2 * rank for rank in stats.rankdata(numbers)]


def test_holm_corrects_for_how_many_tests_there_are():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == [] and holm([0.2]) == [0.2] and holm([0.9, 0.8]) == [1.0, 1.0]


@given(some.lists(some.floats(0, 1), max_size=8))
def test_corrected_chances_keep_their_order_and_are_no_smaller(chances):
    corrected = holm(chances)
    assert all(0 <= came <= told <= 1 for came, told in zip(chances, corrected, strict=True))
    order = sorted(range(len(chances)), key=chances.__getitem__)
    assert [corrected[n] for n in order] == sorted(corrected)
