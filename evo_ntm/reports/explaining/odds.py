"""What sets some things apart from others: shares, how much they tell, and how sure that is."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Integers = NDArray[np.int64]

SURE = 1e-3  # that any of all that was tried is chance
FEWEST = 5  # failures that must have it
APART, FAR_MORE = 0.02, 3.0  # so much must lie between the shares, or one be so many times …
TIMES = 1.5  # … the other, and this at any rate by the chances to fail
MOST = 3


class Contrast(NamedTuple):
    """Something that sets failures apart: how many have it, and which share of those fails."""

    name: str
    having: int
    share: float
    otherwise: float


def set_apart(
    failed: Booleans, predicates: Mapping[str, Booleans], chances: Integers | None = None
) -> list[Contrast]:
    """Find what failures have in common, the most telling first.

    What comes after the first is said of those only that have nothing of what came before.
    `chances` counts how often each could have failed, until it did: who has more of them fails
    sooner or later, and nothing is said of what only goes with that.
    """
    counts = np.ones(len(failed), dtype=np.int64) if chances is None else chances
    found: list[Contrast] = []
    left = np.ones(len(failed), dtype=bool)
    while len(found) < MOST:
        best, most = None, 0.0
        for name, has in predicates.items():
            contrast = _contrast(name, failed[left], has[left])
            table = _table(failed[left], has[left], counts[left])
            if contrast is None or not _apart(*table):
                continue
            told = _told(*table)
            if told > most and fisher(*table) * len(predicates) < SURE:
                best, most = contrast, told
        if best is None:
            break
        found.append(best)
        left &= ~predicates[best.name]
    return found


def _contrast(name: str, failed: Booleans, has: Booleans) -> Contrast | None:
    having, wrong = int(has.sum()), int((failed & has).sum())
    if wrong < FEWEST or having == len(failed):
        return None
    otherwise = (int(failed.sum()) - wrong) / (len(failed) - having)
    share = wrong / having
    if share < otherwise + APART and share < FAR_MORE * otherwise:
        return None
    return Contrast(name, having, share, otherwise)


def _table(failed: Booleans, has: Booleans, counts: Integers) -> tuple[int, int, int, int]:
    """Count failures and chances of those that have it, then of all."""
    wrong, wrong_of_all = int((failed & has).sum()), int(failed.sum())
    return wrong, int(counts[has].sum()), wrong_of_all, int(counts.sum())


def _apart(wrong: int, count: int, wrong_of_all: int, count_of_all: int) -> bool:
    if not 0 < count < count_of_all:
        return False
    return wrong / count >= TIMES * (wrong_of_all - wrong) / (count_of_all - count)


def fisher(wrong: int, count: int, wrong_of_all: int, count_of_all: int) -> float:
    """Tell how likely at least so many of a count would be wrong by chance alone.

    Source: Fisher's exact test, one-sided.
    """
    most = min(count, wrong_of_all)
    some = np.arange(wrong, most + 1)
    table = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count_of_all + 1)))])

    def ways(of: int, chosen: NDArray[np.int64] | int) -> NDArray[np.float64]:
        return np.asarray(table[of] - table[chosen] - table[of - chosen])

    others = count_of_all - wrong_of_all
    possible = some[count - some <= others]
    logs = ways(wrong_of_all, possible) + ways(others, count - possible)
    return float(np.exp(logs - ways(count_of_all, count)).sum())


def _told(wrong: int, count: int, wrong_of_all: int, count_of_all: int) -> float:
    """Tell how many bits about failure the answer to a question carries, over all who are asked."""

    def entropy(some: int, of: int) -> float:
        shares = np.array([some, of - some]) / max(of, 1)
        return float(-(shares * np.log2(np.maximum(shares, 1e-300))).sum() * of)

    without = entropy(wrong_of_all - wrong, count_of_all - count)
    return entropy(wrong_of_all, count_of_all) - entropy(wrong, count) - without
