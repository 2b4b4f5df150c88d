"""Evolve, and go on with what was interrupted."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_ntm.beginnings import as_it_began, changed, granted
from evo_ntm.errors import RunError
from evo_ntm.evolution.breeding import found
from evo_ntm.evolution.checkpoint import Checkpoint, read_checkpoint
from evo_ntm.evolution.engine import evolve as generations
from evo_ntm.evolution.fitting import for_the_task
from evo_ntm.evolution.workers import workers_of
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.journal import check_toolbox, genomes, keep_journal, own_parts
from evo_ntm.machine.backends import missing
from evo_ntm.outcome import Outcome, outcome
from evo_ntm.reports.curves import FOLDER as CURVES
from evo_ntm.reports.curves import needs_tensorboard
from evo_ntm.runs.disk import require_room
from evo_ntm.runs.limits import EVENT, FACT, limits_of, more, over, reached
from evo_ntm.runs.log import LOG, Log
from evo_ntm.runs.provenance import provenance
from evo_ntm.runs.run import CHAMPIONS, CHECKPOINTS, ROWS
from evo_ntm.runs.store import (
    Recorder,
    Run,
    create,
    open_run,
    refuse_existing,
    require_place,
)
from evo_ntm.seeds import derive
from evo_ntm.tasks import RewardTask, Task
from evo_ntm.tuning.assignment import under_way
from evo_ntm.verbs.opening import about, task_of
from evo_ntm.watch import Progress, Watch
from evo_ntm.words import counted

if TYPE_CHECKING:
    from deap import base

WRITTEN = (ROWS, CHAMPIONS, CHECKPOINTS, LOG, CURVES)


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
    task = task_of(experiment, task)
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
        process = provenance(experiment, workers.facts["backend"], workers.asked)
        facts = {**workers.facts, "toolbox": own_parts(toolbox),
                 "rewards": isinstance(task, RewardTask)}  # fmt: skip
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
    """Go on with a run that was interrupted, as it would have gone on, or that is given more time.

    Generations since the last checkpoint are evolved once more, and those that are on disk have to
    come out as they did. `task` and `toolbox` are those that the run began with, if one's own.
    `accept_drift` goes on with another backend, or where generations come out otherwise: these
    replace those on disk, and an event tells so. `from_older` goes back to an older checkpoint
    where the last one is torn or missing. `overrides` say where it is computed from now on, as
    `run.workers=2`, and how long, as `evolve.minutes=60`, which lets a run go on that has ended
    without passing its exam. Raises RunError where there is nothing to resume, ExperimentError
    where an override is of anything else, and ClusterError where workers cannot be had; then
    nothing has changed on disk.
    """
    with ExitStack() as stack:
        recorder = stack.enter_context(Recorder(open_run(Path(path))))
        run = recorder.run
        began = changed(run, overrides)
        given, told = granted(run, began)
        _refuse_over(run, began, told)
        with about(path):
            task = task_of(began, task)
            check_toolbox(run.facts().get("toolbox", []), own_parts(toolbox))
        if began.run.tensorboard:
            needs_tensorboard()
        found = run.checkpoint(older=from_older)
        since = None if found is None else _reopened(run, read_checkpoint(*found), began)
        with about(path):
            for individual in since.individuals()[:1] if since else ():
                for_the_task(individual.genome, task)
        experiment, workers, drift = as_it_began(run, began, stack, accept_drift=accept_drift)
        require_room(run.folder, *WRITTEN)
        with about(path):
            loop = generations(experiment, task, workers.map, toolbox, since, workers.backend,
                               run.lasts(experiment.evolve.validate_every))  # fmt: skip
        if on_begin is not None:
            on_begin()
        recorder.resume(since.generation if since else -1, genomes(since) if since else {})
        process = provenance(experiment, workers.facts["backend"], workers.asked)
        facts = {FACT: given, "interrupted": True} if told else {}
        events = [(EVENT, told)] if told else []
        recorder.sign(process, {**workers.facts, **facts}, events)
        begun = time.monotonic() - (since.seconds if since else 0.0)
        watch = stack.enter_context(_watch(run, experiment, process))
        keep_journal(recorder, experiment, loop, watch, begun=begun, on_generation=on_generation,
                     accept_drift=accept_drift, drift=drift, workers=workers)  # fmt: skip
    return outcome(run.folder)


def slow(experiment: Experiment) -> str | None:
    """Say what is missing for the fused arithmetic that a run would have taken."""
    run = experiment.run
    on_cpu = run.backend == "auto" and run.computes_on == "cpu"
    return missing(run.device) if on_cpu else None


def founder(experiment: Experiment, *, task: Task | None = None) -> Genome:
    """Make a genome as an experiment begins with, for an optimiser of one's own."""
    task = task_of(experiment, task)
    return found(experiment, task, derive(experiment.evolve.seed, "founder"))


def _watch(run: Run, experiment: Experiment, process: Mapping[str, Any]) -> Watch:
    log = Log()
    log.tell("began", **process)
    return Watch(run.folder, log, curves=experiment.run.tensorboard)


def _refuse_over(run: Run, experiment: Experiment, told: str | None) -> None:
    """Refuse a run that no generation follows; `told` says what limits it was given just now."""
    if under_way(run) is not None:
        raise RunError(f"{run.folder}: expected evolution that was interrupted, but a tuning was: "
                       "resume_tuning goes on with it")  # fmt: skip
    ended = not run.facts().get("interrupted", True)
    why = over(run) if ended or told else None
    if why or (ended and not told):
        longer = more(run)
        hint = f"; --set {longer} lets it go on" if longer else ""
        raise RunError(f"{run.folder}: expected a run that was interrupted, but it has ended, "
                       f"after {counted(run.generation() + 1, 'generation')}"
                       f"{f', as {why}' if why else hint}")  # fmt: skip
    if told and (at := reached(run, experiment)):
        name, made = at
        raise RunError(f"{run.folder}: expected limits that leave room for more, but of evolve."
                       f"{name}={limits_of(experiment)[name]:g} {made:.6g} are spent")  # fmt: skip


def _reopened(run: Run, since: Checkpoint, experiment: Experiment) -> Checkpoint:
    """Give a checkpoint that generations follow if the limits leave room for any."""
    spent = experiment.evolve.spent(since.generation + 1, since.seconds, since.scored)
    return replace(since, ended=since.ended and bool(spent or over(run)))
