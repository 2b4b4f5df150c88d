"""Laying vectors out in time: which row of a table a lane shows at which step, and blanks between.

Every function works on all steps and lanes at once; time comes first.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from evo_ntm.seeds import Generator
from evo_ntm.tasks.task import Episodes

Numbers = NDArray[np.generic]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Floats = NDArray[np.float32]


def steps(lengths: Integers) -> Integers:
    """Count the steps of the longest of some sequences, [T, 1], from 0."""
    return np.arange(lengths.max(), dtype=np.int64)[:, None]


def random_vectors(
    generator: Generator, shape: tuple[int, int, int], *, uneven: float
) -> NDArray[np.uint8]:
    """Draw vectors of fair bits, [V, B, bits]; in a share of them any number of ones is as likely.

    To a feed-forward controller a vector of zeros looks like a blank step of the answer, and one of
    few ones nearly so. By chance they are rare, so a search that is to cope with them must be shown
    more of them.
    """
    vectors = generator.bits(shape)
    if uneven:
        density = generator.random(shape[:2])[..., None]
        drawn = (generator.random(shape) < density).astype(np.uint8)
        vectors = np.where((generator.random(shape[:2]) < uneven)[..., None], drawn, vectors)
    return vectors


def show(table: Numbers, row: Integers, when: Booleans) -> Floats:
    """Show each lane the rows of its table [V, B, C] that it is to see, and blanks otherwise.

    `row` and `when` have, or broadcast to, the shape [T, B]; a blank may be of any row.
    """
    lanes = np.arange(table.shape[1])
    shown = table[np.clip(row, 0, len(table) - 1), lanes]
    return np.where(when[..., None], shown, 0).astype(np.float32)


def signal(when: Booleans, value: Numbers | float = 1.0) -> Floats:
    """Raise one channel [T, B, 1] to a value, one for all lanes or one each, at some steps."""
    return np.where(when, value, 0).astype(np.float32)[..., None]


def compose(
    inputs: list[Floats], targets: list[Floats], scored: Booleans, lengths: Integers
) -> Episodes:
    """Make episodes of blocks of channels, in the order of the task's blocks."""
    return Episodes(
        torch.from_numpy(np.concatenate(inputs, axis=-1)),
        torch.from_numpy(np.concatenate(targets, axis=-1)),
        torch.from_numpy(np.ascontiguousarray(scored)),
        tuple(lengths.tolist()),
    )
