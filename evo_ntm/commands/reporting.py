"""Tell how a machine came to be, what it does, and how runs did beside each other."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from evo_ntm import options
from evo_ntm.commands.account import explanation_json, tell_explanation
from evo_ntm.commands.chronicle import lineage_json, tell_lineage
from evo_ntm.commands.standings import comparison_json, tell_comparison
from evo_ntm.exits import DONE

Page = Annotated[
    Path | None, typer.Option("--html", metavar="FILE", help="Write a page that opens offline.")
]
Places = Annotated[
    list[Path], typer.Argument(metavar="PATH…", help="Runs, or folders with runs in them.")
]


def lineage(
    run: options.Folder,
    birth: options.Birth = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write a page into the run, report.html.")
    ] = False,
    html: Page = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write phylogeny, rows and figures for other programs."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Tell every step of the line, not only what mattered.")
    ] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Tell how the champion, or another birth, came to be."""
    from evo_ntm import next_steps, screen, verbs
    from evo_ntm.waiting import Waiting

    wanted = report or html is not None
    with Waiting(silent=quiet or as_json) as waiting:
        told = verbs.lineage(run, birth=birth, explain=wanted or as_json, report=report, html=html,
                             export=export, progress=waiting)  # fmt: skip
    if as_json:
        print(lineage_json(told))
        return DONE
    written = [run / verbs.REPORT] if report else []
    written += [place for place in (html, export) if place is not None]
    if written:
        for place in written:
            print(place)
    else:
        tell_lineage(told, every=every)
    if not quiet:
        where, other = quote(str(run)), told.header.birth
        chosen = "" if told.header.is_champion else f" --birth {other}"
        look = "explain" if next_steps.explains(run) else "exam"
        steps = [f"lineage {where}{chosen} --report", f"{look} {where}{chosen}"]
        screen.tell(next_steps.named(steps[1:] if wanted else steps))
    return DONE


def explain(
    path: options.Place,
    birth: options.Birth = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Say in words what a machine does, what its parts are worth and where it fails."""
    from evo_ntm import next_steps, screen, verbs
    from evo_ntm.waiting import Waiting

    with Waiting(silent=quiet or as_json) as waiting:
        told = verbs.explain(path, birth=birth, progress=waiting)
    screen.warn_of_edits(path, verbs.edited(path))
    if as_json:
        print(explanation_json(told))
        return DONE
    tell_explanation(told)
    if not quiet:
        where, chosen = quote(str(path)), "" if birth is None else f" --birth {birth}"
        figure = quote(f"{path.resolve().name.removesuffix('.safetensors')}.png")
        screen.tell(next_steps.named([f"show {where}{chosen} --to {figure}",
                                    f"exam {where}{chosen} --ablate reads"]))  # fmt: skip
    return DONE


def compare(
    paths: Places,
    html: Page = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every run as a row.")
    ] = None,
    latex: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables for a paper.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the figures as SVG and PNG.")
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Put runs side by side over their seeds: how often they solve their task, at what cost."""
    from evo_ntm import verbs

    told = verbs.compare(paths, html=html, csv=csv, latex=latex, export=export)
    if as_json:
        print(comparison_json(told))
        return DONE
    written = [place for place in (html, csv, latex, export) if place is not None]
    for place in written:
        print(place)
    if not written:
        tell_comparison(told)
    return DONE


def publish(
    run: options.Folder,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the genome is called.")],
    birth: options.Birth = None,
    control: Annotated[
        list[Path] | None,
        typer.Option(metavar="RUN", help="The same tuning from random weights, to be told beside."),
    ] = None,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where published genomes are.")] = Path(
        "genomes"
    ),
    quiet: options.Quiet = False,
) -> int:
    """Publish the champion of a run, with a card whose claims are measured now."""
    from evo_ntm import next_steps, screen, verbs

    folder = verbs.publish(run, name, birth=birth, controls=control or (), to=to)
    print(folder)
    if not quiet:
        where = quote(str(folder))
        also = [f"explain {where}"] if next_steps.explains(run) else []
        screen.tell(next_steps.named([f"exam {where}", *also]))
    return DONE
