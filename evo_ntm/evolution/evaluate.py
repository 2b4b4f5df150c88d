"""What scoring means: a cohort of weights of one shape, run on common episodes and graded.

Everyone in a generation faces the same trial. NaN becomes the worst fitness here, once; nothing
above this module ever sees one.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from evo_ntm.evolution.closed_loop import LIVES_AT_ONCE, Led, lead
from evo_ntm.evolution.cohort import Cohort, Matrix, Rows, gather
from evo_ntm.machine import Backend, choose
from evo_ntm.machine.chunks import chunk_size
from evo_ntm.tasks import Drawn, Episodes, Grades, Lives, Task, grade, measures, sequences
from evo_ntm.tasks.grading import SHORTFALL
from evo_ntm.tasks.lives import MISSED, REWARD
from evo_ntm.topology import Topology

LARGER = 1.25  # than the best size a piece may be
TIMES_THE_CACHE = 64  # a device's memory is slower than a cache, but takes so much more at once


class Scores(NamedTuple):
    """The scores of several genomes, one a row. Fitness is -inf where it is not finite."""

    fitness: NDArray[np.float64]
    measures: dict[str, NDArray[np.float64]]
    reasons: tuple[str, ...] = ()
    """Why genomes, or some of their episodes, could not be scored."""
    genes: Matrix | None = None
    """What they have become, [rows, genes], where they were trained instead."""
    worths: NDArray[np.float64] | None = None
    """What each was worth in each episode, [rows, episodes], where somebody asks for that."""

    @property
    def failures(self) -> int:
        """Count the genomes whose fitness was not finite."""
        return int(np.isinf(self.fitness).sum())


@dataclass(frozen=True)
class Trial:
    """What everyone is scored on: a task's episodes, on how many rows, and by whose arithmetic."""

    task: Task
    episodes: Drawn
    rows: int
    epsilon: float
    backend: Backend = field(default_factory=choose)
    each: bool = False
    """Whether it is told what everyone was worth in each episode, too."""

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        """Travel without what lies on a device."""
        return Trial, (self.task, self.episodes, self.rows, self.epsilon, self.backend, self.each)

    @cached_property
    def shown(self) -> Drawn:
        """Give the episodes on the device of the backend, which only who scores has to have."""
        return self.episodes.to(self.backend.device)

    @property
    def sequences(self) -> Episodes:
        """Give the episodes of a sequence task. Raises TaskError of another."""
        return sequences(self.episodes, "look into them")

    @property
    def steps(self) -> int:
        """Count the steps that one genome answers, at most, over all its episodes."""
        return sum(self.episodes.lengths)

    def measures(self) -> set[str]:
        """List what is measured: of sequences, by grading a machine that says nothing."""
        if isinstance(self.episodes, Lives):
            return {SHORTFALL, MISSED, REWARD}
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
    steps, lanes = max(trial.episodes.lengths), len(trial.episodes.lengths)
    topology, count = cohort.topology, len(cohort)
    fused = trial.backend.fuses(topology, trial.rows)
    if isinstance(trial.episodes, Lives):
        size = max(1, LIVES_AT_ONCE // lanes)
    else:
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


def heard(
    spread: Map, reasons: list[str], function: Callable[[Chunk], Scores], chunks: Sequence[Chunk]
) -> Iterator[Scores]:
    """Spread chunks, and note why any of them could not be scored."""
    for scores in spread(function, chunks):
        reasons += scores.reasons
        yield scores


def unscored(chunk: Chunk, reason: str) -> Scores:
    """Give the worst to the genomes of a chunk that cannot be scored."""
    trial, count = chunk.trial, chunk.stop - chunk.start
    worst = {name: np.full(count, np.inf) for name in trial.measures()}
    each = np.full((count, len(trial.episodes.lengths)), -np.inf) if trial.each else None
    return Scores(np.full(count, -np.inf), worst, (reason,), worths=each)


def score_weights(trial: Trial, topology: Topology, weights: Matrix) -> Scores:
    """Run a population of weights [P, D] through the trial at once."""
    with torch.inference_mode():
        if isinstance(trial.shown, Lives):
            led = led_through(trial, topology, weights)
            taken, worths, reasons = led.measures(), led.score, led.reasons
            fitness = worths.mean(-1)
        else:
            grades, reasons = answered(trial, topology, weights), ()
            taken = measures(trial.task, sequences(trial.shown, "grade them"), grades)
            worths = -grades.bits if grades.worth is None else grades.worth
            fitness = -taken.get(SHORTFALL, taken["bits"])
        told = {name: _numbers(values) for name, values in taken.items()}
        scores = _never_nan(_numbers(fitness), told)._replace(reasons=reasons)
        if not trial.each:
            return scores
        each = _numbers(worths)
        return scores._replace(worths=np.where(np.isfinite(each), each, -np.inf))


def answered(trial: Trial, topology: Topology, weights: Matrix) -> Grades:
    """Grade the answers of a population of weights [P, D], each to each sequence [P, B].

    Raises TaskError where the task is none of sequences.
    """
    machine, episodes = trial.backend.machine(topology, trial.epsilon), trial.shown
    episodes = sequences(episodes, "grade them")
    with torch.inference_mode():
        flat = torch.from_numpy(weights).to(trial.backend.device)
        logits = machine.episode(flat, episodes.inputs, rows=trial.rows, lengths=episodes.lengths)
        return grade(episodes, logits, trial.task)


def led_through(trial: Trial, topology: Topology, weights: Matrix) -> Led:
    """Lead a population of weights [P, D] through the lives of a trial."""
    assert isinstance(trial.shown, Lives)
    machine = trial.backend.machine(topology, trial.epsilon)
    with torch.inference_mode():
        flat = torch.from_numpy(weights).to(trial.backend.device)
        return lead(machine, flat, trial.shown, rows=trial.rows)


def _numbers(value: torch.Tensor) -> NDArray[np.float64]:
    return value.double().cpu().numpy()


def _never_nan(fitness: NDArray[np.float64], taken: dict[str, NDArray[np.float64]]) -> Scores:
    failed = ~np.isfinite(fitness)
    worst = {
        name: np.where(failed | ~np.isfinite(value), np.inf, value) for name, value in taken.items()
    }
    return Scores(np.where(failed, -np.inf, fitness), worst)


def _join(parts: list[Scores]) -> Scores:
    fitness = np.concatenate([part.fitness for part in parts])
    names = parts[0].measures
    taken = {name: np.concatenate([part.measures[name] for part in parts]) for name in names}
    each = [part.worths for part in parts if part.worths is not None]
    return Scores(fitness, taken, worths=np.concatenate(each) if each else None)


def _split(whole: Scores, counts: list[int]) -> list[Scores]:
    edges = [0, *np.cumsum(counts)]
    return [
        Scores(
            whole.fitness[start:stop],
            {name: values[start:stop] for name, values in whole.measures.items()},
            worths=None if whole.worths is None else whole.worths[start:stop],
        )
        for start, stop in pairwise(edges)
    ]
