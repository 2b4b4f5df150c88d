"""What scoring means: a cohort of weights of one shape, run on common episodes and graded.

Everyone in a generation faces the same trial. NaN becomes the worst fitness here, once; nothing
above this module ever sees one.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from evo_ntm.evolution.cohort import Cohort, Matrix, Rows, gather
from evo_ntm.machine import Backend, choose
from evo_ntm.machine.chunks import chunk_size
from evo_ntm.tasks import Episodes, Grades, Task, grade, measures
from evo_ntm.tasks.grading import SHORTFALL
from evo_ntm.topology import Topology

LARGER = 1.25  # than the best size a piece may be
TIMES_THE_CACHE = 64  # a device's memory is slower than a cache, but takes so much more at once


class Scores(NamedTuple):
    """The scores of several genomes, one a row. Fitness is -inf where it is not finite."""

    fitness: NDArray[np.float64]
    measures: dict[str, NDArray[np.float64]]
    reasons: tuple[str, ...] = ()
    """Why genomes could not be scored at all."""
    genes: Matrix | None = None
    """What they have become, [rows, genes], where they were trained instead."""

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

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        """Travel without what lies on a device."""
        return Trial, (self.task, self.episodes, self.rows, self.epsilon, self.backend)

    @cached_property
    def shown(self) -> Episodes:
        """Give the episodes on the device of the backend, which only who scores has to have."""
        return self.episodes.to(self.backend.device)

    @property
    def steps(self) -> int:
        """Count the steps that one genome answers, over all its sequences."""
        return sum(self.episodes.lengths)

    def measures(self) -> set[str]:
        """List what is measured, by grading a machine that says nothing."""
        silence = torch.zeros_like(self.episodes.targets)
        return set(measures(self.task, self.episodes, grade(self.episodes, silence, self.task)))


class Chunk(NamedTuple):
    """Some genomes of a cohort, from `start` up to `stop`, to be run through a trial at once."""

    trial: Trial
    cohort: Cohort
    start: int
    stop: int


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
        cut = chunks(trial, gather([jobs[number] for number in members]))
        pieces += cut
        owners.append((members, [len(jobs[number]) for number in members], len(cut)))
    scored = iter(spread(score_chunk, pieces))
    results: dict[int, Scores] = {}
    for members, counts, cuts in owners:
        whole = _join([next(scored) for _ in range(cuts)])
        results.update(zip(members, _split(whole, counts), strict=True))
    return [results[number] for number in range(len(jobs))]


def chunks(trial: Trial, cohort: Cohort) -> list[Chunk]:
    """Cut a cohort into pieces that fit the cache, or the device's memory.

    The same cohort is always cut into the same pieces.
    """
    steps, lanes = trial.episodes.inputs.shape[:2]
    topology, count = cohort.topology, len(cohort)
    fused = trial.backend.fuses(topology, trial.rows)
    size = chunk_size(topology, lanes=lanes, rows=trial.rows, steps=steps, fused=fused)
    if trial.backend.device == "cpu":
        # An even count keeps two cores busy to the end. Where torch computes, which takes longer
        # for two small pieces than for one larger, a mean or two are no reason for more.
        pieces = 2 * math.ceil(count / (2 * size * (1 if fused else LARGER)))
    else:
        pieces = -(-count // (TIMES_THE_CACHE * size))
    least, longer = divmod(count, min(pieces, count))
    edges = [least * piece + min(piece, longer) for piece in range(min(pieces, count) + 1)]
    return [Chunk(trial, cohort, start, stop) for start, stop in pairwise(edges)]


def score_chunk(chunk: Chunk) -> Scores:
    """Run some genomes of a cohort through the trial at once."""
    trial, cohort, start, stop = chunk
    return score_weights(trial, cohort.topology, cohort.weights(start, stop))


def unscored(chunk: Chunk, reason: str) -> Scores:
    """Give the worst to the genomes of a chunk that cannot be scored."""
    names, count = chunk.trial.measures(), chunk.stop - chunk.start
    return Scores(np.full(count, -np.inf), {n: np.full(count, np.inf) for n in names}, (reason,))


def score_weights(trial: Trial, topology: Topology, weights: Matrix) -> Scores:
    """Run a population of weights [P, D] through the trial at once."""
    with torch.inference_mode():
        taken = measures(trial.task, trial.shown, answered(trial, topology, weights))
    return _never_nan({name: value.double().cpu().numpy() for name, value in taken.items()})


def answered(trial: Trial, topology: Topology, weights: Matrix) -> Grades:
    """Grade the answers of a population of weights [P, D], each to each episode [P, B]."""
    machine, episodes = trial.backend.machine(topology, trial.epsilon), trial.shown
    with torch.inference_mode():
        flat = torch.from_numpy(weights).to(trial.backend.device)
        logits = machine.episode(flat, episodes.inputs, rows=trial.rows, lengths=episodes.lengths)
        return grade(episodes, logits, trial.task)


def _never_nan(taken: dict[str, NDArray[np.float64]]) -> Scores:
    cost = taken.get(SHORTFALL, taken["bits"])
    failed = ~np.isfinite(cost)
    worst = {
        name: np.where(failed | ~np.isfinite(value), np.inf, value) for name, value in taken.items()
    }
    return Scores(np.where(failed, -np.inf, -cost), worst)


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
