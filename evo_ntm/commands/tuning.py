"""Train by gradients, and go on with what was interrupted."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo_ntm import options
from evo_ntm.exits import DONE, INTERRUPTED, NOT_PASSED

if TYPE_CHECKING:
    from evo_ntm.outcome import Outcome
    from evo_ntm.tuning.tuned import Tuned


def finetune(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH|TASK.yaml", help="A run, a published folder, a genome, or a task file."
        ),
    ],
    birth: options.Birth = None,
    steps: Annotated[str | None, typer.Option(metavar="N", help="Override finetune.steps.")] = None,
    from_scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch",
            help="Begin with random weights, in the same topology if there is one.",
        ),
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Make a run of its own there; must not be there yet."),
    ] = None,
    on: Annotated[
        Path | None,
        typer.Option(metavar="TASK.yaml", help="Tune on this file; it has to be of the same task."),
    ] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="Override finetune.seed.")] = None,
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
    anew: Annotated[
        bool, typer.Option("--anew", help="Drop a tuning of the run that was interrupted.")
    ] = False,
    quiet: options.Quiet = False,
) -> int:
    """Train a machine by gradients until it passes the exam, and record it as a birth."""
    from evo_ntm import screen, verbs

    changed = {
        "finetune.steps": ("--steps", steps),
        "finetune.seed": ("--seed", seed),
        "run.device": ("--device", device),
        "run.backend": ("--backend", backend),
    }
    begins = f"{path}: tuned by gradients"
    with (
        options.overriding(changed) as changes,
        nullcontext() if quiet else screen.ProgressLine(begins, screen.tuning_line) as line,
    ):
        tuned = verbs.finetune(
            path, birth=birth, from_scratch=from_scratch, to=to, on=on, anew=anew,
            overrides=[*(override or []), *changes], on_begin=line.begin if line else None,
            on_look=line,
        )  # fmt: skip
    return _ending(tuned, quiet)


def follow(outcome: "Outcome", *, quiet: bool) -> "Outcome":
    """Tune the champion where evolution has ended without solving, if its task file says so.

    A tuning that is interrupted interrupts the command.
    """
    from evo_ntm import screen, verbs

    if outcome.interrupted or outcome.solved or not verbs.is_to_be_tuned(outcome.path):
        return outcome
    begins = f"{outcome.path}: its champion is tuned by gradients"
    with nullcontext() if quiet else screen.ProgressLine(begins, screen.tuning_line) as line:
        tuned = verbs.finetune(outcome.path, on_begin=line.begin if line else None, on_look=line)
    if _ending(tuned, quiet) == INTERRUPTED:
        raise KeyboardInterrupt
    return verbs.outcome(outcome.path)


def catch_up(outcome: "Outcome", *, quiet: bool) -> "Outcome":
    """Go on with the tuning of a run whose evolution has ended, or begin it where one is due."""
    from evo_ntm import verbs

    if not verbs.is_being_tuned(outcome.path):
        return follow(outcome, quiet=quiet)
    if go_on(outcome.path, quiet=quiet, accept_drift=False) == INTERRUPTED:
        raise KeyboardInterrupt
    return verbs.outcome(outcome.path)


def go_on(run: Path, *, quiet: bool, accept_drift: bool) -> int:
    """Go on with a tuning that was interrupted, and give the exit status."""
    from evo_ntm import screen, verbs

    begins = f"{run}: goes on with its tuning"
    with nullcontext() if quiet else screen.ProgressLine(begins, screen.tuning_line) as line:
        begin = line.begin if line else None
        tuned = verbs.resume_tuning(run, accept_drift=accept_drift, on_begin=begin, on_look=line)
    return _ending(tuned, quiet)


def _ending(tuned: "Tuned", quiet: bool) -> int:
    """Print how a tuning ended and its exam, and give the exit status."""
    from evo_ntm import next_steps, screen, tables

    print(screen.tuning_summary(tuned), flush=True)
    if tuned.rows and not tuned.interrupted:
        if not tuned.sittings:
            print("The exam was not sat, as validation was not passed:")
        tables.show_table(screen.exam_table(tuned.rows))
    if not quiet:
        screen.tell(next_steps.after_tuning(tuned))
    if tuned.interrupted:
        return INTERRUPTED
    return NOT_PASSED if tuned.passed is False else DONE
