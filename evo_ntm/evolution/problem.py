"""The door for anyone's optimiser: weights in, fitness out."""

import math
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from evo_ntm.errors import GenomeError, TaskError
from evo_ntm.evolution.cohort import Cohort
from evo_ntm.evolution.evaluate import Trial, chunks, score_chunk
from evo_ntm.machine import choose
from evo_ntm.machine.machine import check_rows
from evo_ntm.seeds import derive
from evo_ntm.tasks import Task, draw
from evo_ntm.topology import Topology
from evo_ntm.topology.wires import size

Array = TypeVar("Array", NDArray[np.floating], torch.Tensor)


class Problem:
    """Find the weights with which a machine of this topology does this task.

    Fitness is to be maximised: minus the cross-entropy in bits a sequence, or, of a task that says
    itself what answers or lives are worth, minus what they lack of the best. Episodes derive from
    the seed: weights that are to be compared must be scored with the same one. `size` counts the
    weights of a machine.
    """

    def __init__(
        self,
        task: Task,
        topology: Topology,
        *,
        rows: int = 32,
        epsilon: float = 0.01,
        episodes: int = 16,
        device: str = "cpu",
        backend: str = "auto",
    ) -> None:
        if episodes < 1:
            raise TaskError(f"expected at least 1 episode to score on, got {episodes}")
        if not 0 < epsilon < math.inf:
            raise TaskError(f"expected an epsilon above 0, got {epsilon}")
        check_rows(topology, rows)
        self.task, self.topology, self.size = task, topology, size(topology)
        self._rows, self._epsilon = rows, epsilon
        self._episodes, self._backend = episodes, choose(device, backend)

    def trial(self, seed: int) -> Trial:
        """Make the episodes of a seed."""
        episodes = draw(self.task, derive(seed, "problem"), self._episodes)
        return Trial(self.task, episodes, self._rows, self._epsilon, self._backend)

    def score(self, weights: Array, seed: int) -> Array:
        """Score weights [P, D]; give fitness [P] of the kind that came, numpy or torch.

        NaN scores minus infinity. Raises GenomeError where the shape is wrong.
        """
        if not isinstance(weights, np.ndarray | torch.Tensor):
            raise GenomeError("expected weights as an array of numpy or a tensor of torch, "
                              f"but was given {type(weights).__name__}")  # fmt: skip
        if weights.ndim != 2 or weights.shape[1] != self.size or not len(weights):
            raise GenomeError(f"expected weights of shape [P, {self.size}] for {self.topology}, "
                              f"but was given {list(weights.shape)}")  # fmt: skip
        given = (
            weights.detach().float().cpu().numpy() if isinstance(weights, torch.Tensor) else weights
        )
        cohort = Cohort(self.topology, (np.array(given, dtype=np.float32),))
        pieces = chunks(self.trial(seed), cohort)
        fitness = np.concatenate([score_chunk(piece).fitness for piece in pieces])
        if isinstance(weights, torch.Tensor):
            kind = weights.dtype if weights.is_floating_point() else torch.float64
            return torch.from_numpy(fitness).to(weights.device, kind)
        return fitness
