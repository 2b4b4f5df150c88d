"""Scoring by threads of this process."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

import torch

from evo_ntm.errors import ExperimentError, MachineError
from evo_ntm.experiment.run import RunSettings
from evo_ntm.machine import Backend, choose

Item = TypeVar("Item")
Result = TypeVar("Result")


class Local:
    """Scores on this machine: each thread takes a chunk and computes it alone.

    torch's own threads would wait for each other after every operation of a step. The arithmetic
    of a chunk never depends on the number of threads.
    """

    asked = alive = 0
    """How many processes score beside this one."""

    def __init__(self, threads: int, backend: Backend | None = None) -> None:
        self.backend = backend or choose()
        self._threads_before = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))

    def lost(self) -> list[str]:
        """Tell of no workers that were lost, as there are none."""
        return []

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterable[Result]:
        """Apply the function to every item, in order."""
        return self._pool.map(function, items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(self._threads_before)


def backend_of(run: RunSettings) -> Backend:
    """Choose the backend that a run asks for. Raises ExperimentError where it is not there."""
    if run.computes_on == "cuda" and not torch.cuda.is_available():
        raise ExperimentError("run.device: expected cpu, as torch finds no GPU, but came 'cuda'")
    try:
        return choose(run.computes_on, run.backend)
    except MachineError as error:
        raise ExperimentError(f"run.backend: {error}") from error
