"""Lexicase selection: a parent is the best of all at some episode, and then at another.

A mean lets whoever does well on average win everywhere, and what only few can do dies out. Here
whoever alone can do it wins wherever that episode is asked first.
Source: Helmuth, Spector and Matheson (2015); within a deviation La Cava, Spector and Danai (2016).
"""

import numpy as np
from numpy.typing import NDArray

from evo_ntm.seeds import Generator

Worths = NDArray[np.float64]


def lexicase(worths: Worths, slack: Worths, count: int, *, generator: Generator) -> list[int]:
    """Choose so many rows of `worths` [rows, episodes], each by episodes in an order of its own.

    Who lacks more than the `slack` [episodes] of the best of those left at an episode is left out;
    of several who are left at the end one is drawn.
    """
    orders = np.argsort(generator.random((count, worths.shape[1])))
    return [
        _chosen(worths, slack, order, float(tie))
        for order, tie in zip(orders, generator.random((count,)), strict=True)
    ]


def deviation(worths: Worths) -> Worths:
    """Give the median absolute deviation of each column, of the numbers that are finite."""
    finite = np.where(np.isfinite(worths), worths, np.nan)
    some = np.isfinite(worths).any(0)
    finite[:, ~some] = 0.0
    lacks: Worths = np.abs(finite - np.nanmedian(finite, axis=0))
    return np.asarray(np.nanmedian(lacks, axis=0))


def _chosen(worths: Worths, slack: Worths, order: NDArray[np.int64], tie: float) -> int:
    left = np.arange(len(worths))
    for episode in order:
        found = worths[left, episode]
        left = left[found >= found.max() - slack[episode]]
        if len(left) == 1:
            break
    return int(left[int(tie * len(left))])
