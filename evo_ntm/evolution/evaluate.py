"""What scoring means: a cohort of weights of one shape, run on common episodes and graded.

Everyone in a generation faces the same trial. NaN becomes the worst fitness here, once; nothing
above this module ever sees one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from evo_ntm.genome import Encoding
from evo_ntm.genome.encoding import code
from evo_ntm.machine import Backend, choose
from evo_ntm.machine.chunks import chunk_size
from evo_ntm.seeds import derive
from evo_ntm.tasks import Episodes, Task, grade, measures
from evo_ntm.topology import Topology

Matrix = NDArray[np.float32]

TIMES_THE_CACHE = 64  # a device's memory is slower than a cache, but takes so much more at once


class Scores(NamedTuple):
    """The scores of several genomes, one a row. Fitness is -inf where it is not finite."""

    fitness: NDArray[np.float64]
    measures: dict[str, NDArray[np.float64]]

    @property
    def failures(self) -> int:
        """Count the genomes whose fitness was not finite."""
        return int(np.isinf(self.fitness).sum())


@dataclass(frozen=True)
class Trial:
    """What everyone is scored on: a task's episodes, on how many rows, and by whose arithmetic."""

    task: Task
    episodes: Episodes
    rows: int
    epsilon: float
    backend: Backend = field(default_factory=choose)

    def __post_init__(self) -> None:
        object.__setattr__(self, "episodes", self.episodes.to(self.backend.device))

    @property
    def steps(self) -> int:
        """Count the steps that one genome answers, over all its sequences."""
        return sum(self.episodes.lengths)

    def measures(self) -> set[str]:
        """List what is measured, by grading a machine that says nothing."""
        silence = torch.zeros_like(self.episodes.targets)
        return set(measures(self.task, self.episodes, grade(self.episodes, silence)))


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


@dataclass(frozen=True)
class Samples:
    """Antithetic samples about a mean, as a recipe: whoever has it can draw the noise again."""

    topology: Topology
    encoding: Encoding
    mean: NDArray[np.float64]
    sigma: float
    pairs: int
    seed: int
    generation: int
    slot: int

    @cached_property
    def noise(self) -> Matrix:
        """Draw the noise, [pairs, genes]."""
        stream = derive(self.seed, "samples", self.generation, self.slot)
        return stream.normal((self.pairs, len(self.mean)))

    def rows(self) -> Matrix:
        """Give the genes: the mean with the noise added, then with it subtracted."""
        step = self.sigma * self.noise.astype(np.float64)
        return np.concatenate([self.mean + step, self.mean - step]).astype(np.float32)


Chunk = tuple[Trial, Topology, Matrix]
Map = Callable[..., Iterable[Scores]]


def score(jobs: Sequence[Rows], trial: Trial, spread: Map) -> list[Scores]:
    """Score every job on the trial, one result a job, in cohorts of one shape.

    `spread` is a map over chunks: the built-in one, a pool's, or that of a cluster.
    """
    cohorts: dict[object, list[int]] = {}
    for number, job in enumerate(jobs):
        cohorts.setdefault(job.topology.shape_key, []).append(number)
    pieces: list[Chunk] = []
    owners = []
    for members in cohorts.values():
        expressed = [_express(jobs[number]) for number in members]
        cut = list(chunks(trial, jobs[members[0]].topology, np.concatenate(expressed)))
        pieces += cut
        owners.append((members, [len(rows) for rows in expressed], len(cut)))
    scored = iter(spread(score_chunk, pieces))
    results: dict[int, Scores] = {}
    for members, counts, cuts in owners:
        whole = _join([next(scored) for _ in range(cuts)])
        results.update(zip(members, _split(whole, counts), strict=True))
    return [results[number] for number in range(len(jobs))]


def chunks(trial: Trial, topology: Topology, weights: Matrix) -> Iterable[Chunk]:
    """Cut a cohort into pieces that fit the cache, or the device's memory.

    The same cohort is always cut into the same pieces.
    """
    steps, lanes = trial.episodes.inputs.shape[:2]
    fused = trial.backend.fuses(topology, trial.rows)
    size = chunk_size(topology, lanes=lanes, rows=trial.rows, steps=steps, fused=fused)
    if trial.backend.device == "cpu":
        pieces = 2 * -(-len(weights) // (2 * size))  # an even count keeps two cores busy to the end
    else:
        pieces = -(-len(weights) // (TIMES_THE_CACHE * size))
    for piece in np.array_split(weights, min(pieces, len(weights))):
        yield trial, topology, piece


def score_chunk(chunk: Chunk) -> Scores:
    """Run a population of weights [P, D] through the trial at once."""
    trial, topology, weights = chunk
    machine, episodes = trial.backend.machine(topology, trial.epsilon), trial.episodes
    with torch.inference_mode():
        flat = torch.from_numpy(weights).to(trial.backend.device)
        logits = machine.episode(flat, episodes.inputs, rows=trial.rows, lengths=episodes.lengths)
        taken = measures(trial.task, episodes, grade(episodes, logits))
    return _never_nan({name: value.double().cpu().numpy() for name, value in taken.items()})


def _never_nan(taken: dict[str, NDArray[np.float64]]) -> Scores:
    failed = ~np.isfinite(taken["bits"])
    worst = {
        name: np.where(failed | ~np.isfinite(value), np.inf, value) for name, value in taken.items()
    }
    return Scores(-worst["bits"], worst)


def _express(job: Rows) -> Matrix:
    genes = job.rows()
    if job.encoding == "direct":
        return np.ascontiguousarray(genes)
    return genes[:, code(job.topology, job.encoding).expression]


def _join(parts: list[Scores]) -> Scores:
    fitness = np.concatenate([part.fitness for part in parts])
    names = parts[0].measures
    return Scores(fitness, {n: np.concatenate([p.measures[n] for p in parts]) for n in names})


def _split(whole: Scores, counts: list[int]) -> list[Scores]:
    edges = np.cumsum(counts)[:-1]
    fitness = np.split(whole.fitness, edges)
    taken = {name: np.split(values, edges) for name, values in whole.measures.items()}
    return [
        Scores(part, {name: taken[name][i] for name in taken}) for i, part in enumerate(fitness)
    ]
