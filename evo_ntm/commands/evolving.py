"""Evolve, and go on with what was interrupted."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo_ntm import options
from evo_ntm.arguments import read_seeds
from evo_ntm.commands import tuning
from evo_ntm.commands.ending import ending_of, tell_outcome
from evo_ntm.errors import ArgumentError, ExperimentError, GenomeError, TaskError
from evo_ntm.words import counted

if TYPE_CHECKING:
    from evo_ntm.experiment import Experiment
    from evo_ntm.outcome import Outcome


def evolve(
    task: Annotated[Path, typer.Argument(metavar="TASK.yaml", help="The task file.")],
    to: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; must not be there yet.")
    ] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="Override evolve.seed.")] = None,
    seeds: Annotated[
        str | None, typer.Option(metavar="1-10", help="Run several seeds in turn, as 1-10 or 1,3.")
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one value of the task file."),
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="cpu|cuda", help="Override run.device.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="auto|torch|fused", help="Override run.backend.")
    ] = None,
    workers: options.Workers = None,
    ray: options.Address = None,
    cpus_per_worker: options.CPUs = None,
    gpus_per_worker: options.GPUs = None,
    timeout: options.Timeout = None,
    tensorboard: options.Curves = False,
    quiet: options.Quiet = False,
) -> int:
    """Evolve machines until one passes the exam, and leave a run folder."""
    from evo_ntm.experiment import load

    if seeds is not None and seed is not None:
        raise typer.BadParameter("give --seed or --seeds, not both")
    places = options.where(workers, ray, cpus_per_worker, gpus_per_worker, timeout, tensorboard)
    changed = {
        "run.device": ("--device", device),
        "run.backend": ("--backend", backend),
        "evolve.seed": ("--seed", seed),
        **places,
    }
    with options.overriding(changed) as changes:
        experiment = load(task, [*(override or []), *changes])
    if not quiet:
        _tell_slow(experiment)
    if seeds is not None:
        with options.overriding(places) as changes:
            return _series(task, experiment, read_seeds(seeds), to, quiet, changes)
    return ending_of(_evolve(task, experiment, to, quiet))


def resume(
    run: options.Folder,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Another limit of evolve, or run.threads."),
    ] = None,
    accept_drift: Annotated[
        bool,
        typer.Option("--accept-drift", help="Go on though the backend or the births differ."),
    ] = False,
    from_older: Annotated[
        bool,
        typer.Option("--from-older", help="Go back to an older checkpoint if the last is torn."),
    ] = False,
    workers: options.Workers = None,
    ray: options.Address = None,
    cpus_per_worker: options.CPUs = None,
    gpus_per_worker: options.GPUs = None,
    timeout: options.Timeout = None,
    tensorboard: options.Curves = False,
    quiet: options.Quiet = False,
) -> int:
    """Go on with a run that was interrupted, as it would have gone on, or that is given more."""
    from evo_ntm import verbs

    places = options.where(workers, ray, cpus_per_worker, gpus_per_worker, timeout, tensorboard)
    if verbs.is_being_tuned(run):
        asked = {
            "--from-older": "of which only the last place is kept" if from_older else None,
            "--set": "which has no limits but its own" if override else None,
            **dict.fromkeys(options.given(places), "which has no workers"),
        }
        for option, why in asked.items():
            if why is not None:
                raise ArgumentError(f"{option}: expected a run that evolves, but {run} is being "
                                    f"tuned, {why}")  # fmt: skip
        return tuning.go_on(run, quiet=quiet, accept_drift=accept_drift)
    with options.overriding(places) as changes:
        changes = [*(override or []), *changes]
        return ending_of(_resume(run, quiet, changes, accept_drift, from_older))


def _tell_slow(experiment: "Experiment") -> None:
    from evo_ntm import screen, verbs

    if lacking := verbs.slow(experiment):
        screen.tell(f"this takes longer than it needs to: {lacking}")


def _evolve(task: Path, experiment: "Experiment", to: Path | None, quiet: bool) -> "Outcome":
    from evo_ntm import screen, verbs

    folder = to or verbs.free_folder(experiment.name)
    try:
        begins = f"{experiment.name}, seed {experiment.evolve.seed}, to {folder}"
        with nullcontext() if quiet else screen.ProgressLine(begins) as line:
            outcome = verbs.evolve(experiment, to=to, on_begin=line.begin if line else None,
                                   on_generation=line)  # fmt: skip
    except (ExperimentError, TaskError, GenomeError) as error:
        raise type(error)(f"{_source(task, experiment, str(error))}: {error}") from error
    if outcome.path != folder and not quiet:
        screen.tell(f"{folder} was taken meanwhile by another run: it went to {outcome.path}")
    tell_outcome(outcome, quiet)
    return tuning.follow(outcome, quiet=quiet)


def _source(task: Path, experiment: "Experiment", told: str) -> str:
    """Name the task file, and what was set that an error is about."""
    keys = ((each, each.partition("=")[0]) for each in experiment.overrides)
    blamed = [each for each, key in keys if told.startswith((f"{key}:", f"{key}."))]
    return "".join([str(task), *(f" --set {each}" for each in blamed)])


def _resume(
    run: Path,
    quiet: bool,
    changes: Sequence[str] = (),
    accept_drift: bool = False,
    from_older: bool = False,
) -> "Outcome":
    from evo_ntm import screen, verbs

    begins = f"{run}: goes on after {counted(verbs.outcome(run).generation + 1, 'generation')}"
    with nullcontext() if quiet else screen.ProgressLine(begins) as line:
        outcome = verbs.resume(run, on_begin=line.begin if line else None, on_generation=line,
                               accept_drift=accept_drift, from_older=from_older,
                               overrides=changes)  # fmt: skip
    tell_outcome(outcome, quiet)
    return tuning.follow(outcome, quiet=quiet)


def _go_on(run: Path, quiet: bool, changes: Sequence[str]) -> "Outcome":
    from evo_ntm.outcome import finished

    ended = finished(run)
    if ended is None:
        return _resume(run, quiet, changes)
    return tuning.catch_up(ended, quiet=quiet)


def _series(
    task: Path,
    series: "Experiment",
    seeds: Sequence[int],
    to: Path | None,
    quiet: bool,
    changes: Sequence[str],
) -> int:
    from evo_ntm import screen, tables
    from evo_ntm.series import in_turn

    outcomes = in_turn(
        series, seeds, to,
        begin=lambda experiment, folder: _evolve(task, experiment, folder, quiet),
        go_on=lambda folder: _go_on(folder, quiet, changes),
    )  # fmt: skip
    tables.show_table(screen.series_table(outcomes))
    return max(map(ending_of, outcomes.values()))
