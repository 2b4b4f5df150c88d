"""What evolution leaves in a run: a generation as rows, checkpoints to go on from, a log."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from evo_ntm.errors import EvoNTMError, ExperimentError, RunError
from evo_ntm.evolution.checkpoint import Checkpoint
from evo_ntm.evolution.engine import QUANTILES, Generation
from evo_ntm.evolution.individual import Individual
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.reports.curves import Curves
from evo_ntm.runs.log import Level, Log
from evo_ntm.runs.provenance import provenance
from evo_ntm.runs.store import Recorder

if TYPE_CHECKING:
    from deap import base

SECONDS_BETWEEN_COMMITS = 1.0
SECONDS_BETWEEN_LINES = 1.0
PARTS = ("generate", "update", "select", "mate", "mutate")


@dataclass(frozen=True)
class Progress:
    """How far a run has come, once a generation.

    `rate` is in sequence-timesteps a second, `workers` are those alive beside this process.
    """

    generation: int
    generations: int
    best_fitness: float
    wrong_bits: float
    species: int
    stage: int
    rate: float
    seconds_left: float
    seconds: float
    failures: int
    events: tuple[str, ...]
    workers: int = 0


def keep_journal(
    recorder: Recorder,
    experiment: Experiment,
    turns: Iterator[Generation],
    *,
    backend: str,
    begun: float,
    log: Log,
    on_generation: Callable[[Progress], None] | None = None,
    accept_drift: bool = False,
    workers: Callable[[], int] = int,
) -> None:
    """Record generation after generation, and tell of each once it is recorded.

    Generations that are there already have to come out as they did, unless drift is accepted.
    Ctrl-C ends it. `begun` is when, on the monotonic clock, the run began or would have begun, had
    it not been interrupted. `workers` counts those alive. Raises RunError where the disk
    does not allow it.
    """
    process, folder = provenance(experiment, backend), recorder.run.folder
    recorder.fact("backend", backend)
    recorder.process(process)
    with ExitStack() as open_files:
        open_files.enter_context(log.within(folder))
        wanted = experiment.run.tensorboard
        curves = open_files.enter_context(Curves(folder)) if wanted else None
        watch = Watch(log, curves)
        log.tell("began", **process)
        try:
            for generation in turns:
                with recorder.whole():
                    _record(recorder, generation, accept_drift, log)
                heard = progress(experiment, generation, workers())
                watch.generation(generation, heard)
                if _publish(recorder, generation):
                    log.tell("checkpoint", generation=generation.number)
                recorder.commit(every=SECONDS_BETWEEN_COMMITS)
                if on_generation is not None:
                    on_generation(heard)
            recorder.fact("interrupted", False)
            watch.end("ended")
        except KeyboardInterrupt:
            watch.end("interrupted", "warning")
        except Exception as error:
            with suppress(EvoNTMError):  # a full disk takes no line about itself
                watch.end("stopped", "error", told=str(error))
            raise
        finally:
            recorder.fact("seconds", round(time.monotonic() - begun, 3))
            recorder.commit()


class Watch:
    """Tells who watches a run what happens: in its log, and to TensorBoard where there are curves.

    The log has the figures of a generation a second, and of the last one.
    """

    def __init__(self, log: Log, curves: Curves | None) -> None:
        self._log, self._curves = log, curves
        self._failures = 0
        self._untold: dict[str, Any] | None = None
        self._told = -math.inf

    def generation(self, generation: Generation, progress: Progress) -> None:
        """Tell of a generation that is recorded."""
        if self._curves is not None:
            self._curves.add(generation.number, figures(generation, progress))
        number, sitting = generation.number, generation.sitting
        for event in generation.events:
            self._log.tell(event.kind, generation=event.generation, told=event.text)
        if generation.champion is not None:
            self._log.tell("champion", generation=number, **_looks(generation))
        if sitting is not None:
            born = sitting.individual.born
            self._log.tell("sitting", generation=number, birth=born, solved=sitting.solved)
        self._failures += generation.failures
        told = asdict(replace(progress, stage=progress.stage + 1, failures=self._failures))
        del told["events"]
        self._untold = {**told, "rows": generation.rows, "statistics": generation.statistics}
        if time.monotonic() - self._told >= SECONDS_BETWEEN_LINES:
            self._figures()

    def end(self, kind: str, level: Level = "info", **told: Any) -> None:
        """Tell how this process ended."""
        self._figures()
        self._log.tell(kind, level, **told)

    def _figures(self) -> None:
        if self._untold is not None:
            self._log.tell("generation", "warning" if self._failures else "info", **self._untold)
            self._told, self._untold, self._failures = time.monotonic(), None, 0


def _looks(generation: Generation) -> dict[str, Any]:
    validation, champion = generation.validation, generation.champion
    assert validation is not None and champion is not None
    return {
        "birth": champion.born,
        "wrong_bits": validation.wrong_bits,
        "bits": validation.bits,
        "topology": str(champion.genome.topology),
    }


def figures(generation: Generation, progress: Progress) -> dict[str, float]:
    """List what is worth a curve of a generation, but for what is not finite."""
    statistics = generation.statistics
    named = {
        "best/fitness": progress.best_fitness,
        "best/wrong bits": progress.wrong_bits,
        **{f"fitness/{name}": statistics[name] for name in QUANTILES},
        **{f"strategy/{name}": value for name, value in statistics.items()
           if name not in QUANTILES},
        "run/species": progress.species,
        "run/stage": progress.stage + 1,
        "run/rows": generation.rows,
        "run/failures": progress.failures,
        "run/sequence-timesteps a second": progress.rate,
    }  # fmt: skip
    if (validation := generation.validation) is not None:
        named |= {
            "validation/wrong bits": validation.wrong_bits,
            "validation/bits": validation.bits,
        }
    return {name: float(value) for name, value in named.items() if math.isfinite(value)}


def alive(checkpoint: Checkpoint) -> dict[int, Genome]:
    """List the genomes of those with a number whom a run follows from."""
    individuals = checkpoint.individuals()
    return {each.number: each.genome for each in individuals if each.number is not None}


def own_parts(toolbox: "base.Toolbox | None") -> list[str]:
    """List what a DEAP user brought that changes how evolution goes."""
    return [name for name in PARTS if hasattr(toolbox, name)]


def check_toolbox(began: list[str], brought: list[str]) -> None:
    """Raise ExperimentError where a run cannot go on with what its user brought."""
    if "generate" in began:
        raise ExperimentError(
            "a run with `generate` and `update` of one's own cannot be resumed, as nobody but the "
            "toolbox knows what it has learned"
        )
    if began != brought:
        had, has = (", ".join(names) or "nothing" for names in (began, brought))
        raise ExperimentError(f"expected a toolbox that brings {had}, as the run began with, "
                              f"but it brings {has}")  # fmt: skip


def _publish(recorder: Recorder, generation: Generation) -> bool:
    """Publish a checkpoint where one is due, and tell whether that was so."""
    checkpoint = generation.checkpoint
    if checkpoint is None:
        return False
    at_once = checkpoint.ended or generation.unscored
    due = at_once or recorder.due(checkpoint.generation, SECONDS_BETWEEN_COMMITS)
    if due:
        unborn = [each for each in checkpoint.individuals() if each.number is None]
        parents = {each.parents[0] for each in unborn if each.parents}
        words, tensors = checkpoint.words, checkpoint.strategy.tensors
        recorder.publish(words, tensors, alive(checkpoint), parents)
    return due


def _record(recorder: Recorder, generation: Generation, accept_drift: bool, log: Log) -> None:
    """Put a generation on disk, all of it or nothing; compare it where it is there already."""
    number, births = generation.number, [_birth(each) for each in generation.births]
    if number <= recorder.generation:
        drift = recorder.differs(number, births)
        if drift is None:
            for individual in generation.births:
                recorder.bear(individual.born, individual.genome)
            return
        if not accept_drift:
            raise RunError(
                f"{recorder.run.folder}: expected generation {number} to come out as it did, but "
                f"{drift}; --accept-drift goes on from here otherwise than before"
            )
        recorder.forget(number)
        recorder.record("events", [{"generation": number, "kind": "drift", "told": drift}])
        log.tell("drift", "warning", generation=number, told=drift)
    recorder.record("births", births)
    for individual in generation.births:
        recorder.bear(individual.born, individual.genome)
    _record_looks(recorder, generation)


def _record_looks(recorder: Recorder, generation: Generation) -> None:
    """Record what was found out about a generation: its figures, validation, sitting and events."""
    number, validation, sitting = generation.number, generation.validation, generation.sitting
    recorder.record("generations", [{
        "number": number,
        "rows": generation.rows,
        "stage": generation.stage,
        "scored": generation.scored,
        "timesteps": generation.timesteps,
        "failures": generation.failures,
        "species": generation.species,
        "statistics": {name: float(value) for name, value in generation.statistics.items()},
        "seconds": generation.seconds,
    }])  # fmt: skip
    if generation.champion is not None:
        recorder.keep(generation.champion.born, generation.champion.genome)
    if validation is not None:
        recorder.record("validations", [{
            "generation": number,
            "birth": validation.individual.born,
            "wrong_bits": validation.wrong_bits,
            "bits": validation.bits,
            "champion": int(generation.champion is not None),
        }])  # fmt: skip
    if sitting is not None:
        recorder.record("sittings", [{
            "generation": number,
            "birth": sitting.individual.born,
            "solved": int(sitting.solved),
            "rows": [asdict(row) for row in sitting.rows],
        }])  # fmt: skip
    recorder.record("events", [{"generation": e.generation, "kind": e.kind, "told": e.text}
                               for e in generation.events])  # fmt: skip


def _birth(individual: Individual) -> dict[str, Any]:
    return {
        "number": individual.born,
        "generation": individual.generation,
        "parents": list(individual.parents),
        "operators": list(individual.operators),
        "genome": individual.genome.id,
        "topology": individual.genome.topology,
        "fitness": individual.fitness.values[0],
        "measures": individual.measures,
    }


def progress(experiment: Experiment, generation: Generation, workers: int = 0) -> Progress:
    """Tell how far a run has come."""
    settings, number = experiment.evolve, generation.number
    return Progress(
        generation=number,
        generations=settings.generations,
        best_fitness=generation.best.fitness.values[0],
        wrong_bits=generation.best.measures.get("wrong_bits", float("nan")),
        species=generation.species,
        stage=generation.stage,
        rate=generation.timesteps / max(generation.lasted, 1e-9),
        seconds_left=settings.seconds_left(number + 1, generation.seconds),
        seconds=generation.seconds,
        failures=generation.failures,
        events=tuple(event.text for event in generation.events),
        workers=workers,
    )
