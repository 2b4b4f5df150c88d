"""Who is scored together: genomes of one shape, a row each, as weights or as a recipe for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evo_ntm.genome import Encoding
from evo_ntm.genome.encoding import code, likes
from evo_ntm.seeds import Generator, derive
from evo_ntm.topology import Topology
from evo_ntm.topology.wires import places, size

Matrix = NDArray[np.float32]


class Rows(Protocol):
    """Genomes of one topology to be scored together: an individual, or the samples of a search."""

    @property
    def topology(self) -> Topology:
        """Say what machine the rows are for."""

    @property
    def encoding(self) -> Encoding:
        """Say how the genes express."""

    def rows(self) -> Matrix:
        """Give the genes, [rows, genes]."""

    def __len__(self) -> int:
        """Count the rows."""


class Noise:
    """Normal noise, [pairs, genes], whose rows are drawn when they are first asked for."""

    def __init__(self, stream: Generator, shape: tuple[int, int]) -> None:
        self._stream, self._shape = stream, shape
        self._numbers = np.empty(shape, dtype=np.float32)
        self._drawn = np.zeros(shape[0], dtype=bool)

    def rows(self, start: int, stop: int) -> Matrix:
        """Give some rows. Two threads may draw the same ones: these are the same bits."""
        missing = start + np.flatnonzero(~self._drawn[start:stop])
        if len(missing):
            first, last = int(missing[0]), int(missing[-1]) + 1
            self._numbers[first:last] = self._stream.normal_rows(self._shape, first, last)
            self._drawn[first:last] = True
        return self._numbers[start:stop]


@dataclass(frozen=True)
class Samples:
    """Antithetic samples about a mean, as a recipe: whoever has it can draw the noise again.

    The first pairs, so many as are `alike`, move the direct genes of all bits alike.
    """

    topology: Topology
    encoding: Encoding
    mean: NDArray[np.float64]
    sigma: float
    pairs: int
    seed: int
    generation: int
    slot: int
    alike: int = 0
    _apart: Noise = field(init=False, repr=False, compare=False)
    _together: Noise = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kinds = 1 + int(likes(self.topology).max(initial=0)) if self.alike else 0
        for name, purpose, pairs, genes in (
            ("_apart", "samples", self.pairs - self.alike, len(self.mean)),
            ("_together", "alike", self.alike, kinds),
        ):
            stream = derive(self.seed, purpose, self.generation, self.slot)
            object.__setattr__(self, name, Noise(stream, (pairs, genes)))

    def __reduce__(self) -> tuple[type["Samples"], tuple[object, ...]]:
        """Travel without the noise."""
        return Samples, (self.topology, self.encoding, self.mean, self.sigma, self.pairs,
                         self.seed, self.generation, self.slot, self.alike)  # fmt: skip

    def __len__(self) -> int:
        return 2 * self.pairs

    @property
    def noise(self) -> Matrix:
        """Give the noise, [pairs, genes]."""
        return self._drawn(0, self.pairs)

    def _drawn(self, start: int, stop: int) -> Matrix:
        """Give the noise of some pairs."""
        first = self.alike
        apart = self._apart.rows(max(start - first, 0), max(stop - first, 0))
        if start >= first:
            return apart
        together = self._together.rows(start, min(stop, first))[:, likes(self.topology)]
        return np.concatenate([together, apart])

    def rows(self, start: int = 0, stop: int | None = None) -> Matrix:
        """Give the genes: the mean with the noise added, then with it subtracted."""
        pairs, stop = self.pairs, len(self) if stop is None else stop
        added = self._drawn(min(start, pairs), min(stop, pairs))
        subtracted = self._drawn(max(start - pairs, 0), max(stop - pairs, 0))
        one, other = (self.sigma * part.astype(np.float64) for part in (added, subtracted))
        return np.concatenate([self.mean + one, self.mean - other]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Cohort:
    """Genomes of one shape in the order of their jobs: weights [rows, D], or samples."""

    topology: Topology
    parts: tuple[Matrix | Samples, ...]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def weights(self, start: int, stop: int) -> Matrix:
        """Give the weights of some rows, drawing no other samples than these."""
        found, begun = [], 0
        for part in self.parts:
            first, last = max(start - begun, 0), min(stop - begun, len(part))
            if first < last:
                found.append(_weights(part, first, last))
            begun += len(part)
        rows = found[0] if len(found) == 1 else np.concatenate(found)
        return np.require(rows, requirements=["C", "W"])  # what was sent here is read-only


def gather(jobs: Sequence[Rows]) -> Cohort:
    """Put jobs of one shape together; of graphs all get the room that their frame has."""
    parts: list[Matrix | Samples] = []
    for recipe, group in groupby(jobs, key=lambda job: isinstance(job, Samples)):
        some = list(group)
        if recipe:
            parts += [job for job in some if isinstance(job, Samples)]
        else:
            parts.append(np.concatenate([_express(job.rows(), job) for job in some]))
    return Cohort(jobs[0].topology.framed, tuple(parts))


def in_frame(weights: Matrix, topology: Topology) -> Matrix:
    """Give the weights of graphs, [rows, D], the room of their frame; others are left as they are.

    They are then those of the topology that is `framed`.
    """
    if topology.controller.graph is None:
        return weights
    room = np.zeros((len(weights), size(topology.framed)), dtype=np.float32)
    room[:, places(topology)] = weights
    return room


def _weights(part: Matrix | Samples, start: int, stop: int) -> Matrix:
    if isinstance(part, Samples):
        return _express(part.rows(start, stop), part)
    return part[start:stop]


def _express(genes: Matrix, job: Rows) -> Matrix:
    if job.encoding == "direct":
        return in_frame(genes, job.topology)
    return genes[:, code(job.topology, job.encoding).expression]
