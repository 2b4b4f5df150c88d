"""The command line: what is typed goes to `evo_ntm.commands`, every mistake becomes one line.

Results go to stdout, everything else to stderr. Exit status: 0 done, 1 exam not passed, 2 bad
input, 3 stopped by the disk or the cluster, 70 a mistake of ours, 129, 130 and 143 interrupted, 141
nobody reads any more. Nothing heavy is imported before it is needed, so that `--help` and a mistake
in a task file answer at once.
"""

import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from evo_ntm import __version__
from evo_ntm.arguments import filled, joined
from evo_ntm.commands import evolving, looking, reporting, tuning, writing
from evo_ntm.errors import EvoNTMError
from evo_ntm.exits import (
    BAD_INPUT,
    DONE,
    INTERRUPTED,
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
    warn,
)

COMMANDS = (
    evolving.evolve,
    evolving.resume,
    tuning.finetune,
    looking.status,
    looking.runs,
    looking.digest,
    looking.exam,
    writing.new,
    writing.tasks,
    looking.show,
    looking.wires,
    reporting.lineage,
    reporting.explain,
    reporting.compare,
    reporting.publish,
    writing.schema,
)

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


for _command in COMMANDS:
    app.command()(_command)


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say, and give the exit status. Every mistake becomes one line."""
    try:
        status = app(joined(filled(arguments)), prog_name="evo-ntm", standalone_mode=False)
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
    warnings.formatwarning = warn
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
