"""What evolution leaves in a run: a generation as rows, and checkpoints to go on from."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from evo_ntm.errors import ExperimentError, RunError
from evo_ntm.evolution.checkpoint import Checkpoint
from evo_ntm.evolution.engine import Generation
from evo_ntm.evolution.individual import Individual
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.runs.store import Recorder

if TYPE_CHECKING:
    from deap import base

SECONDS_BETWEEN_COMMITS = 1.0
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
    begun: float,
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
    try:
        for generation in turns:
            with recorder.whole():
                _record(recorder, generation, accept_drift)
            _publish(recorder, generation)
            recorder.commit(every=SECONDS_BETWEEN_COMMITS)
            if on_generation is not None:
                on_generation(progress(experiment, generation, workers()))
        recorder.fact("interrupted", False)
    except KeyboardInterrupt:
        pass
    finally:
        recorder.fact("seconds", round(time.monotonic() - begun, 3))
        recorder.commit()


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


def _publish(recorder: Recorder, generation: Generation) -> None:
    checkpoint = generation.checkpoint
    if checkpoint is None:
        return
    at_once = checkpoint.ended or generation.unscored
    if at_once or recorder.due(checkpoint.generation, SECONDS_BETWEEN_COMMITS):
        unborn = [each for each in checkpoint.individuals() if each.number is None]
        parents = {each.parents[0] for each in unborn if each.parents}
        words, tensors = checkpoint.words, checkpoint.strategy.tensors
        recorder.publish(words, tensors, alive(checkpoint), parents)


def _record(recorder: Recorder, generation: Generation, accept_drift: bool) -> None:
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
    settings = experiment.evolve
    done = generation.number + 1
    left = (settings.generations - done) * generation.seconds / done
    if settings.minutes is not None:
        left = min(left, 60 * settings.minutes - generation.seconds)
    return Progress(
        generation=generation.number,
        generations=settings.generations,
        best_fitness=generation.best.fitness.values[0],
        wrong_bits=generation.best.measures.get("wrong_bits", float("nan")),
        species=generation.species,
        stage=generation.stage,
        rate=generation.timesteps / max(generation.lasted, 1e-9),
        seconds_left=max(left, 0.0),
        seconds=generation.seconds,
        failures=generation.failures,
        events=tuple(event.text for event in generation.events),
        workers=workers,
    )
