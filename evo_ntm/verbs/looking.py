"""Look at runs and machines: how far, how good, how wired, how the memory is used."""

import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from evo_ntm.errors import ReportError, RunError
from evo_ntm.evolution.evaluate import heard
from evo_ntm.evolution.exam import ExamRow, ask, passed, prepare
from evo_ntm.evolution.fitting import for_the_task
from evo_ntm.evolution.tape_use import with_tape_use
from evo_ntm.evolution.workers import Local, backend_of
from evo_ntm.experiment import Experiment, load
from evo_ntm.genome import Genome
from evo_ntm.genome.ablation import ablate as ablated
from evo_ntm.genome.files import PUBLISHED
from evo_ntm.reports.claims import Verdict, held_against
from evo_ntm.reports.status import Status, statuses
from evo_ntm.reports.status import status as status_of
from evo_ntm.runs.digest import digest as digest_of
from evo_ntm.runs.run import ROWS
from evo_ntm.runs.store import open_run
from evo_ntm.tasks import Task
from evo_ntm.topology import wires as wires_of
from evo_ntm.verbs.evolving import founder
from evo_ntm.verbs.opening import about, edited, opened, read, task_of


@dataclass(frozen=True)
class ExamResult:
    """An exam sat once more."""

    rows: tuple[ExamRow, ...]
    passed: bool | None
    failures: tuple[str, ...] = ()
    """Why single episodes failed, which then count as not passed."""
    edited: str | None = None
    """How the experiment of a run is no longer what it began with."""
    card: Verdict | None = None
    """Whether the card of a published genome holds; None where there is none to hold it against."""


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
        came = "this is a file" if folder.exists() else "there is none"
        raise RunError(f"{folder}: expected a folder with runs, but {came}")
    if (folder / ROWS).is_file():
        raise RunError(f"{folder}: expected a folder with runs, but it is a run itself: "
                       f"evo-ntm status {shlex.quote(str(folder))}")  # fmt: skip
    return statuses(folder)


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

    `ablate` takes a part away first: `reads`, `writes`, a stage of addressing (`content`, `shift`,
    `sharpening`), `head N`, or a stage of one, as `head N shift`. Of a whole machine with a tape
    the rows also tell what it makes of the tape. `task` is one's own, as in `evolve`.
    Raises GenomeError or RunError where the path holds no genome, or a genome that knows of no
    exam.
    """
    genome, experiment = opened(Path(path), birth)
    if experiment is None:
        raise RunError(f"{path}: expected a genome with its experiment, but the file has none")
    asked = {"device": device or experiment.run.computes_on, "backend": backend}
    asked = {key: told for key, told in asked.items() if told}
    run = experiment.run.model_copy(update={**asked, "gpus_per_worker": 0.0})
    with about(path):
        task, epsilon = task_of(experiment, task), experiment.machine.epsilon
        for_the_task(genome, task)
        if ablate is not None:
            genome = ablated(genome, ablate)
        chosen = backend_of(run)
    questions = prepare(experiment.exam.parts, task, "exam", epsilon=epsilon, backend=chosen)
    with Local(threads or experiment.run.threads) as local:
        spread = partial(heard, local.map, reasons := list[str]())
        rows = ask(questions, genome, spread)
        if genome.topology.tape_heads and ablate is None:
            rows = with_tape_use(rows, questions, genome, spread)
    card = _card(Path(path), genome, experiment, rows) if ablate is None else None
    return ExamResult(rows, passed(rows), tuple(dict.fromkeys(reasons)), edited(path), card)


def _card(
    path: Path, genome: Genome, experiment: Experiment, rows: tuple[ExamRow, ...]
) -> Verdict | None:
    if not (path / PUBLISHED).is_file():
        return None
    try:
        return held_against(path, genome, experiment, rows)
    except ReportError as error:
        return Verdict(False, str(error))


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

    genome, experiment = opened(Path(path), birth)
    if experiment is None:
        raise RunError(f"{path}: expected a genome with its experiment, but the file has none")
    with about(path):
        for_the_task(genome, task_of(experiment, None))
    draw(genome, experiment, to=Path(to), length=length)
