"""Scoring by workers of Ray: long-lived actors, here or on other nodes."""

import itertools
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Self

from evo_ntm.errors import ClusterError, ClusterGoneError, ExperimentError, TaskError
from evo_ntm.evolution.evaluate import Chunk, Scores, unscored
from evo_ntm.evolution.workers.local import backend_of
from evo_ntm.evolution.workers.session import answers, session
from evo_ntm.evolution.workers.worker import Answer, Introduction, Worker, last, versions
from evo_ntm.experiment.run import RunSettings
from evo_ntm.machine import Backend
from evo_ntm.words import counted

ATTEMPTS = 3
GONE = "the cluster went away; the run can be resumed"
SECONDS_TO_COME_UP = 60.0
PULSE = 2.0  # seconds after which to see whether the cluster is still there

Function = Callable[[Chunk], Scores]


class Hand:
    """One of the workers, as seen from here: who it is, and the chunks that it has."""

    def __init__(self, actor: Any) -> None:  # noqa: ANN401
        self.actor = actor
        self.greeting = actor.introduce.remote()
        self.who: Introduction | None = None
        self.chunks: dict[Any, int] = {}
        self.begun: dict[Any, float] = {}

    def running(self, at_once: int) -> list[Any]:
        """List the chunks that it is at; the others wait in its queue."""
        return list(self.chunks)[:at_once]


class Round:
    """One call of `map`: which chunks wait, which failed and why, and what came of the others."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.chunks = chunks
        self.waiting = deque(range(len(chunks)))
        self.failed: Counter[int] = Counter()
        self.results: dict[int, Scores] = {}

    def again(self, number: int) -> None:
        """Let a chunk be done again, before others."""
        self.waiting.appendleft(number)

    def fail(self, number: int, why: str) -> None:
        """Count that a chunk failed; give its genomes up where it has failed too often."""
        self.failed[number] += 1
        if self.failed[number] < ATTEMPTS:
            self.again(number)
            return
        chunk = self.chunks[number]
        reason = (
            f"genomes {chunk.start} to {chunk.stop - 1} of {len(chunk.cohort)} "
            f"({chunk.cohort.topology}) could not be scored in {ATTEMPTS} attempts: {why}"
        )
        self.results[number] = unscored(chunk, reason)

    @property
    def open(self) -> bool:
        """Tell whether anything is left to do."""
        return len(self.results) < len(self.chunks)


class Cluster:
    """Scores by workers of Ray, each of which computes `cpus_per_worker` chunks at once.

    Chunks are handed out as workers become free, and their scores put in order. A worker that dies
    or hangs is replaced, on whatever nodes there are, and its chunks are done again.
    """

    def __init__(self, run: RunSettings, address: str | None) -> None:
        self._run, self._address = run, address
        self._at_once = run.cpus_per_worker
        self._hands: list[Hand] = []
        self._calls = itertools.count(1)
        self._stillborn: list[str] = []
        self._losses: list[str] = []
        self._silent_since: float | None = None
        self._looked = 0.0
        self._backend: Backend | None = None
        self._facts: dict[str, Any] = {}
        self.asked = run.workers
        """How many workers there are once all are up."""
        self.busiest = 0.0
        """For how many seconds the busiest worker scored in the last call of `map`."""

    @property
    def backend(self) -> Backend:
        """Give the backend that all workers compute with."""
        assert self._backend is not None, "a cluster has a backend once it is entered"
        return self._backend

    @property
    def facts(self) -> dict[str, Any]:
        """Tell by whose arithmetic all workers compute, once it is entered."""
        return self._facts

    @property
    def alive(self) -> int:
        """Count the workers that are up."""
        return sum(hand.who is not None for hand in self._hands)

    def lost(self) -> list[str]:
        """Tell of the workers that were lost since this was asked last, and why."""
        told, self._losses = self._losses, []
        return told

    @property
    def processes(self) -> list[int]:
        """List the processes of the workers that are up, as their nodes number them."""
        return [hand.who.process for hand in self._hands if hand.who is not None]

    def __enter__(self) -> Self:
        if self._run.computes_on == "cpu":
            self._backend = backend_of(self._run)  # on a GPU only the workers can tell
        with ExitStack() as stack:
            self._head = stack.enter_context(session(self._run, self._address))
            self._name = self._address or "this computer"
            self.asked = self._room()
            for _ in range(self.asked):
                self._hire()
            self._wait_for_one()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def map(self, function: Function, chunks: Sequence[Chunk]) -> list[Scores]:
        """Score every chunk, in order.

        One that fails three times gives the worst fitness to its genomes and says why. Raises
        ClusterGoneError where no worker is left, and what scoring raises on purpose.
        """
        call, turn = next(self._calls), Round(chunks)
        shared = self._share(chunks)
        seconds: Counter[int] = Counter()
        try:
            while turn.open:
                self._hand_out(call, function, turn, shared)
                for reference in self._heard():
                    self._take(reference, turn, seconds)
                self._cut_off(turn)
        finally:
            for hand in self._hands:  # whose answers, after an error, nobody waits for
                hand.chunks.clear()
                hand.begun.clear()
        self.busiest = max(seconds.values(), default=0.0)
        return [turn.results[number] for number in range(len(chunks))]

    def _share(self, chunks: Sequence[Chunk]) -> dict[int, list[Any]]:
        """Put every trial and every cohort where all nodes find it, once."""
        import ray

        shared: dict[int, list[Any]] = {}
        for chunk in chunks:
            for part in (chunk.trial, chunk.cohort):
                if id(part) not in shared:
                    try:
                        shared[id(part)] = [ray.put(part)]
                    except TypeError as error:
                        raise TaskError("expected a task that can be sent to workers, but "
                                        f"{str(error).splitlines()[0]}") from error  # fmt: skip
        return shared

    def _hand_out(
        self, call: int, function: Function, turn: Round, shared: dict[int, list[Any]]
    ) -> None:
        """Give the free something to do, and all one more while there is plenty.

        Each call begins with another worker, or few chunks would always be for the same ones.
        """
        ready = [hand for hand in self._hands if hand.who is not None]
        ready = ready[call % max(len(ready), 1) :] + ready[: call % max(len(ready), 1)]
        for most in (*range(1, self._at_once + 1), self._at_once + 1):
            for hand in ready:
                plenty = len(turn.waiting) > len(ready) * self._at_once
                if len(hand.chunks) < most and turn.waiting and (most <= self._at_once or plenty):
                    number = turn.waiting.popleft()
                    trial, cohort, start, stop = turn.chunks[number]
                    told = shared[id(trial)], shared[id(cohort)], start, stop
                    reference = hand.actor.score.remote(call, function, *told)
                    hand.chunks[reference] = number
                    self._note_begun(hand)

    def _note_begun(self, hand: Hand) -> None:
        now = time.monotonic()
        hand.begun = {each: hand.begun.get(each, now) for each in hand.running(self._at_once)}

    def _heard(self) -> list[Any]:
        """Wait until something is ready, or something is overdue, or all is silent for long."""
        import ray

        pending = [reference for hand in self._hands for reference in hand.chunks]
        pending += [hand.greeting for hand in self._hands if hand.who is None]
        now = time.monotonic()
        dues = [begun + self._run.timeout for hand in self._hands for begun in hand.begun.values()]
        seconds = min([PULSE, *(max(due - now, 0.001) for due in dues)])
        ready: list[Any] = ray.wait(pending, num_returns=1, timeout=seconds)[0] if pending else []
        self._look_after_head()
        if ready:
            self._silent_since = None
        if not any(hand.who for hand in self._hands):
            self._silent_since = self._silent_since or now
            if now - self._silent_since > SECONDS_TO_COME_UP or not self._hands:
                told = self._stillborn[-1] if self._stillborn else "there is no room for one"
                raise ClusterGoneError(f"{self._name}: no worker comes up: {told}")
        return ready

    def _look_after_head(self) -> None:
        """Notice in time that the head is gone, for Ray then ends this process without a word."""
        if time.monotonic() - self._looked > PULSE:
            if not answers(self._head):
                raise ClusterGoneError(f"{self._name}: {GONE}")
            self._looked = time.monotonic()

    def _take(self, reference: Any, turn: Round, seconds: Counter[int]) -> None:  # noqa: ANN401
        """Take in what came: a worker that is up, scores, or the news that a worker is dead."""
        import ray

        hand = next((h for h in self._hands if reference in h.chunks or reference is h.greeting),
                    None)  # fmt: skip
        if hand is None:
            return
        try:
            came = ray.get(reference)
        except ray.exceptions.LocalRayletDiedError as error:
            raise ClusterGoneError(f"{self._name}: {GONE}") from error
        except ray.exceptions.RayError as error:
            self._bury(hand, turn, error)
            return
        if isinstance(came, Introduction):
            self._welcome(hand, came)
            return
        number = hand.chunks.pop(reference)
        self._note_begun(hand)
        self._settle(number, came, turn)
        seconds[id(hand)] += came.seconds
        if came.error and self.backend.device != "cpu":
            self._replace(hand, turn, why=came.error)  # which may have left a GPU in disorder

    def _settle(self, number: int, came: Answer, turn: Round) -> None:
        if came.scores is not None:
            turn.results[number] = came.scores
        elif came.meant:
            raise TaskError(came.error)
        else:
            turn.fail(number, came.error)

    def _bury(self, hand: Hand, turn: Round, error: Exception) -> None:
        """Replace a worker that died; the chunks that it was at failed, unless its node did."""
        import ray

        if hand.who is None:
            self._stillborn.append(last(error))
            self._losses.append(f"one that was to come up: {last(error)}")
            self._hands.remove(hand)
            if len(self._stillborn) < ATTEMPTS:
                self._hire()
            return
        for reference in list(hand.chunks):
            with suppress(ray.exceptions.RayError):  # it may have answered before it died
                self._settle(hand.chunks[reference], ray.get(reference, timeout=0), turn)
                del hand.chunks[reference]
        nodes = {node["NodeID"] for node in _nodes()}
        innocent = hand.who.node not in nodes or "node has died" in str(error)
        blamed = [] if innocent else hand.running(self._at_once)
        self._replace(hand, turn, blamed, "its node died" if innocent else "the worker died")

    def _cut_off(self, turn: Round) -> None:
        """Replace workers that are at a chunk for too long."""
        now = time.monotonic()
        for hand in list(self._hands):
            late = [each for each, begun in hand.begun.items() if now - begun > self._run.timeout]
            if late:
                self._replace(hand, turn, late, f"it took over {self._run.timeout:g} s")

    def _replace(self, hand: Hand, turn: Round, blamed: Sequence[Any] = (), why: str = "") -> None:
        """End a worker and hire another; its chunks are done again."""
        import ray

        if hand.who is not None:
            self._losses.append(f"process {hand.who.process}: {why}")
        self._hands.remove(hand)
        with suppress(ray.exceptions.RayError):
            ray.kill(hand.actor, no_restart=True)
        for reference, number in reversed(hand.chunks.items()):
            if reference in blamed:
                turn.fail(number, why)
            else:
                turn.again(number)
        self._hire()

    def _hire(self) -> None:
        import ray

        actor = ray.remote(Worker).options(
            num_cpus=self._run.cpus_per_worker,
            num_gpus=self._run.gpus,
            max_concurrency=self._at_once,
            max_restarts=0,
            scheduling_strategy="SPREAD",
        )
        self._hands.append(Hand(actor.remote(self._run, sys.path)))

    def _welcome(self, hand: Hand, who: Introduction) -> None:
        """Take a worker in. Raises ClusterError where it would score otherwise than the others."""
        if who.complaint:
            raise ExperimentError(who.complaint)
        self._backend, self._facts = self._backend or who.backend, self._facts or who.facts
        here = {**self._facts["arithmetic"], **versions(), "backend": _kind(self._backend)}
        there = {**who.facts["arithmetic"], **who.versions, "backend": _kind(who.backend)}
        for name in {**here, **there}:
            mine, other = here.get(name, "none"), there.get(name, "none")
            if mine != other:
                raise ClusterError(f"{self._name}: expected workers with {name} {mine}, "
                                   f"but one has {other}")  # fmt: skip
        hand.who = who
        self._stillborn.clear()

    def _wait_for_one(self) -> None:
        """Wait until the first worker is up, and can do what is asked for. Raises ClusterError."""
        try:
            while not self.alive:
                for reference in self._heard():
                    self._take(reference, Round(()), Counter())
        except ClusterGoneError as error:
            raise ClusterError(str(error)) from error

    def _room(self) -> int:
        """Count the workers to hire. Raises ClusterError where the cluster has no room for them."""
        run, nodes = self._run, [node["Resources"] for node in _nodes()]
        cpus = [int(node.get("CPU", 0)) for node in nodes]
        gpus = [int(node.get("GPU", 0)) for node in nodes]
        room = sum(map(self._room_of, cpus, gpus))
        workers = run.workers or room
        if room < workers or not room:
            each = counted(run.cpus_per_worker, "CPU")
            if run.gpus:
                whole = run.gpus >= 1
                each += f" and {counted(int(run.gpus), 'GPU') if whole else f'{run.gpus:g} GPU'}"
            raise ClusterError(
                f"{self._name}: expected room for {counted(max(workers, 1), 'worker')} with {each} "
                f"each, but there is room for {room}: {counted(sum(cpus), 'CPU')} and "
                f"{counted(sum(gpus), 'GPU')} on {counted(len(nodes), 'node')}"
            )
        return workers

    def _room_of(self, cpus: int, gpus: int) -> int:
        by_cpu, share = cpus // self._run.cpus_per_worker, self._run.gpus
        if not share:
            return by_cpu
        by_gpu = gpus * int(1 / share + 1e-9) if share <= 1 else int(gpus // share)
        return min(by_cpu, by_gpu)


def _kind(backend: Backend | None) -> str:
    """Name a kind of backend, which this computer may have chosen before any worker did."""
    assert backend is not None, "a worker without a backend has complained"
    return f"{'fused' if backend.fused else 'torch'} on {backend.device}"


def _nodes() -> list[dict[str, Any]]:
    """List the nodes that are alive."""
    import ray

    found: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in found if node["Alive"]]
