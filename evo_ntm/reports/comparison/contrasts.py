"""Tests of two samples without any assumption on how costs are distributed. All are two-sided.

Infinite costs are those of runs that did not solve their task: they count as the largest, and two
of them as equal.
"""

from collections.abc import Sequence
from itertools import groupby
from math import comb, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_EXACT = 100  # pairs, or runs of both samples, beyond which the normal law is near enough

Numbers = NDArray[np.float64]


class Balance(NamedTuple):
    """In how many pairs the first costs less, more and the same."""

    less: int
    more: int
    equal: int

    @property
    def a12(self) -> float:
        """Give the chance that the first costs less, equal ones by half.

        0.5 tells no difference; after Vargha and Delaney (2000).
        """
        return (self.less + self.equal / 2) / sum(self)


def sign_test(more: int, fewer: int) -> float:
    """Give the p-value of the exact sign test: that of McNemar's, for pairs that differ."""
    pairs = more + fewer
    tail = sum(comb(pairs, k) for k in range(min(more, fewer) + 1))
    return min(1.0, 2 * tail / (1 << pairs))


def signed_rank_test(one: Sequence[float], other: Sequence[float]) -> float:
    """Give the p-value of Wilcoxon's signed-rank test (1945) of pairs.

    Equal pairs are left out, and ties share their rank; exact up to 100 pairs.
    """
    gaps = [gap for gap in map(_gap, one, other) if gap]
    ranks = twice_the_ranks([abs(gap) for gap in gaps])
    positive = sum(rank for rank, gap in zip(ranks, gaps, strict=True) if gap > 0)
    if len(gaps) > MOST_EXACT:
        deviation = sqrt(sum(rank * rank for rank in ranks)) / 2
        return _normal(positive - sum(ranks) / 2, deviation)
    chances = np.ones(1)
    for rank in ranks:
        nothing = np.zeros(rank)
        chances = (np.append(chances, nothing) + np.append(nothing, chances)) / 2
    return _two_sided(chances, positive)


def rank_sum_test(one: Sequence[float], other: Sequence[float]) -> float:
    """Give the p-value of the test of Mann and Whitney (1947) of two samples without pairs.

    Ties share their rank; exact up to 100 runs in both together.
    """
    ranks = twice_the_ranks([*one, *other])
    chosen, size, total = sum(ranks[: len(one)]), len(ranks), sum(ranks)
    if size > MOST_EXACT:
        scatter = sum((rank - total / size) ** 2 for rank in ranks)
        deviation = sqrt(len(one) * len(other) * scatter / (size * (size - 1)))
        return _normal(chosen - len(one) * total / size, deviation)
    # How many ways there are to choose so many ranks of this sum.
    ways = np.zeros((len(one) + 1, total + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : total + 1 - rank].copy()
    return _two_sided(ways[-1] / comb(size, len(one)), chosen)


def table_test(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Give the p-value of Fisher's exact test (1922): how many did and did not in each sample."""
    did, size, first = one[0] + other[0], sum(one) + sum(other), sum(one)
    least, most = max(0, did - sum(other)), min(did, first)
    ways = {k: comb(first, k) * comb(size - first, did - k) for k in range(least, most + 1)}
    return sum(w for w in ways.values() if w <= ways[one[0]]) / comb(size, did)


def balance(one: Sequence[float], other: Sequence[float]) -> Balance:
    """Count in how many pairs the first costs less, more and the same."""
    gaps = list(map(_gap, one, other))
    return Balance(sum(gap < 0 for gap in gaps), sum(gap > 0 for gap in gaps), gaps.count(0.0))


def balance_of_all(one: Sequence[float], other: Sequence[float]) -> Balance:
    """Count the same in all ways to pair one of the first with one of the others."""
    return balance([each for each in one for _ in other], [*other] * len(one))


def holm(chances: Sequence[float]) -> list[float]:
    """Correct p-values for how many they are, after Holm (1979)."""
    corrected, highest = [0.0] * len(chances), 0.0
    for place, number in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        highest = max(highest, min(1.0, (len(chances) - place) * chances[number]))
        corrected[number] = highest
    return corrected


def twice_the_ranks(numbers: Sequence[float]) -> list[int]:
    """Rank numbers from 1, ties in the middle of their places; twice as much, to stay whole."""
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    ranks, below = [0] * len(numbers), 0
    for _, ties in groupby(order, key=numbers.__getitem__):
        alike = list(ties)
        for number in alike:
            ranks[number] = 2 * below + len(alike) + 1
        below += len(alike)
    return ranks


def _gap(one: float, other: float) -> float:
    return 0.0 if one == other else one - other


def _two_sided(chances: Numbers, came: int) -> float:
    return min(1.0, 2 * float(min(chances[: came + 1].sum(), chances[came:].sum())))


def _normal(off: float, deviation: float) -> float:
    """Give the chance to be off as much, or more, under the normal law; off is in half ranks."""
    if not deviation:
        return 1.0
    return min(1.0, 2 * NormalDist().cdf(-max(abs(off) - 1, 0.0) / deviation))
