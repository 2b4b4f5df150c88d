"""How a machine answered many sequences, one by one, by the arithmetic that scores populations."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from evo_ntm.evolution.evaluate import Trial
from evo_ntm.genome import Genome
from evo_ntm.tasks import grade, sequences

Spread = Callable[..., Iterable[Any]]


class Marks(NamedTuple):
    """The cost and the wrong bits of each sequence, [B], and where they were: [T, B] and [O]."""

    bits: NDArray[np.float64]
    wrong_bits: NDArray[np.int64]
    steps: NDArray[np.bool_]
    channels: NDArray[np.int64]


def mark(trial: Trial, genome: Genome) -> Marks:
    """Let a genome answer the sequences of a trial."""
    machine = trial.backend.machine(genome.topology, trial.epsilon)
    episodes = sequences(trial.shown, "explain how")
    with torch.inference_mode():
        flat = torch.tensor(genome.weights[None]).to(trial.backend.device)
        logits = machine.episode(flat, episodes.inputs, rows=trial.rows, lengths=episodes.lengths)
        bits = grade(episodes, logits).bits[0].double().cpu().numpy()
    said, targets = logits[:, 0].cpu().numpy(), trial.sequences.targets.numpy()
    scored = trial.sequences.scored.numpy()[..., None]
    wrong = scored & (np.isnan(said) | ((said > 0) != (targets > 0.5)))
    bits = np.where(np.isnan(bits), np.inf, bits)
    return Marks(bits, wrong.sum((0, 2)), wrong.any(-1), wrong.sum((0, 1)))


def marks(genomes: Sequence[Genome], trials: Sequence[Trial], spread: Spread) -> list[list[Marks]]:
    """Let every genome answer all trials, a list each. `spread` is a map, of threads or not."""
    jobs = [partial(mark, trial, genome) for genome in genomes for trial in trials]
    given = iter(spread(_call, jobs))
    return [[next(given) for _ in trials] for _ in genomes]


def _call(job: Callable[[], Marks]) -> Marks:
    return job()
