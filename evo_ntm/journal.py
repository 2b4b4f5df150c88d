"""What evolution leaves in a run: a generation as rows, and checkpoints to go on from."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from evo_ntm.errors import EvoNTMError, ExperimentError, RunError
from evo_ntm.evolution.checkpoint import Checkpoint
from evo_ntm.evolution.engine import Generation
from evo_ntm.evolution.exam import ExamRow, passed
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.strategy import Event
from evo_ntm.evolution.workers import Workers
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.runs.drift import births_drift, state_drift
from evo_ntm.runs.log import Level
from evo_ntm.runs.store import Recorder
from evo_ntm.watch import Progress, Watch, progress

if TYPE_CHECKING:
    from deap import base

SECONDS_BETWEEN_COMMITS = 1.0
PARTS = ("generate", "update", "select", "mate", "mutate")


def keep_journal(
    recorder: Recorder,
    experiment: Experiment,
    turns: Iterator[Generation],
    watch: Watch,
    *,
    begun: float,
    on_generation: Callable[[Progress], None] | None = None,
    accept_drift: bool = False,
    drift: str | None = None,
    workers: Workers | None = None,
) -> None:
    """Record generation after generation, and tell of each once it is recorded.

    Generations that are there already have to come out as they did, unless drift is accepted;
    until they have, nothing is written. `drift` is what has drifted for sure. Ctrl-C ends it.
    `begun` is when, on the monotonic clock, the run began or would have begun, had it not been
    interrupted. `workers` are those who score. Raises RunError where the disk does not allow it.
    """
    words = recorder.run.words
    with _ending(recorder, watch, begun):
        for generation in turns:
            came = _drift(recorder, generation)
            if came is not None and not accept_drift:
                raise RunError(
                    f"{recorder.run.folder}: expected generation {generation.number} to come out "
                    f"as it did, but {came}; --accept-drift goes on from here otherwise than before"
                )
            heard = progress(experiment, words, generation, workers.alive if workers else 0)
            if came is None and generation.number <= recorder.generation:
                for individual in generation.births:
                    recorder.remember(individual.born, individual.genome)
                watch.again(generation, heard)
            else:
                drifts, drift = [told for told in (drift, came) if told], None
                _record(recorder, generation, drifts)
                watch.generation(generation, heard, drifts, workers.lost() if workers else ())
                if _publish(recorder, generation):
                    watch.checkpoint(generation.number)
                recorder.commit(every=SECONDS_BETWEEN_COMMITS)
            if on_generation is not None:
                on_generation(heard)
        recorder.fact("interrupted", False)


@contextmanager
def _ending(recorder: Recorder, watch: Watch, begun: float) -> Iterator[None]:
    """Take Ctrl-C for an end; whatever the end, commit what was recorded, and tell of it."""
    ending: tuple[str, Level] = "ended", "info"
    try:
        yield
    except KeyboardInterrupt:
        ending = "interrupted", "warning"
    except Exception as error:
        with suppress(EvoNTMError):  # a full disk takes no line about itself
            watch.end("stopped", "error", told=str(error))
        raise
    finally:
        if recorder.changed:
            recorder.fact("seconds", round(time.monotonic() - begun, 3))
            recorder.commit()
    if recorder.changed:
        watch.begin()  # for it may be that no generation was left to be told of
    watch.end(*ending)


def genomes(checkpoint: Checkpoint) -> dict[int, Genome]:
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
    at_once = checkpoint.ended or generation.unscored is not None
    due = at_once or recorder.due(checkpoint.generation, SECONDS_BETWEEN_COMMITS)
    if due:
        alive, parents = checkpoint.followed()
        recorder.publish(checkpoint.words, checkpoint.strategy.tensors, alive, parents)
    return due


def _drift(recorder: Recorder, generation: Generation) -> str | None:
    """Tell how a generation differs from what is known of it, or that it could not be scored.

    None where it does not differ.
    """
    number, checkpoint, told = generation.number, generation.checkpoint, None
    known = number <= recorder.generation
    if known:
        births = [birth_row(each) for each in generation.births]
        told = births_drift(recorder.run, number, births)
    if told is None and checkpoint is not None:
        if known or recorder.run.checkpoint_file(number).exists():
            told = state_drift(recorder.run, checkpoint.words, checkpoint.strategy.tensors)
    return told and (generation.unscored or told)


def _record(recorder: Recorder, generation: Generation, drifts: Sequence[str]) -> None:
    """Record a generation, whole or not at all, in place of one that came out otherwise."""
    ranked = sorted(generation.individuals, key=lambda each: (-each.fitness.values[0], each.born))
    with recorder.whole():
        if generation.number <= recorder.generation:
            recorder.forget(generation.number)
        recorder.record("births", [birth_row(each) for each in generation.births])
        for individual in generation.births:
            recorder.bear(individual.born, individual.genome, individual.operators)
        recorder.portray(generation.number, [(each.born, each.genome) for each in ranked])
        _record_looks(recorder, generation, drifts)


def _record_looks(recorder: Recorder, generation: Generation, drifts: Sequence[str]) -> None:
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
        "survivors": sorted(e.born for e in generation.individuals if e.generation != number),
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
        recorder.record("sittings", [sitting_row(sitting.rows, number, sitting.individual.born)])
    events = [Event(number, "drift", told) for told in drifts] + list(generation.events)
    recorder.record("events", [{"generation": e.generation, "kind": e.kind, "told": e.text}
                               for e in events])  # fmt: skip


def sitting_row(rows: Sequence[ExamRow], generation: int, birth: int) -> dict[str, Any]:
    """Tell of a sitting of the exam as the rows do."""
    return {
        "generation": generation,
        "birth": birth,
        "solved": int(passed(rows) is True),
        "rows": [asdict(row) for row in rows],
    }


def birth_row(individual: Individual) -> dict[str, Any]:
    """Tell of a birth as the rows do."""
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
