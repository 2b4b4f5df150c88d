"""Train by gradients what evolved, what was published, or a random machine."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import torch

from evo_ntm.beginnings import drifted
from evo_ntm.errors import ExperimentError, RunError, refuse_text
from evo_ntm.evolution.school import school
from evo_ntm.evolution.workers import Local, backend_of
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.genome.files import genome_bytes
from evo_ntm.runs.disk import require_room
from evo_ntm.runs.log import LOG, Log
from evo_ntm.runs.provenance import provenance
from evo_ntm.runs.recorder import Recorder
from evo_ntm.runs.run import CHAMPIONS, ROWS, Run
from evo_ntm.runs.store import create, open_run, refuse_existing, require_place
from evo_ntm.tasks import Task, sequences
from evo_ntm.training import descent_of
from evo_ntm.tuning import tune
from evo_ntm.tuning.assignment import FACT, Assignment, begin, last_place, under_way
from evo_ntm.tuning.journal import keep_diary, record_founder
from evo_ntm.tuning.loop import Lesson
from evo_ntm.tuning.tuned import Progress, Tuned
from evo_ntm.verbs.opening import about, task_of
from evo_ntm.verbs.sources import Source, fitted, seed_of, source_of

WRITTEN = (ROWS, CHAMPIONS, LOG)


def finetune(
    path: Path | str,
    *,
    birth: int | None = None,
    steps: int | None = None,
    from_scratch: bool = False,
    to: Path | str | None = None,
    on: Path | str | None = None,
    seed: int | None = None,
    device: str | None = None,
    backend: str | None = None,
    overrides: Sequence[str] = (),
    anew: bool = False,
    on_begin: Callable[[], None] | None = None,
    on_look: Callable[[Progress], None] | None = None,
    task: Task | None = None,
) -> Tuned:
    """Train a genome by gradients until the exam is passed or a budget is spent.

    A run that has ended gets the child of its champion, or of another `birth`, unless `to` names
    another place. For a published folder, a genome file or a task file a run is made, in `to` or in
    the next free place: its founder is what was there, or, `from_scratch`, random weights in the
    machine of the task file, or in the topology of what is at the path. `on` is a task file to tune
    on in place of what is known of the genome; it has to be of the same task. `steps`, `seed`,
    `device` and `backend` override finetune.steps, finetune.seed, run.device and run.backend.
    `anew` drops a tuning of the run that was interrupted. `task` is one's own, as in `evolve`.
    Ctrl-C leaves a tuning that `resume_tuning` goes on with. Raises RunError where the run has not
    ended, is written by another process, or cannot be made, GenomeError and ExperimentError where
    genome, task and settings do not go together.
    """
    refuse_text(overrides, "overrides, as ['finetune.batch=8']", ExperimentError)
    told = {"finetune.steps": steps, "finetune.seed": seed, "run.device": device,
            "run.backend": backend}  # fmt: skip
    changes = [*overrides, *(f"{key}={value}" for key, value in told.items() if value is not None)]
    with ExitStack() as stack:
        place = None if to is None else Path(to)
        if place is not None:
            refuse_existing(place)
        source = source_of(Path(path), birth, from_scratch, place is not None, on, changes, task)
        recorder = None
        if source.run is None:
            require_place(place)
        else:
            recorder = stack.enter_context(Recorder(source.run))
            _refuse_unended(source.run, anew=anew)
            require_room(source.run.folder, *WRITTEN)
        with about(path):
            lesson, genome = stack.enter_context(_lesson(source, task))
            looks = tune(lesson, genome)
            first = next(looks)  # what cannot be tuned is refused here, before anything is written
        if on_begin is not None:
            on_begin()
        assignment = _assignment(source, lesson)
        process = provenance(lesson.experiment, assignment.backend)
        log = Log()
        log.tell("began", **process)
        if recorder is None:
            facts = {**lesson.school.backend.facts, "toolbox": []}
            facts[FACT] = assignment.words
            files = {f"{CHAMPIONS}/{assignment.parent}.safetensors": genome_bytes(source.genome)}
            recorder = stack.enter_context(
                create(place, lesson.experiment, process=process, facts=facts, files=files)
            )
            record_founder(recorder, assignment, lesson, source.genome, genome)
        else:
            recorder.sign(process)
            begin(recorder, assignment)
        return keep_diary(recorder, assignment, lesson, chain([first], looks), log, on_look=on_look)


def resume_tuning(
    path: Path | str,
    *,
    on_begin: Callable[[], None] | None = None,
    on_look: Callable[[Progress], None] | None = None,
    accept_drift: bool = False,
    threads: int | None = None,
    task: Task | None = None,
) -> Tuned:
    """Go on with a tuning that was interrupted, to the same bits as if it had not been.

    `accept_drift` goes on with other arithmetic, or by another experiment, than it began with.
    `task` is one's own, if it began with one. Raises RunError where no tuning of this run was
    interrupted, or something has drifted, ExperimentError where its curriculum is shorter now.
    """
    with ExitStack() as stack:
        recorder = stack.enter_context(Recorder(open_run(Path(path))))
        run = recorder.run
        assignment = under_way(run)
        if assignment is None:
            raise RunError(f"{run.folder}: expected a tuning that was interrupted, "
                           "but none is under way")  # fmt: skip
        experiment = _as_assigned(run.experiment, assignment, threads)
        source = Source(run.genome(assignment.parent), experiment, run, assignment.parent)
        require_room(run.folder, *WRITTEN)
        with about(path):
            lesson, genome = stack.enter_context(_lesson(source, task))
            drift = [edited] if (edited := run.edited()) else []
            drift += drifted(assignment.arithmetic, lesson.school.backend.arithmetic)
            if drift and not accept_drift:
                raise RunError(f"{'; '.join(drift)}; --accept-drift goes on otherwise than before")
            since = last_place(run, assignment, lesson.descent)
            lesson.school.require(since.stage if since else 0)
            looks = tune(lesson, genome, since)
        if on_begin is not None:
            on_begin()
        process = provenance(experiment, assignment.backend)
        recorder.sign(process)
        if drift:
            recorder.record("events", [{"generation": assignment.generation, "kind": "drift",
                                        "told": "; ".join(drift)}])  # fmt: skip
            recorder.commit()
        log = Log()
        log.tell("began", **process)
        if not run.rows("SELECT 1 FROM births WHERE number = ?", assignment.parent):
            record_founder(recorder, assignment, lesson, source.genome, genome)
        return keep_diary(recorder, assignment, lesson, looks, log, since=since, on_look=on_look)


def is_being_tuned(path: Path | str) -> bool:
    """Tell whether a tuning of a run is under way, or was interrupted."""
    return under_way(open_run(Path(path))) is not None


def is_to_be_tuned(path: Path | str) -> bool:
    """Tell whether the task file of a run asks for a tuning, and nothing was tuned yet."""
    run = open_run(Path(path))
    tuned = run.rows("SELECT 1 FROM tunings LIMIT 1")
    return run.experiment.finetune.after_evolution and not tuned


def _refuse_unended(run: Run, *, anew: bool) -> None:
    """Raise RunError where a run is not over, or another tuning of it is not."""
    name, other = shlex.quote(str(run.folder)), under_way(run)
    if other is not None and not anew:
        raise RunError(f"{run.folder}: a tuning of birth {other.parent} was interrupted: evo-ntm "
                       f"resume {name} goes on with it, --anew drops it")  # fmt: skip
    if run.facts().get("interrupted", True):
        raise RunError(f"{run.folder}: expected a run that has ended, but it was interrupted after "
                       f"{run.generation() + 1} generations: evo-ntm resume {name}")  # fmt: skip


def _assignment(source: Source, lesson: Lesson) -> Assignment:
    run = source.run
    birth, generation = 2, 1
    if run is not None:
        (row,) = run.rows("SELECT max(number) AS n, max(generation) AS g FROM births")
        birth, generation = row["n"] + 1, max(row["g"], run.generation()) + 1
    backend = lesson.school.backend
    return Assignment(birth, generation, source.parent, lesson.settings, backend.device,
                      str(backend), backend.arithmetic, source.comes_by, source.origin)  # fmt: skip


def _as_assigned(experiment: Experiment, assignment: Assignment, threads: int | None) -> Experiment:
    """Give an experiment the settings, and the backend, that a tuning began with."""
    kind = assignment.backend.partition(" ")[0]
    told = {"device": assignment.device, "backend": kind, "threads": threads}
    run = experiment.run.model_copy(update={key: value for key, value in told.items() if value})
    return experiment.model_copy(update={"finetune": assignment.settings, "run": run})


@contextmanager
def _lesson(source: Source, task: Task | None) -> Iterator[tuple[Lesson, Genome]]:
    """Prepare a lesson, whom it is for, and as many threads as the experiment says."""
    experiment, run = source.experiment, source.experiment.run
    settings = experiment.finetune.model_copy(update={"seed": seed_of(experiment)})
    backend = backend_of(run.model_copy(update={"gpus_per_worker": 0.0}))
    task = task_of(experiment, task)
    genome = fitted(source.genome, experiment, task)
    descent = descent_of(genome, settings, epsilon=experiment.machine.epsilon, backend=backend)
    with Local(run.threads, backend) as local:
        torch.set_num_threads(run.threads)  # until the pool gives back what there were
        lessons = school(experiment, task, backend)
        sequences(lessons.gates[-1].episodes, "learn by gradients")
        yield Lesson(experiment, settings, lessons, descent, local.map), genome
