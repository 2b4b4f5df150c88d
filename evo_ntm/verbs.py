"""What the command line, the scripts and notebooks call: one function a verb."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_ntm.errors import EvoNTMError, GenomeError, RunError, TaskError
from evo_ntm.evolution.breeding import found
from evo_ntm.evolution.engine import Generation
from evo_ntm.evolution.engine import evolve as generations
from evo_ntm.evolution.exam import ExamRow, changed, passed, prepare
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.workers import Local, backend_of
from evo_ntm.experiment import Experiment, load, parse
from evo_ntm.genome import Genome
from evo_ntm.genome.ablation import ablate as ablated
from evo_ntm.genome.files import read_card, read_genome
from evo_ntm.machine.backends import Backend, missing
from evo_ntm.runs.store import (
    Recorder,
    create,
    free_folder,
    open_run,
    refuse_existing,
    refuse_written,
)
from evo_ntm.seeds import derive
from evo_ntm.tasks import KnownTask, Task, make
from evo_ntm.topology import wires as wires_of
from evo_ntm.topology.parts import total

if TYPE_CHECKING:
    from deap import base

__all__ = [
    "evolve", "exam", "finished", "founder", "free_folder", "load", "outcome", "read", "show",
    "wires",
]  # fmt: skip

PUBLISHED = "genome.safetensors"
SECONDS_BETWEEN_COMMITS = 1.0


@dataclass(frozen=True)
class Progress:
    """How far a run has come, once a generation. `rate` is in sequence-timesteps a second."""

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


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    path: Path
    solved: bool
    rows: tuple[ExamRow, ...]
    generation: int
    seconds: float
    topology: str
    sittings: int
    restarts: int
    interrupted: bool


@dataclass(frozen=True)
class ExamResult:
    """An exam sat once more."""

    rows: tuple[ExamRow, ...]
    passed: bool | None


@dataclass(frozen=True)
class WireRow:
    """A wire in the words of a table."""

    name: str
    source: str
    target: str
    shape: tuple[int, int]
    activation: str
    range: str
    feeds: str


def evolve(
    experiment: Experiment,
    *,
    to: Path | str | None = None,
    on_generation: Callable[[Progress], None] | None = None,
    task: Task | None = None,
    toolbox: "base.Toolbox | None" = None,
) -> Outcome:
    """Evolve until the exam is passed or a budget is spent, and leave a run folder.

    `task` is one's own, any object that satisfies Task; with settings, a KnownTask. The experiment
    names it, as made by `load(path, tasks=[name])`. `toolbox` is DEAP's, with one's own `select`,
    `mate` and `mutate` for the strategy genetic, or with `generate` and `update` instead of a
    strategy. Ctrl-C drops the generation in hand, and ends the run cleanly unless it is the first.
    Raises RunError where the folder exists or cannot be written, ExperimentError, TaskError and
    GenomeError where the experiment, the task and the toolbox do not go together.
    """
    task = _task(experiment, task)
    folder = Path(to) if to else None
    backend = check(experiment, folder)
    begun = time.monotonic()
    with Local(experiment.run.threads) as local:
        loop = generations(experiment, task, local.map, toolbox)
        first = next(loop)  # what cannot be evolved is refused here, before anything is written
        with create(folder, experiment) as recorder:
            recorder.fact("backend", str(backend))
            try:
                for generation in chain([first], loop):
                    with recorder.whole():
                        _record(recorder, generation)
                    recorder.commit(every=SECONDS_BETWEEN_COMMITS)
                    if on_generation is not None:
                        on_generation(_progress(experiment, generation))
                recorder.fact("interrupted", False)
            except KeyboardInterrupt:
                pass
            finally:
                recorder.fact("seconds", round(time.monotonic() - begun, 3))
                recorder.commit()
    return outcome(recorder.run.folder)


def check(experiment: Experiment, folder: Path | None) -> Backend:
    """Refuse a folder that is there, and a backend that is not; give the backend.

    Raises RunError and ExperimentError.
    """
    if folder is not None:
        refuse_existing(folder)
    return backend_of(experiment.run)


def outcome(path: Path) -> Outcome:
    """Read back how a run ended. Raises RunError where the folder holds no run."""
    run = open_run(path)
    facts = run.facts()
    sittings = run.rows("SELECT * FROM sittings ORDER BY number")
    last = run.rows("SELECT max(number) AS number FROM generations")[0]["number"]
    restarts = run.rows("SELECT count(*) AS count FROM events WHERE kind = 'restart'")[0]["count"]
    rows = _exam_rows(sittings[-1]["rows"]) if sittings else ()
    topology = "SELECT topology FROM validations JOIN births ON birth = births.number"
    champions = run.rows(f"{topology} WHERE champion ORDER BY validations.generation DESC")
    return Outcome(
        path=path,
        solved=any(sitting["solved"] for sitting in sittings),
        rows=rows,
        generation=-1 if last is None else last,
        seconds=facts.get("seconds", 0.0),
        topology=champions[0]["topology"] if champions else "none yet",
        sittings=len(sittings),
        restarts=restarts,
        interrupted=facts.get("interrupted", True),
    )


def slow(experiment: Experiment) -> str | None:
    """Say what is missing for the fused arithmetic that a run would have taken."""
    run = experiment.run
    return missing(run.device) if run.backend == "auto" and run.device == "cpu" else None


def finished(path: Path) -> Outcome | None:
    """Tell how a run ended, None where it was interrupted.

    Raises RunError where the folder holds no run that can be read, or one that is still written.
    """
    ended = outcome(path)
    if not ended.interrupted:
        return ended
    refuse_written(path)
    return None


def read(path: Path | str, birth: int | None = None) -> Genome:
    """Read a genome: a genome file, a published folder, or a run's champion or a birth of it."""
    return _opened(Path(path), birth)[0]


def founder(experiment: Experiment, *, task: Task | None = None) -> Genome:
    """Make a genome as an experiment begins with, for an optimiser of one's own."""
    stream = derive(experiment.evolve.seed, "founder")
    return found(experiment, _task(experiment, task), stream)


def exam(
    path: Path | str,
    *,
    birth: int | None = None,
    ablate: str | None = None,
    device: str | None = None,
    backend: str | None = None,
    threads: int | None = None,
    task: Task | None = None,
) -> ExamResult:
    """Let a genome sit the exam of the experiment that it came from.

    `ablate` takes a part away first: `reads`, `content`, `shift` or `head N`. `task` is one's own,
    as in `evolve`. Raises GenomeError or RunError where the path holds no genome, or a genome that
    knows of no exam.
    """
    genome, experiment = _opened(Path(path), birth)
    if experiment is None:
        raise RunError(f"{path}: expected a genome with its experiment, but the file has none")
    asked = {"device": device, "backend": backend}
    run = experiment.run.model_copy(update={key: told for key, told in asked.items() if told})
    with _about(path):
        if ablate is not None:
            genome = ablated(genome, ablate)
        chosen = backend_of(run)
        task, epsilon = _task(experiment, task), experiment.machine.epsilon
        _refuse_another_task_s(genome, experiment, task)
    questions = prepare(experiment.exam.parts, task, "exam", epsilon=epsilon, backend=chosen)
    with Local(threads or experiment.run.threads) as local:
        rows = tuple(part.answer(genome, local.map) for part in questions)
    return ExamResult(rows, passed(rows))


def wires(path: Path | str) -> list[WireRow]:
    """List every wire of a machine: of a genome, a run's champion, or a task file's founder."""
    is_task_file = Path(path).suffix in (".yaml", ".yml")
    genome = founder(load(path)) if is_task_file else read(path)
    return [
        WireRow(wire.name, wire.source, wire.port.name, wire.shape, wire.port.activation,
                wire.port.range, wire.port.feeds)
        for wire in wires_of(genome.topology).values()
    ]  # fmt: skip


def show(
    path: Path | str, *, birth: int | None = None, to: Path | str, length: int | None = None
) -> None:
    """Draw the memory in use on one sequence, after figure 6 of Graves et al. (2014)."""
    from evo_ntm.reports.memory_use import draw

    genome, experiment = _opened(Path(path), birth)
    if experiment is None:
        raise RunError(f"{path}: expected a genome with its experiment, but the file has none")
    with _about(path):
        _refuse_another_task_s(genome, experiment, _task(experiment, None))
    draw(genome, experiment, to=Path(to), length=length)


def _task(experiment: Experiment, brought: Task | None) -> Task:
    """Make the task of an experiment, or give its settings to the one that was brought."""
    if brought is None:
        return make(experiment.task, experiment.with_)
    if isinstance(brought, KnownTask) and brought.name != experiment.task:
        raise TaskError(f"task: expected {experiment.task!r}, as the experiment says, "
                        f"but came {brought.name!r}")  # fmt: skip
    return changed(brought, experiment.with_.model_dump())


@contextmanager
def _about(path: Path | str) -> Iterator[None]:
    """Name the file in what is said of it."""
    try:
        yield
    except EvoNTMError as error:
        raise type(error)(f"{path}: {error}") from error


def _refuse_another_task_s(genome: Genome, experiment: Experiment, task: Task) -> None:
    """Raise GenomeError where a machine has not the channels of the task of its experiment."""
    topology = genome.topology
    bits = next((block.size for block in task.inputs if block.per_bit), None)
    if genome.encoding == "tied" and bits is not None and topology.bits is not None:
        topology = topology.with_bits(bits)
    asked, there = total(task.inputs), total(topology.inputs)
    answered, given = total(task.outputs), total(topology.outputs)
    if (asked, answered) != (there, given):
        raise GenomeError(f"expected a machine of {asked} inputs and {answered} outputs, as "
                          f"{experiment.task} asks, but it has {there} and {given}")  # fmt: skip


def _opened(path: Path, birth: int | None) -> tuple[Genome, Experiment | None]:
    """Read a genome, and the experiment that it came from where that is known."""
    if path.suffix in (".yaml", ".yml") and path.is_file():
        raise RunError(f"{path}: expected a run, a published folder or a genome file, but this is "
                       "a task file")  # fmt: skip
    if path.is_dir() and (path / PUBLISHED).is_file():
        path = path / PUBLISHED
    if path.is_dir():
        run = open_run(path)
        return run.genome(birth), run.experiment
    if birth is not None:
        raise RunError(f"{path}: expected a run to choose birth {birth} from, but this is a file")
    genome = read_genome(path)
    told = read_card(path).get("experiment")
    return genome, parse(told, str(path), tasks=None) if told is not None else None


def _record(recorder: Recorder, generation: Generation) -> None:
    """Put a generation on disk, all of it or nothing."""
    number, validation, sitting = generation.number, generation.validation, generation.sitting
    recorder.record("births", [_birth(individual) for individual in generation.births])
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
        "topology": str(individual.genome.topology),
        "fitness": individual.fitness.values[0],
        "measures": individual.measures,
    }


def _progress(experiment: Experiment, generation: Generation) -> Progress:
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
    )


def _exam_rows(told: str) -> tuple[ExamRow, ...]:
    def number(value: float | None) -> float:
        return float("inf") if value is None else value

    return tuple(
        ExamRow(**{
            **row,
            "wrong_bits": number(row["wrong_bits"]),
            "bits": number(row["bits"]),
            "measures": {name: number(value) for name, value in row["measures"].items()},
        })
        for row in json.loads(told)
    )  # fmt: skip
