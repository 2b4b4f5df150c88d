"""The only source of randomness: streams derived from (run seed, purpose, generation, slot).

The words come from Philox, whose output numpy guarantees; what is made of them here
uses nothing but integer and exactly rounded arithmetic. A stream is therefore the same on every
machine and under every version, and a genome's card can be measured again years later.
"""

import hashlib
import random
from functools import cache
from math import prod
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Shape = int | tuple[int, ...]
BLOCK = 4  # words that Philox makes of one value of its counter


def digest(*words: object) -> bytes:
    """Hash a list of words to 16 bytes."""
    return hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=16).digest()


class Generator:
    """A stream of random numbers; its methods are named as those of numpy's Generator."""

    def __init__(self, key: bytes) -> None:
        self._key = int.from_bytes(key, "little")
        self._words = np.random.Philox(key=self._key)

    def words(self, count: int) -> NDArray[np.uint64]:
        """Draw raw words of 64 bits."""
        return np.asarray(self._words.random_raw(count), dtype="<u8")

    def bits(self, shape: Shape) -> NDArray[np.uint8]:
        """Draw fair coins, 0 or 1."""
        count = _count(shape)
        drawn = self.words(-(-count // 64)).view(np.uint8)
        return np.unpackbits(drawn, count=count).reshape(shape)

    def random(self, shape: Shape = ()) -> NDArray[np.float64]:
        """Draw uniforms from [0, 1), 53 bits each."""
        drawn = self.words(_count(shape)) >> np.uint64(11)
        return (drawn * np.float64(2.0**-53)).reshape(shape)

    def integers(self, low: int, high: int, shape: Shape = ()) -> NDArray[np.int64]:
        """Draw integers from low to high, high excluded."""
        return (low + np.floor(self.random(shape) * (high - low))).astype(np.int64)

    def normal(self, shape: Shape = ()) -> NDArray[np.float32]:
        """Draw standard normals: the scaled sum of two 16-bit quantiles of the normal law."""
        count = _count(shape)
        drawn = self.words(-(-count // 2)).view("<u2").reshape(2, -1)[:, :count]
        return _normals(drawn[0], drawn[1]).reshape(shape)

    def normal_rows(self, shape: tuple[int, int], start: int, stop: int) -> NDArray[np.float32]:
        """Draw some rows of what `normal(shape)` draws of a new stream, and only these."""
        columns, half = shape[1], 2 * -(-shape[0] * shape[1] // 2)
        first, last = start * columns, stop * columns
        drawn = self._quarters(first, last), self._quarters(half + first, half + last)
        return _normals(*drawn).reshape(-1, columns)

    def _quarters(self, first: int, last: int) -> NDArray[np.uint16]:
        """Look at the words from the beginning of the stream, in quarters of 16 bits each."""
        block = first // (4 * BLOCK)
        words = np.random.Philox(key=self._key, counter=block).random_raw(
            -(-last // 4) - BLOCK * block
        )
        begun = 4 * BLOCK * block
        return np.asarray(words, dtype="<u8").view("<u2")[first - begun : last - begun]

    def choice(self, shares: NDArray[np.float64] | list[float]) -> int:
        """Draw an index with probability proportional to its share."""
        edges = np.cumsum(np.asarray(shares, dtype=np.float64))
        index = np.searchsorted(edges, self.random() * edges[-1], side="right")
        return int(min(index, len(edges) - 1))


def derive(seed: int, purpose: str, generation: int = 0, slot: int = 0) -> Generator:
    """Open the stream for one purpose of one slot in one generation of one run."""
    return Generator(digest("evo-ntm", seed, purpose, generation, slot))


def reseed_globals(seed: int, purpose: str, generation: int) -> None:
    """Seed `random` and `numpy.random`, from which DEAP's own operators draw."""
    key = digest("evo-ntm", seed, purpose, generation, "globals")
    random.seed(key)
    np.random.seed(int.from_bytes(key[:4], "little"))


def _count(shape: Shape) -> int:
    return shape if isinstance(shape, int) else prod(shape)


def _normals(one: NDArray[np.uint16], other: NDArray[np.uint16]) -> NDArray[np.float32]:
    quantiles = _quantiles()
    total: NDArray[np.float32] = quantiles[one] + quantiles[other]
    return total * np.float32(0.5**0.5)


@cache
def _quantiles() -> NDArray[np.float32]:
    # Rounded to a grid far coarser than the error of any platform's logarithm,
    # so that every platform makes the same table.
    law, half = NormalDist(), 2**15
    upper = [round(law.inv_cdf(0.5 + (i + 0.5) / 2**16) * 2**20) / 2**20 for i in range(half)]
    return np.array([-value for value in reversed(upper)] + upper, dtype=np.float32)
