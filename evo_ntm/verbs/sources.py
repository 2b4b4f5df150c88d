"""What can be tuned: a birth of a run, a published genome, a file, or random weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evo_ntm.errors import ExperimentError, GenomeError, RunError
from evo_ntm.evolution.breeding import found
from evo_ntm.evolution.fitting import bits_of, for_the_task
from evo_ntm.experiment import Experiment, dump, load, parse
from evo_ntm.genome import Genome
from evo_ntm.genome.founder import start
from evo_ntm.runs.run import EXPERIMENT, ROWS, Run
from evo_ntm.runs.store import open_run
from evo_ntm.seeds import derive
from evo_ntm.tasks import Task
from evo_ntm.verbs.opening import about, opened, task_of

PLACES = ("run.device", "run.backend", "run.threads")
# What a genome does not have: rows and epsilon of a memory, how far it may evolve, how one begins.
BESIDES = ("machine.rows", "machine.epsilon", "machine.bounds", "machine.alike")


@dataclass(frozen=True)
class Source:
    """Who is to be tuned, on what, and where the child goes.

    `run` is the run that gets it, whose birth `parent` is; without one a run is made, whose founder
    is by the operator `comes_by`, and `origin` says of what it was made.
    """

    genome: Genome
    experiment: Experiment
    run: Run | None = None
    parent: int = 1
    comes_by: str = ""
    origin: str = ""


def source_of(
    path: Path,
    birth: int | None,
    from_scratch: bool,
    elsewhere: bool,
    on: Path | str | None,
    changes: Sequence[str],
    task: Task | None,
) -> Source:
    """Find what lies at a path, and what it is to be tuned on.

    `elsewhere` asks for a run of its own whatever lies there; `changes` override the task file or
    the experiment. Raises GenomeError, RunError and ExperimentError.
    """
    if path.suffix in (".yaml", ".yml") and not path.is_dir():
        return _of_a_task_file(path, birth, from_scratch, on, changes, task)
    genome, own = opened(path, birth)
    run = open_run(path) if (path / ROWS).is_file() else None
    if run is not None and not from_scratch and not elsewhere:
        number = run.champion() if birth is None else birth
        return Source(genome, _in_place(run, on, changes), run, number)
    _refuse_another_machine(path, changes)
    experiment = _elsewhere(path, own, run, on, changes)
    of = f"birth {run.champion() if birth is None else birth} of {path}" if run else str(path)
    if not from_scratch:
        return Source(genome, experiment, comes_by="import", origin=f"{of}: genome {genome.id}")
    seed = seed_of(experiment)
    fresh = start(genome.topology, genome.encoding, derive(seed, "founder"),
                  alike=experiment.machine.alike)  # fmt: skip
    told = f"random weights by seed {seed} in the topology of {of}"
    return Source(genome.with_genes(fresh), experiment, comes_by="found", origin=told)


def _of_a_task_file(
    path: Path,
    birth: int | None,
    from_scratch: bool,
    on: Path | str | None,
    changes: Sequence[str],
    task: Task | None,
) -> Source:
    experiment = load(path, changes, tasks=None if task else ())
    if not from_scratch:
        raise RunError(f"{path}: expected a run, a published folder or a genome file, but this is "
                       "a task file; --from-scratch begins with random weights")  # fmt: skip
    if birth is not None or on is not None:
        what = "birth" if birth is not None else "on"
        raise RunError(f"{path}: expected no --{what}, as this is a task file")
    seed = seed_of(experiment)
    with about(path):
        genome = found(experiment, task_of(experiment, task), derive(seed, "founder"))
    return Source(genome, experiment, comes_by="found", origin=f"random weights by seed {seed}")


def _in_place(run: Run, on: Path | str | None, changes: Sequence[str]) -> Experiment:
    """Give a run's experiment with what is to be set of tuning.

    Raises ExperimentError, RunError where it is not the one that the run began with.
    """
    for change in changes:
        key = change.partition("=")[0]
        if not key.startswith("finetune.") and key not in PLACES:
            raise ExperimentError(f"{run.folder}: expected an override of finetune.… or of "
                                  f"{', '.join(PLACES)}, but came {key!r}; --to DIR makes a "
                                  "run of its own")  # fmt: skip
    accepted, edited = run.rows("SELECT told FROM events WHERE kind = 'drift'"), run.edited()
    if edited and not any(edited in drift["told"] for drift in accepted):
        run.require_unedited("; --to DIR makes a run of its own")
    if on is None:
        return load(run.folder / EXPERIMENT, changes, tasks=None)
    own, other = run.experiment, load(on, changes, tasks=None)
    if own.task_hash != other.task_hash:
        hint = "; --to DIR makes a run of its own" if own.task == other.task else ""
        raise ExperimentError(f"{on}: expected the task, curriculum and exam of {run.folder}, "
                              f"{_named(own)}, but came {_named(other)}{hint}")  # fmt: skip
    return own.model_copy(update={"finetune": other.finetune, "run": other.run})


def _elsewhere(
    path: Path,
    own: Experiment | None,
    run: Run | None,
    on: Path | str | None,
    changes: Sequence[str],
) -> Experiment:
    """Give the experiment of a run that is made for a genome. Raises ExperimentError."""
    if on is not None:
        other = load(on, changes, tasks=None)
        if own is not None and own.task != other.task:
            raise ExperimentError(f"{on}: expected the task of {path}, {_named(own)}, but it is "
                                  f"{_named(other)}")  # fmt: skip
        return other
    if own is None:
        raise RunError(f"{path}: expected a genome with its experiment, but the file has none; "
                       "--on TASK.yaml says on what to tune it")  # fmt: skip
    if run is not None:
        return load(run.folder / EXPERIMENT, changes, tasks=None)
    return parse(dump(own), str(path), overrides=changes, tasks=None, of_a_run=True)


def _refuse_another_machine(path: Path, changes: Sequence[str]) -> None:
    """Raise ExperimentError where the topology is to be another than that of the genome."""
    for key in (change.partition("=")[0] for change in changes):
        if key.partition(".")[0] == "machine" and not key.startswith(BESIDES):
            raise ExperimentError(f"{path}: expected no override of {key}, as the machine is the "
                                  "genome that is there")  # fmt: skip


def _named(experiment: Experiment) -> str:
    return f"{experiment.task} ({experiment.task_hash[:8]})"


def seed_of(experiment: Experiment) -> int:
    """Give the seed of a tuning: its own, or that of evolution."""
    told = experiment.finetune.seed
    return experiment.evolve.seed if told is None else told


def fitted(genome: Genome, experiment: Experiment, task: Task) -> Genome:
    """Give the genome that is trained: a tied one with as many bits as the task has.

    Raises GenomeError where it is not for this task, or would be untied before an exam that asks
    for other numbers of bits.
    """
    genome, bits = for_the_task(genome, task), bits_of(task)
    if genome.encoding == "direct" or experiment.finetune.encoding == "wires":
        for part in (*experiment.exam.validation, *experiment.exam.parts):
            if part.with_.get("bits", bits) != bits:
                asked = part.with_["bits"]
                raise GenomeError(f"expected a tied genome that is tuned by its genes, as "
                                  f"{part.name!r} asks for {asked} bits, not {bits}")  # fmt: skip
    return genome
