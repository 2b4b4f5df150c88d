"""The command line: arguments in, sentences out. What is done is in `evo_ntm.verbs`.

Results go to stdout, everything else to stderr. Exit status: 0 done, 1 exam not passed, 2 bad
input, 3 stopped by the disk or the cluster, 70 a mistake of ours, 129, 130 and 143 interrupted, 141
nobody reads any more. Nothing heavy is imported before it is needed, so that `--help` and a mistake
in a task file answer at once.
"""

import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from evo_ntm import __version__, options
from evo_ntm.arguments import joined, read_ablation, read_seeds
from evo_ntm.errors import EvoNTMError, ExperimentError, GenomeError, TaskError
from evo_ntm.exits import (
    BAD_INPUT,
    DONE,
    INTERRUPTED,
    NOT_PASSED,
    OUR_FAULT,
    STOPPED,
    complain,
    deaf,
    heard,
    heed_signals,
    hush,
    open_streams,
    stopped,
    told,
    too_large,
)

if TYPE_CHECKING:
    from evo_ntm.experiment import Experiment
    from evo_ntm.outcome import Outcome

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Evolve Neural Turing Machines: weights and head topology, without gradients.",
)


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"evo-ntm {__version__}")
        raise typer.Exit(DONE)
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(DONE)


@app.command()
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
    return _ending(_evolve(task, experiment, to, quiet))


@app.command()
def resume(
    run: options.Folder,
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
    """Go on with a run that was interrupted, as it would have gone on."""
    places = options.where(workers, ray, cpus_per_worker, gpus_per_worker, timeout, tensorboard)
    with options.overriding(places) as changes:
        return _ending(_resume(run, quiet, changes, accept_drift, from_older))


@app.command()
def status(run: options.Folder, as_json: options.Json = False) -> int:
    """Tell on one screen how far a run has come, also while it is running."""
    from evo_ntm import screen, verbs

    told = verbs.status(run)
    if as_json:
        print(screen.status_json(told))
    else:
        screen.show_status(told)
    return DONE


@app.command()
def runs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the runs are.")] = Path(
        "runs"
    ),
    as_json: options.Json = False,
) -> int:
    """List the runs in a folder."""
    from evo_ntm import screen, verbs

    told = verbs.runs(folder)
    if as_json:
        print(screen.runs_json(told))
    else:
        screen.show_runs(told)
    return DONE


@app.command()
def digest(run: options.Folder) -> int:
    """Print one hash over all births and surviving weights of a run."""
    from evo_ntm import verbs

    print(verbs.digest(run))
    return DONE


@app.command()
def exam(
    path: options.Place,
    birth: options.Birth = None,
    as_json: options.Json = False,
    ablate: Annotated[
        str | None,
        typer.Option(metavar="PART", help="Do without reads, content, shift, or head N."),
    ] = None,
    device: Annotated[options.Device | None, typer.Option(help="Override run.device.")] = None,
    backend: Annotated[
        options.Arithmetic | None, typer.Option(help="Override run.backend.")
    ] = None,
) -> int:
    """Let a machine sit the exam of its task."""
    if ablate is not None:
        ablate = read_ablation(ablate)
    from evo_ntm import screen, tables, verbs

    result = verbs.exam(path, birth=birth, ablate=ablate, device=device, backend=backend)
    if as_json:
        print(screen.exam_json(result.rows))
    else:
        tables.show_table(screen.exam_table(result.rows))
    return NOT_PASSED if result.passed is False else DONE


@app.command()
def new(task: Annotated[str, typer.Argument(metavar="TASK", help="As `tasks` lists them.")]) -> int:
    """Print a task file to begin with, every key explained."""
    from evo_ntm.experiment import template

    print(template(task), end="")
    return DONE


@app.command()
def tasks() -> int:
    """List the tasks, one a line."""
    from evo_ntm.experiment.tasks import describe

    told = describe()
    width = max(map(len, told))
    for name, sentence in told.items():
        print(f"{name:<{width}}  {sentence}")
    return DONE


@app.command()
def show(
    path: options.Place,
    to: Annotated[Path, typer.Option(metavar="FILE", help="The figure, .png or .svg.")],
    birth: options.Birth = None,
) -> int:
    """Draw what a machine does on one sequence: inputs, answers, writing and reading."""
    from evo_ntm import verbs

    verbs.show(path, birth=birth, to=to)
    print(to)
    return DONE


@app.command()
def wires(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH|TASK.yaml", help="A run, a published folder, a genome, or a task file."
        ),
    ],
) -> int:
    """List every wire of a machine: from where to where, and which equation it feeds."""
    from evo_ntm import screen, tables, verbs

    tables.show_table(screen.wires_table(verbs.wires(path)))
    return DONE


@app.command()
def schema() -> int:
    """Print the JSON Schema of task files, for editors."""
    import json

    from evo_ntm.experiment import json_schema

    print(json.dumps(json_schema(), indent=1))
    return DONE


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
        raise type(error)(f"{task}: {error}") from error
    if outcome.path != folder and not quiet:
        screen.tell(f"{folder} was taken meanwhile by another run: it went to {outcome.path}")
    _tell_outcome(outcome, quiet)
    return outcome


def _resume(
    run: Path,
    quiet: bool,
    changes: Sequence[str] = (),
    accept_drift: bool = False,
    from_older: bool = False,
) -> "Outcome":
    from evo_ntm import screen, verbs

    begins = f"{run}: goes on after {verbs.outcome(run).generation + 1} generations"
    with nullcontext() if quiet else screen.ProgressLine(begins) as line:
        outcome = verbs.resume(run, on_begin=line.begin if line else None, on_generation=line,
                               accept_drift=accept_drift, from_older=from_older,
                               overrides=changes)  # fmt: skip
    _tell_outcome(outcome, quiet)
    return outcome


def _tell_outcome(outcome: "Outcome", quiet: bool) -> None:
    from evo_ntm import screen, tables

    print(screen.summary(outcome), flush=True)
    if outcome.rows:
        tables.show_table(screen.exam_table(outcome.rows))
    if not quiet:
        screen.tell(screen.next_steps(outcome))


def _ending(outcome: "Outcome") -> int:
    if outcome.interrupted:
        return INTERRUPTED
    reported_only = bool(outcome.rows) and all(row.passed is None for row in outcome.rows)
    return DONE if outcome.solved or reported_only else NOT_PASSED


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
        go_on=lambda folder: _resume(folder, quiet, changes),
    )  # fmt: skip
    tables.show_table(screen.series_table(outcomes))
    return max(map(_ending, outcomes.values()))


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say, and give the exit status. Every mistake becomes one line."""
    try:
        status = app(joined(arguments), prog_name="evo-ntm", standalone_mode=False)
        sys.stdout.flush()
        if status == INTERRUPTED:  # a verb ended early, or Typer has caught Ctrl-C before us
            return complain("interrupted", INTERRUPTED)
        return status if isinstance(status, int) else DONE
    except typer.TyperException as error:
        return complain(f"{error.format_message()} (evo-ntm --help tells more)", BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        return complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return hush()
    except SystemExit as ending:
        # Typer leaves in this way where the reader of a pipe has gone.
        if isinstance(ending.__context__, BrokenPipeError):
            return hush()
        raise
    except Exception as error:
        if too_large(error):
            return complain(f"not enough memory: {str(error) or 'for Python'}", BAD_INPUT)
        if not stopped(error) and not isinstance(error, EvoNTMError | OSError):
            raise
        return complain(told(error), STOPPED if stopped(error) else BAD_INPUT)


def main() -> NoReturn:
    """Run the command line of this process."""
    open_streams()
    heed_signals()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a name may hold what a terminal cannot show
    try:
        status = run(sys.argv[1:])
        sys.exit(heard() or status)
    except Exception:
        try:
            print(traceback.format_exc(), end="", file=sys.stderr, flush=True)
        except OSError:
            deaf(2)
        sys.exit(OUR_FAULT)
