"""Look at runs and machines: how far, how good, how wired, how the memory is used."""

from pathlib import Path
from typing import Annotated

import typer

from evo_ntm import options
from evo_ntm.arguments import read_ablation
from evo_ntm.exits import DONE, NOT_PASSED


def status(run: options.Folder, as_json: options.Json = False) -> int:
    """Tell on one screen how far a run has come, also while it is running."""
    from evo_ntm import screen, verbs

    told = verbs.status(run)
    if as_json:
        print(screen.status_json(told))
    else:
        screen.show_status(told)
    screen.warn_of_edits(run, verbs.edited(run))
    return DONE


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


def digest(run: options.Folder) -> int:
    """Print one hash over all births and surviving weights of a run."""
    from evo_ntm import verbs

    print(verbs.digest(run))
    return DONE


def exam(
    path: options.Place,
    birth: options.Birth = None,
    as_json: options.Json = False,
    ablate: Annotated[
        str | None,
        typer.Option(metavar="PART", help="Do without reads, writes, a stage, or head N."),
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
    screen.warn_of_edits(path, result.edited)
    if as_json:
        print(screen.exam_json(result.rows))
    else:
        tables.show_table(screen.exam_table(result.rows))
        for reason in result.failures:
            screen.tell(f"{path}: {reason}")
    if result.card:
        screen.tell(result.card.told)
    holds = result.card is None or result.card.holds
    return NOT_PASSED if result.passed is False or not holds else DONE


def show(
    path: options.Place,
    to: Annotated[Path, typer.Option(metavar="FILE", help="The figure, .png or .svg.")],
    birth: options.Birth = None,
) -> int:
    """Draw what a machine does on one sequence: inputs, answers, writing and reading."""
    from evo_ntm import screen, verbs

    verbs.show(path, birth=birth, to=to)
    print(to)
    screen.warn_of_edits(path, verbs.edited(path))
    return DONE


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
