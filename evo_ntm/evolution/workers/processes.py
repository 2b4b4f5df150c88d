"""Scoring by more processes on this computer, where threads would wait for Python's lock.

A step of torch's is dozens of short operations, and Python has to be in between. Such a process
runs nothing but this package, never the script or notebook that asked for it: it is told all by a
socket, in memory, and ends when the other end of this is gone.
"""

import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, TypeGuard

import torch

import evo_ntm
from evo_ntm.errors import ClusterGoneError
from evo_ntm.evolution.cohort import Cohort
from evo_ntm.evolution.evaluate import Chunk
from evo_ntm.machine import choose
from evo_ntm.tasks import Lives

WORTH = 10.0  # seconds that threads have computed when processes, which take two to begin, do
PULSE = 1.0  # seconds after which a process looks whether it was left alone
UNSENT = (pickle.PicklingError, AttributeError, TypeError)
# Ctrl-C and what ends a terminal are for the process that began them, which ends them in turn.
BEGIN = """
import sys
sys.path[:] = {paths!r}
import signal
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
from evo_ntm.evolution.workers.processes import serve
serve({handle}, {parent})
"""


def may_travel(item: object) -> TypeGuard[Chunk]:
    """Tell whether other processes may score this, and would sooner than threads.

    A task of one's own stays where it is: it may live in a notebook, or count what it is asked. A
    fused machine needs none, but where between its steps others in Python are to be computed.
    """
    if not isinstance(item, Chunk):
        return False
    trial = item.trial
    ours = type(trial.task).__module__.partition(".")[0] == evo_ntm.__name__
    known = ours and getattr(trial.task, "travels", True)
    slow = not trial.backend.fused or isinstance(trial.episodes, Lives)
    return known and slow and trial.backend.device == "cpu"


class Child:
    """A process that scores for this one, as seen from here."""

    def __init__(self) -> None:
        self.connection, there = Pipe()
        told = {"paths": list(map(str, sys.path)), "handle": there.fileno(), "parent": os.getpid()}
        with there:
            self.process = subprocess.Popen(
                [sys.executable, "-c", BEGIN.format(**told)], pass_fds=[there.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, process_group=0,
            )  # fmt: skip

    def greeting(self) -> dict[str, str] | None:
        """Hear by what arithmetic it computes, None where it has ended instead."""
        try:
            told: dict[str, str] = pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            return None
        return told

    def do(self, job: bytes) -> Any:  # noqa: ANN401
        """Let it do a job; raise what it raises. Raises ClusterGoneError where it dies."""
        try:
            self.connection.send_bytes(job)
            answer, error = pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError) as gone:
            raise ClusterGoneError(f"{self.end()}; a run can be resumed") from gone
        if error is not None:
            raise error
        return answer

    def end(self) -> str:
        """Tell how it ended, which it is made to if it has not."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PULSE)
        self.process.kill()
        code = self.process.wait()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        return f"process {self.process.pid}, which scored for this one, ended {how}"


class Processes:
    """Processes that score for the threads of this one, as many as there are CPUs for.

    They begin once there is work enough, and meanwhile threads do it themselves: the scores are
    the same. Where they cannot begin, threads go on.
    """

    def __init__(self, threads: int) -> None:
        able = os.name == "posix" and bool(sys.executable)
        self._wanted = min(threads, os.cpu_count() or 1) if able else 1
        self._coming: list[Child] = []
        self._children: list[Child] = []
        self._idle: SimpleQueue[Child] = SimpleQueue()
        self._seconds = 0.0
        self._lock = threading.Lock()
        self._losses: list[str] = []
        self.up = False
        """Whether all are there, and score."""

    def worked(self, seconds: float) -> None:
        """Hear how long a thread computed what processes might have."""
        with self._lock:
            self._seconds += seconds

    def prepare(self) -> None:
        """Begin where that is worth it, and let those do something who are there. Never waits."""
        if not self._children and self._wanted > 1 and self._seconds >= WORTH:
            try:
                for _ in range(self._wanted):
                    self._children.append(Child())
            except OSError as error:
                self._give_up(f"a process to score cannot begin: {error.strerror}")
            self._coming = list(self._children)
        for child in [child for child in self._coming if child.connection.poll()]:
            told = child.greeting()
            if told != arithmetic():
                self._give_up(child.end() if told is None else "a process computes otherwise")
                return
            self._coming.remove(child)
            self._idle.put(child)
        self.up = bool(self._children) and not self._coming

    def do(self, function: Callable[[Any], Any], item: object) -> tuple[Any] | None:
        """Have a chunk done, None where it has to be done here. Raises ClusterGoneError."""
        if not self.up or not may_travel(item):
            return None
        trial, cohort, start, stop = item
        try:
            job = pickle.dumps((function, trial, cohort.topology, cohort.weights(start, stop)))
        except UNSENT:
            return None
        child = self._idle.get()
        try:
            return (child.do(job),)
        except pickle.UnpicklingError:
            return None
        finally:
            self._idle.put(child)  # a dead one, too, or who waits for one would wait forever

    def lost(self) -> list[str]:
        """Tell of what was lost since this was asked last."""
        told, self._losses = self._losses, []
        return told

    def kill(self) -> None:
        """End all; who waits for one of them no longer does."""
        for child in self._children:
            child.process.kill()

    def close(self) -> None:
        """Tidy up what is left of all, for whom nobody waits any more."""
        self.kill()
        for child in self._children:
            child.process.wait()
            child.connection.close()
        self.up, self._coming, self._children = False, [], []

    def _give_up(self, told: str) -> None:
        """Leave all to the threads from now on."""
        self.close()
        self._wanted = 1
        self._losses.append(f"{told}; threads go on")


def arithmetic() -> dict[str, str]:
    """Tell what has to be the same wherever a run is scored."""
    torch_here = choose(name="torch").arithmetic
    return {"evo_ntm": str(evo_ntm.__file__), "python": sys.version, **torch_here}


def serve(handle: int, parent: int) -> None:
    """Score what comes through a socket, as long as there is a parent."""
    torch.set_num_threads(1)
    connection, jobs = Connection(handle), SimpleQueue[bytes]()
    threading.Thread(target=_listen, args=(connection, jobs, parent), daemon=True).start()
    with suppress(OSError):
        connection.send_bytes(pickle.dumps(arithmetic()))
        while True:
            connection.send_bytes(_answer(jobs.get()))


def _listen(connection: Connection, jobs: "SimpleQueue[bytes]", parent: int) -> None:
    """Take jobs in; end this process at once when nobody waits for it any more."""
    with suppress(EOFError, OSError):
        while os.getppid() == parent:
            if connection.poll(PULSE):
                jobs.put(connection.recv_bytes())
    os._exit(0)


def _answer(job: bytes) -> bytes:
    try:
        function, trial, topology, weights = pickle.loads(job)
    except Exception as error:  # what is known in a notebook may not be known here
        return _error(pickle.UnpicklingError(str(error)))
    try:
        came = function(Chunk(trial, Cohort(topology, (weights,)), 0, len(weights)))
        return pickle.dumps((came, None))
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)).rstrip())
        return _error(error)


def _error(error: Exception) -> bytes:
    try:
        told = pickle.dumps((None, error))
        pickle.loads(told)
    except Exception:  # not every error can travel
        told = pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))
    return told
