"""How often runs solve their task, and what that costs, with what is not known of both.

The cost to solve is infinite for a run that did not solve its task: it may be anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from statistics import NormalDist

import numpy as np

from evo_ntm.seeds import derive

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
FEWEST = 5  # runs, or pairs of them, to resample or to test
RESAMPLES, AT_ONCE = 10_000, 500


@dataclass(frozen=True)
class Interval:
    """Where something lies with 95 % confidence."""

    low: float
    high: float


@dataclass(frozen=True)
class Cost:
    """What it costs to solve a task, in one measure.

    `expected` is the expected running time: what all runs cost, failures included, over how many
    solved the task; infinite where none did. `interval` is None of fewer than 5 runs. `lower`,
    `median` and `upper` are the quartiles of the cost to solve, infinite where too few did.
    """

    total: float
    expected: float
    interval: Interval | None
    lower: float
    median: float
    upper: float


def solve_rate(solved: int, runs: int) -> Interval:
    """Give the interval of a share after Wilson (1927)."""
    if not runs:
        return Interval(0.0, 1.0)
    share, part = solved / runs, Z * Z / runs
    middle = (share + part / 2) / (1 + part)
    half = Z / (1 + part) * sqrt(share * (1 - share) / runs + part / (4 * runs))
    # Exactly 0 and 1 at the ends, where rounding would leave a little of either.
    low = 0.0 if not solved else middle - half
    return Interval(low, 1.0 if solved == runs else middle + half)


def cost(costs: Sequence[float], solved: Sequence[bool]) -> Cost:
    """Tell what it costs to solve a task, of runs that all cost and partly solved it."""
    to_solve = sorted(each if done else inf for each, done in zip(costs, solved, strict=True))
    lower, median, upper = (quantile(to_solve, share) for share in (0.25, 0.5, 0.75))
    expected = expected_running_time(costs, solved)
    interval = resampled(costs, solved) if len(costs) >= FEWEST and any(solved) else None
    return Cost(sum(costs), expected, interval, lower, median, upper)


def expected_running_time(costs: Sequence[float], solved: Sequence[bool]) -> float:
    """Divide what all runs cost by how many solved the task; after Hansen et al. (2021), COCO."""
    return sum(costs) / sum(solved) if any(solved) else inf


def resampled(costs: Sequence[float], solved: Sequence[bool]) -> Interval:
    """Give the percentile interval of the expected running time, over 10,000 bootstrap samples.

    The draws depend on nothing but how many runs there are.
    """
    spent, done = np.asarray(costs, np.float64), np.asarray(solved, np.int64)
    expected: list[float] = []
    for slot in range(RESAMPLES // AT_ONCE):
        stream = derive(0, "expected running time", generation=len(spent), slot=slot)
        drawn = stream.integers(0, len(spent), (AT_ONCE, len(spent)))
        totals, counts = spent[drawn].sum(axis=1), done[drawn].sum(axis=1)
        expected += np.where(counts > 0, totals / np.maximum(counts, 1), inf).tolist()
    expected.sort()
    outside = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return Interval(expected[outside], expected[-1 - outside])


def quantile(ordered: Sequence[float], share: float) -> float:
    """Give a quantile of numbers in order, between two of them if need be; some may be infinite."""
    if not ordered:
        return inf
    place = share * (len(ordered) - 1)
    low, high = ordered[int(place)], ordered[ceil(place)]
    return low if low == high else low + (high - low) * (place % 1)


def held(steps: Sequence[tuple[float, float]], place: float) -> float:
    """Give the value of the last step up to a place; before the first one it is infinite."""
    return next((value for begin, value in reversed(steps) if begin <= place), inf)


def solved_by(costs: Sequence[float], solved: Sequence[bool]) -> tuple[tuple[float, float], ...]:
    """List what share of all runs has solved the task by what cost, a step for each that has."""
    ordered = sorted(each for each, done in zip(costs, solved, strict=True) if done)
    last = {each: number for number, each in enumerate(ordered, start=1)}
    return tuple((each, number / len(costs)) for each, number in last.items())
