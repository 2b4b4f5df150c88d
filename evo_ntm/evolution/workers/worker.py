"""What runs in a process of Ray: it is given chunks and gives scores back."""

import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Hashable
from importlib.metadata import version
from typing import Any, NamedTuple

import torch

from evo_ntm import __version__
from evo_ntm.errors import EvoNTMError
from evo_ntm.evolution.evaluate import Chunk, Scores
from evo_ntm.evolution.workers.local import backend_of
from evo_ntm.experiment.run import RunSettings
from evo_ntm.machine import Backend


class Introduction(NamedTuple):
    """Who a worker is: its process, its node, its versions, and what it computes with.

    `facts` are those of its backend, `complaint` says why it cannot compute as the run asks.
    """

    process: int
    node: str
    versions: dict[str, str]
    backend: Backend | None
    facts: dict[str, Any]
    complaint: str


class Answer(NamedTuple):
    """What came of a chunk: scores, or an error in words, which was `meant` if it is of ours."""

    scores: Scores | None
    seconds: float
    error: str = ""
    meant: bool = False


def versions() -> dict[str, str]:
    """Tell the versions that have to be the same wherever a run is scored."""
    return {"evo_ntm": __version__, "torch": version("torch").partition("+")[0],
            "python": ".".join(platform.python_version_tuple()[:2])}  # fmt: skip


class Worker:
    """Scores chunks, each on one thread. What several chunks share is fetched once.

    `paths` are where the process that hired it finds modules, such as that of one's own task.
    """

    def __init__(self, run: RunSettings, paths: list[str]) -> None:
        sys.path += [path for path in paths if path not in sys.path]
        torch.set_num_threads(1)
        self._run = run
        self._lock = threading.Lock()
        self._call = 0
        self._shared: dict[Hashable, Any] = {}

    def introduce(self) -> Introduction:
        """Tell who this is."""
        import ray

        node = ray.get_runtime_context().get_node_id()
        try:
            backend, complaint = backend_of(self._run), ""
            facts = backend.facts
        except EvoNTMError as error:
            backend, facts, complaint = None, {}, str(error)
        return Introduction(os.getpid(), node, versions(), backend, facts, complaint)

    def score(
        self,
        call: int,
        function: Callable[[Chunk], Scores],
        trial: list[Any],
        cohort: list[Any],
        start: int,
        stop: int,
    ) -> Answer:
        """Score a chunk, of which trial and cohort are references, each alone in a list."""
        import ray

        torch.set_num_threads(1)  # of the thread in which this runs
        try:
            parts = self._fetched(call, trial[0]), self._fetched(call, cohort[0])
        except ray.exceptions.ObjectLostError as error:
            return Answer(None, 0.0, f"what it was sent got lost: {last(error)}")
        except Exception as error:
            return Answer(None, 0.0, f"a worker cannot read what it is sent: {last(error)}", True)
        begun = time.perf_counter()
        try:
            scores = function(Chunk(*parts, start, stop))
        except EvoNTMError as error:
            return Answer(None, time.perf_counter() - begun, str(error), True)
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return Answer(None, time.perf_counter() - begun, told)
        return Answer(scores, time.perf_counter() - begun)

    def _fetched(self, call: int, reference: Any) -> Any:  # noqa: ANN401
        """Fetch what is shared, and forget what earlier calls did."""
        import ray

        with self._lock:
            if call != self._call:
                self._shared.clear()
                self._call = call
            if reference not in self._shared:
                self._shared[reference] = ray.get(reference)
            return self._shared[reference]


def last(error: Exception) -> str:
    """Give the last line of what an error of Ray tells, which says what was wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
