"""What can be read out of vectors by a linear rule that is fitted on other sequences."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Booleans = NDArray[np.bool_]

LEAST = 20  # vectors, on either side
RIDGE = 1e-3


class Readout(NamedTuple):
    """Which share of bits comes out right on held-out sequences, and what a constant would get."""

    right: float
    chance: float

    @property
    def gained(self) -> float:
        """Tell how much of what a constant gets wrong comes out right: 1 all, 0 or less nothing."""
        return (self.right - self.chance) / max(1 - self.chance, 1e-9)


def readout(vectors: Numbers, bits: Booleans, held_out: Booleans) -> Readout | None:
    """Read bits [n, C] out of vectors [n, M]; None where there are too few, or nothing to tell."""
    if min(held_out.sum(), (~held_out).sum()) < LEAST:
        return None
    rule, mean = _fit(vectors[~held_out], bits[~held_out].astype(np.float64))
    said = (vectors[held_out] - mean) @ rule[:-1] + rule[-1] > 0.5
    asked = bits[held_out]
    share = asked.mean(0)
    chance = float(np.maximum(share, 1 - share).mean())
    return Readout(float((said == asked).mean()), chance) if chance < 1 else None


def explained(value: Numbers, rows: NDArray[np.int64], count: int) -> float:
    """Tell which share of the spread of rows on a ring of so many goes with a value.

    1 where the value decides on the row, 0 where rows are as far apart among like values as among
    all: one less the circular variance within tenths of the value over that of all.
    """
    turned = np.exp(2j * np.pi * rows / count)
    every = 1 - abs(turned.mean())
    if len(rows) < 10 * LEAST or every < 1e-6:
        return 0.0
    tenths = np.array_split(turned[np.argsort(value, kind="stable")], 10)
    within = np.mean([1 - abs(tenth.mean()) for tenth in tenths])
    return float(max(1 - within / every, 0.0))


def _fit(vectors: Numbers, bits: Numbers) -> tuple[Numbers, Numbers]:
    mean = vectors.mean(0)
    known = np.hstack([vectors - mean, np.ones((len(vectors), 1))])
    scale = max(float(np.square(vectors - mean).mean()), 1e-12)
    damped = known.T @ known + RIDGE * scale * len(known) * np.eye(known.shape[1])
    return np.linalg.solve(damped, known.T @ bits), mean
