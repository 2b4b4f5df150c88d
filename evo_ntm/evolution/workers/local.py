"""Scoring on this computer: by threads of this process, or by processes where these are faster."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, Self, TypeVar, cast

import torch

from evo_ntm.errors import ExperimentError, MachineError
from evo_ntm.evolution.evaluate import Chunk
from evo_ntm.evolution.workers.processes import Processes, may_travel
from evo_ntm.experiment.run import RunSettings
from evo_ntm.machine import Backend, choose
from evo_ntm.tasks.hosting import answering

Item = TypeVar("Item")
Result = TypeVar("Result")


class Local:
    """Scores on this machine: each thread takes a chunk and computes it alone.

    torch's own threads would wait for each other after every operation of a step. Where torch
    computes for long, each thread has a process of its own do it. The arithmetic of a chunk never
    depends on the number of threads, nor on who computes it.
    """

    asked = alive = 0
    """How many workers score beside this one."""

    def __init__(self, threads: int, backend: Backend | None = None) -> None:
        self.backend = backend or choose()
        self._threads_before = torch.get_num_threads()
        self._pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
        self._processes = Processes(threads)

    @property
    def facts(self) -> dict[str, Any]:
        """Tell by whose arithmetic is computed here."""
        return self.backend.facts

    def lost(self) -> list[str]:
        """Tell of processes that could not begin."""
        return self._processes.lost()

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterable[Result]:
        """Apply the function to every item, in order.

        Raises ClusterGoneError where a process that scores for this one dies.
        """
        if any(map(may_travel, items)):
            self._processes.prepare()
        return self._pool.map(partial(self._apply, function), items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._processes.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._processes.close()
        torch.set_num_threads(self._threads_before)

    def _apply(self, function: Callable[[Item], Result], item: Item) -> Result:
        """Let a process do it, or do it here."""
        if (came := self._processes.do(function, item)) is not None:
            return cast(Result, came[0])
        begun = time.monotonic()
        with _as_its_task_has_it(item):
            result = function(item)
        if may_travel(item):
            self._processes.worked(time.monotonic() - begun)
        return result


def _as_its_task_has_it(item: object) -> AbstractContextManager[None]:
    """Tell in one line what a task of somebody else's raises when it is scored here."""
    return answering(item.trial.task, "scores") if isinstance(item, Chunk) else nullcontext()


def backend_of(run: RunSettings) -> Backend:
    """Choose the backend that a run asks for. Raises ExperimentError where it is not there."""
    if run.computes_on == "cuda" and not torch.cuda.is_available():
        raise ExperimentError("run.device: expected cpu, as torch finds no GPU, but came 'cuda'")
    try:
        return choose(run.computes_on, run.backend)
    except MachineError as error:
        raise ExperimentError(f"run.backend: {error}") from error
