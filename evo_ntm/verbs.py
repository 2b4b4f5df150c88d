"""What the command line, the scripts and notebooks call: one function a verb."""

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_ntm.beginnings import arithmetic_facts, as_it_began, elsewhere
from evo_ntm.errors import EvoNTMError, GenomeError, RunError, TaskError
from evo_ntm.evolution.breeding import found
from evo_ntm.evolution.checkpoint import read_checkpoint
from evo_ntm.evolution.engine import evolve as generations
from evo_ntm.evolution.exam import ExamRow, ask, changed, passed, prepare
from evo_ntm.evolution.workers import Local, backend_of, workers_of
from evo_ntm.experiment import Experiment, load, parse
from evo_ntm.genome import Genome
from evo_ntm.genome.ablation import ablate as ablated
from evo_ntm.genome.files import read_card, read_genome
from evo_ntm.journal import check_toolbox, genomes, keep_journal, own_parts
from evo_ntm.machine.backends import missing
from evo_ntm.outcome import Outcome, finished, outcome
from evo_ntm.reports.curves import FOLDER as CURVES
from evo_ntm.reports.curves import needs_tensorboard
from evo_ntm.reports.status import Status, statuses
from evo_ntm.reports.status import status as status_of
from evo_ntm.runs.digest import digest as digest_of
from evo_ntm.runs.disk import require_room
from evo_ntm.runs.log import LOG, Log
from evo_ntm.runs.provenance import provenance
from evo_ntm.runs.run import CHAMPIONS, CHECKPOINTS, ROWS
from evo_ntm.runs.store import (
    Recorder,
    Run,
    create,
    free_folder,
    open_run,
    refuse_existing,
    require_place,
)
from evo_ntm.seeds import derive
from evo_ntm.tasks import KnownTask, Task, make
from evo_ntm.topology import wires as wires_of
from evo_ntm.topology.parts import total
from evo_ntm.watch import Progress, Watch

if TYPE_CHECKING:
    from deap import base

__all__ = [
    "Outcome", "digest", "evolve", "exam", "finished", "founder", "free_folder", "load", "outcome",
    "read", "resume", "runs", "show", "status", "wires",
]  # fmt: skip

PUBLISHED = "genome.safetensors"
WRITTEN = (ROWS, CHAMPIONS, CHECKPOINTS, LOG, CURVES)


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
    on_begin: Callable[[], None] | None = None,
    on_generation: Callable[[Progress], None] | None = None,
    task: Task | None = None,
    toolbox: "base.Toolbox | None" = None,
) -> Outcome:
    """Evolve until the exam is passed or a budget is spent, and leave a run folder.

    `task` is one's own, any object that satisfies Task; with settings, a KnownTask. The experiment
    names it, as made by `load(path, tasks=[name])`. `toolbox` is DEAP's, with one's own `select`,
    `mate` and `mutate` for the strategy genetic, or with `generate` and `update` instead of a
    strategy. Ctrl-C drops the generation in hand, and ends the run cleanly unless it is the first.
    `on_begin` hears when the workers are there. Raises RunError where the folder exists or cannot
    be written, ClusterError where there are no such workers, ExperimentError, TaskError and
    GenomeError where the experiment, the task and the toolbox do not go together.
    """
    task = _task(experiment, task)
    folder = Path(to) if to else None
    if folder is not None:
        refuse_existing(folder)
    require_place(folder)
    if experiment.run.tensorboard:
        needs_tensorboard()
    begun = time.monotonic()
    with workers_of(experiment.run) as workers:
        if on_begin is not None:
            on_begin()
        loop = generations(experiment, task, workers.map, toolbox, backend=workers.backend)
        first = next(loop)  # what cannot be evolved is refused here, before anything is written
        process = provenance(experiment, str(workers.backend), workers.asked)
        facts = {**arithmetic_facts(workers.backend), "toolbox": own_parts(toolbox)}
        with (
            create(folder, experiment, process=process, facts=facts) as recorder,
            _watch(recorder.run, experiment, process) as watch,
        ):
            turns = chain([first], loop)
            keep_journal(recorder, experiment, turns, watch, begun=begun,
                         on_generation=on_generation, workers=workers)  # fmt: skip
    return outcome(recorder.run.folder)


def resume(
    path: Path | str,
    *,
    on_begin: Callable[[], None] | None = None,
    on_generation: Callable[[Progress], None] | None = None,
    task: Task | None = None,
    toolbox: "base.Toolbox | None" = None,
    accept_drift: bool = False,
    from_older: bool = False,
    overrides: Sequence[str] = (),
) -> Outcome:
    """Go on with a run that was interrupted, as it would have gone on.

    Generations since the last checkpoint are evolved once more, and those that are on disk have to
    come out as they did. `task` and `toolbox` are those that the run began with, if one's own.
    `accept_drift` goes on with another backend, or where generations come out otherwise: these
    replace those on disk, and an event tells so. `from_older` goes back to an older checkpoint
    where the last one is torn or missing. `overrides` say where it is computed from now on, as
    `run.workers=2`. Raises RunError where there is nothing to resume, ExperimentError where an
    override is of anything else, and ClusterError where workers cannot be had; then nothing has
    changed on disk.
    """
    with ExitStack() as stack:
        recorder = stack.enter_context(Recorder(open_run(Path(path))))
        run = recorder.run
        _refuse_ended(run)
        began = elsewhere(run, overrides)
        with _about(path):
            task = _task(began, task)
            check_toolbox(run.facts().get("toolbox", []), own_parts(toolbox))
        if began.run.tensorboard:
            needs_tensorboard()
        found = run.checkpoint(older=from_older)
        since = None if found is None else read_checkpoint(*found)
        experiment, workers, drift = as_it_began(run, began, stack, accept_drift=accept_drift)
        require_room(run.folder, *WRITTEN)
        if on_begin is not None:
            on_begin()
        recorder.resume(since.generation if since else -1, genomes(since) if since else {})
        process = provenance(experiment, str(workers.backend), workers.asked)
        recorder.sign(process, arithmetic_facts(workers.backend))
        begun = time.monotonic() - (since.seconds if since else 0.0)
        loop = generations(experiment, task, workers.map, toolbox, since, workers.backend)
        watch = stack.enter_context(_watch(run, experiment, process))
        keep_journal(recorder, experiment, loop, watch, begun=begun, on_generation=on_generation,
                     accept_drift=accept_drift, drift=drift, workers=workers)  # fmt: skip
    return outcome(run.folder)


def digest(path: Path | str) -> str:
    """Give one hash over all births of a run and its surviving weights.

    It is the same for two runs that went the same way. Raises RunError where the folder holds no
    run, GenomeError where a champion's file is torn.
    """
    return digest_of(open_run(Path(path)))


def status(path: Path | str) -> Status:
    """Tell how far a run has come, also while it runs. Raises RunError where there is none."""
    return status_of(Path(path))


def runs(folder: Path | str) -> dict[Path, Status | str]:
    """Tell of every run in a folder how far it has come, or why it cannot be read.

    Raises RunError where there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RunError(f"{folder}: expected a folder with runs, but there is none")
    if (folder / ROWS).is_file():
        raise RunError(f"{folder}: expected a folder with runs, but it is a run itself: "
                       f"evo-ntm status {shlex.quote(str(folder))}")  # fmt: skip
    return statuses(folder)


def _watch(run: Run, experiment: Experiment, process: Mapping[str, Any]) -> Watch:
    log = Log()
    log.tell("began", **process)
    return Watch(run.folder, log, curves=experiment.run.tensorboard)


def _refuse_ended(run: Run) -> None:
    if not run.facts().get("interrupted", True):
        raise RunError(f"{run.folder}: expected a run that was interrupted, but it has ended, "
                       f"after {run.generation() + 1} generations")  # fmt: skip


def slow(experiment: Experiment) -> str | None:
    """Say what is missing for the fused arithmetic that a run would have taken."""
    run = experiment.run
    on_cpu = run.backend == "auto" and run.computes_on == "cpu"
    return missing(run.device) if on_cpu else None


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
    asked = {"device": device or experiment.run.computes_on, "backend": backend}
    asked = {key: told for key, told in asked.items() if told}
    run = experiment.run.model_copy(update={**asked, "gpus_per_worker": 0.0})
    with _about(path):
        if ablate is not None:
            genome = ablated(genome, ablate)
        chosen = backend_of(run)
        task, epsilon = _task(experiment, task), experiment.machine.epsilon
        _refuse_another_task_s(genome, experiment, task)
    questions = prepare(experiment.exam.parts, task, "exam", epsilon=epsilon, backend=chosen)
    with Local(threads or experiment.run.threads) as local:
        rows = ask(questions, genome, local.map)
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
    return genome, parse(told, str(path), tasks=None, of_a_run=True) if told is not None else None
