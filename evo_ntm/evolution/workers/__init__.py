"""Where scoring is done: on this computer, or by workers of Ray. The scores are equal."""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, Self

from evo_ntm.evolution.evaluate import Chunk, Scores
from evo_ntm.evolution.workers.cluster import Cluster
from evo_ntm.evolution.workers.local import Local, backend_of
from evo_ntm.experiment.run import LOCAL, RunSettings
from evo_ntm.machine import Backend

__all__ = ["Cluster", "Local", "Workers", "backend_of", "workers_of"]


class Workers(Protocol):
    """Whoever scores chunks, once entered with `with`."""

    @property
    def backend(self) -> Backend:
        """Give the backend that all compute with."""

    @property
    def facts(self) -> dict[str, Any]:
        """Tell by whose arithmetic they compute, which on a GPU only they can tell."""

    @property
    def asked(self) -> int:
        """Count the processes that are to score beside this one."""

    @property
    def alive(self) -> int:
        """Count the processes that score beside this one."""

    def lost(self) -> list[str]:
        """Tell of the workers that were lost since this was asked last, and why."""

    def map(
        self, function: Callable[[Chunk], Scores], chunks: Sequence[Chunk], /
    ) -> Iterable[Scores]:
        """Score every chunk, in order."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def workers_of(run: RunSettings) -> Workers:
    """Choose where a run is scored, to be entered with `with`.

    `run.ray` names a cluster to join; else `run.workers` are started here; else the variable
    RAY_ADDRESS names one; else this process does it. Raises ExperimentError where the backend is
    not to be had; entering a cluster raises ClusterError where it cannot be used.
    """
    address = _address(run)
    if run.workers or address is not None:
        return Cluster(run, address)
    return Local(run.threads, backend_of(run))


def _address(run: RunSettings) -> str | None:
    if run.ray is not None:
        return None if run.ray == LOCAL else run.ray
    return None if run.workers else os.environ.get("RAY_ADDRESS") or None
