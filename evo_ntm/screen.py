"""What a person sees: the line of a run in progress, and tables of results."""

import json
import math
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from evo_ntm.evolution.exam import ExamRow
    from evo_ntm.journal import Progress
    from evo_ntm.reports.status import Status
    from evo_ntm.verbs import Outcome, WireRow

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_REDRAWS = 0.1
WIDTH_OF_A_PIPE = 200
VERDICTS = {True: "passed", False: "not passed", None: "reported"}


def tell(sentence: str) -> None:
    """Say something beside the results; where nobody can hear it, the run goes on."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


class ProgressLine:
    """One line that is redrawn on a terminal; elsewhere a line every ten seconds."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live = live if self._console.is_terminal else None
        self._drawn = -math.inf

    def __enter__(self) -> "ProgressLine":
        if self._live is not None:
            self._live.start()
        self._drawn = time.monotonic() if self._live is None else -math.inf
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, progress: "Progress") -> None:
        """Show how far the run has come, unless the last time is very recent."""
        now = time.monotonic()
        between = SECONDS_BETWEEN_LINES if self._live is None else SECONDS_BETWEEN_REDRAWS
        if now - self._drawn < between:
            return
        self._drawn = now
        line = Text(progress_line(progress), no_wrap=True, overflow="ellipsis")
        if self._live is None:
            tell(line.plain)
        else:
            self._live.update(line, refresh=True)


def progress_line(progress: "Progress") -> str:
    """Say in one line how far a run has come."""
    parts = [
        f"generation {progress.generation + 1}/{progress.generations}",
        *([f"stage {progress.stage + 1}"] if progress.stage else []),
        f"best {progress.best_fitness:.2f}",
        f"wrong bits {_number(progress.wrong_bits, 2)}",
        f"{progress.species} species",
        *([_count(progress.workers, "worker")] if progress.workers else []),
        f"{clock(progress.seconds_left)} left",
        f"{_thousands(progress.rate)} sequence-timesteps/s",
    ]
    return "  ".join(parts)


def exam_table(rows: Sequence["ExamRow"]) -> Table:
    """Lay out how an exam went, a part a row."""
    extents = list(dict.fromkeys(key for row in rows for key in row.extent))
    own = list(dict.fromkeys(key for row in rows for key in row.measures))
    table = _table("part", *extents, "rows", "sequences", "wrong bits", "bits", *own, "")
    for row in rows:
        table.add_row(
            row.name,
            *(_span(row.extent.get(key)) for key in extents),
            str(row.rows),
            str(row.sequences),
            _number(row.wrong_bits),
            _number(row.bits),
            *(_number(row.measures.get(key, math.nan)) for key in own),
            VERDICTS[row.passed],
        )
    return table


def exam_json(rows: Sequence["ExamRow"]) -> str:
    """Write how an exam went as a JSON list of its parts; what is not finite is null."""
    told = [
        {
            "name": row.name,
            **{key: _plain(value) for key, value in row.extent.items()},
            "rows": row.rows,
            "sequences": row.sequences,
            "wrong_bits_per_sequence": _plain(row.wrong_bits),
            "bits_per_sequence": _plain(row.bits),
            "measures": {key: _plain(value) for key, value in row.measures.items()},
            "passed": row.passed,
        }
        for row in rows
    ]
    return json.dumps(told, indent=2, allow_nan=False)


def series_table(outcomes: Mapping[int, "Outcome"]) -> Table:
    """Lay out the runs of a series, a seed a row."""
    table = _table("seed", "solved", "generations", "restarts", "sittings", "seconds", "topology")
    for seed, outcome in outcomes.items():
        table.add_row(
            str(seed),
            "yes" if outcome.solved else "no",
            str(outcome.generation + 1),
            str(outcome.restarts),
            str(outcome.sittings),
            f"{outcome.seconds:.1f}",
            outcome.topology,
        )
    return table


def status_text(status: "Status") -> str:
    """Lay out how far a run has come, a fact a line."""
    champion = status.champion
    facts = {
        str(status.path): status.state,
        "generations": f"{status.generation + 1:,} of {status.generations:,}",
        "births": f"{status.births:,}",
        "time": clock(status.seconds),
        "stage": str(status.stage + 1),
        "species": str(status.species),
        "champion": "none yet" if champion is None else
        f"birth {champion.birth}, {champion.topology}: {_number(champion.wrong_bits)} wrong bits, "
        f"{_number(champion.bits)} bits",
        "sittings": str(status.sittings),
        "checkpoint": "none yet" if status.checkpoint is None else
        f"after generation {status.checkpoint}",
        "backend": status.backend,
    }  # fmt: skip
    width = max(map(len, facts))
    lines = [f"{name:<{width}}  {told}" for name, told in facts.items()]
    return "\n".join([*lines, *(f"  {event}" for event in status.events)])


def runs_table(statuses: Mapping[Path, "Status | str"]) -> Table:
    """Lay out the runs of a folder, a run a row."""
    table = _table("run", "state", "generations", "births", "time", "wrong bits", "topology")
    for path, status in statuses.items():
        if isinstance(status, str):
            table.add_row(path.name, status)
            continue
        champion = status.champion
        table.add_row(
            path.name,
            status.state,
            f"{status.generation + 1}/{status.generations}",
            str(status.births),
            clock(status.seconds),
            "" if champion is None else _number(champion.wrong_bits),
            "none yet" if champion is None else champion.topology,
        )
    return table


def wires_table(rows: Sequence["WireRow"]) -> Table:
    """Lay out the wires of a machine."""
    table = _table("wire", "from", "to", "shape", "activation", "range", "feeds")
    for row in rows:
        shape = f"{row.shape[0]} x {row.shape[1]}"
        table.add_row(row.name, row.source, row.target, shape, row.activation, row.range, row.feeds)
    return table


def summary(outcome: "Outcome") -> str:
    """Say in two sentences how a run ended."""
    ending = "solved" if outcome.solved else "not solved"
    if outcome.interrupted:
        ending = "interrupted"
    return (
        f"{outcome.path}: {ending} after {_count(outcome.generation + 1, 'generation')}, "
        f"{outcome.seconds:.1f} s, {_count(outcome.restarts, 'restart')}, "
        f"{_count(outcome.sittings, 'sitting')} of the exam. Champion: {outcome.topology}."
    )


def next_steps(outcome: "Outcome") -> str:
    """Name what may be done with a run."""
    run = outcome.path
    where, figure = shlex.quote(str(run)), shlex.quote(f"{run.name}.png")
    on = f"\n  evo-ntm resume {where}" if outcome.interrupted else ""
    return (
        f"What next:{on}\n  evo-ntm exam {where}\n  evo-ntm show {where} --to {figure}\n"
        f"  evo-ntm wires {where}"
    )


def show_table(table: Table) -> None:
    """Print a table to stdout, as wide as it is where nobody looks."""
    width = None if sys.stdout.isatty() else WIDTH_OF_A_PIPE
    Console(width=width, highlight=False, markup=False).print(table)


def clock(seconds: float) -> str:
    """Write seconds as h:mm:ss or m:ss."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    return table


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _number(value: float, digits: int = 3) -> str:
    if not math.isfinite(value):
        return "?"
    text = f"{value:.{digits}f}"
    return "0" if text.strip("-0.") == "" and value == 0 else text


def _thousands(value: float) -> str:
    if not math.isfinite(value):
        return "?"
    return f"{value / 1e6:.2f}M" if value >= 1e6 else f"{value / 1e3:.0f}k"


def _span(value: Any) -> str:
    if value is None:
        return ""
    return " to ".join(map(str, value)) if isinstance(value, Sequence) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
