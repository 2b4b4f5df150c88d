"""What a person sees: the line of a run in progress, and tables of results."""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from evo_ntm import next_steps
from evo_ntm.errors import in_one_line
from evo_ntm.exits import deaf
from evo_ntm.experiment.model import told_rows
from evo_ntm.experiment.tasks import CostWords, cost_words
from evo_ntm.runs.database import finite
from evo_ntm.tables import new_table, show_facts, show_table
from evo_ntm.words import ENDED, as_typed, counted, span

if TYPE_CHECKING:
    from evo_ntm.evolution.exam import ExamRow
    from evo_ntm.outcome import Outcome
    from evo_ntm.reports.status import Status
    from evo_ntm.tuning.tuned import Progress as TuningProgress
    from evo_ntm.tuning.tuned import Tuned
    from evo_ntm.verbs import WireRow
    from evo_ntm.watch import Progress

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_REDRAWS = 0.1


@contextmanager
def heard_or_not() -> Iterator[None]:
    """Let a run go on where nobody can hear what is said beside the results."""
    try:
        yield
    except OSError:
        deaf(2)


def tell(sentence: str) -> None:
    """Say something beside the results; where nobody can hear it, the run goes on."""
    with heard_or_not():
        print(sentence, file=sys.stderr, flush=True)


def warn_of_edits(path: Path, edited: str | None) -> None:
    """Say where the experiment of a run is no longer what it began with."""
    if edited:
        tell(f"{path}: the run {edited}")


class ProgressLine:
    """One line that is redrawn on a terminal; elsewhere a line every ten seconds.

    `begins` is said when the run does, and `line` is what says how far it has come: that of
    evolution if none is named.
    """

    def __init__(self, begins: str, line: Callable[..., str] | None = None) -> None:
        self._begins = begins
        self._line: Callable[..., str] = line or progress_line
        self._console = Console(stderr=True, highlight=False)
        live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live = live if self._console.is_terminal else None
        self._drawn = -math.inf

    def __enter__(self) -> "ProgressLine":
        return self

    def begin(self) -> None:
        """Say that the run begins, and show the line from now on."""
        tell(self._begins)
        if self._live is not None:
            with heard_or_not():
                self._live.start()
        self._drawn = time.monotonic() if self._live is None else -math.inf

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            with heard_or_not():
                self._live.stop()

    def __call__(self, progress: "Progress | TuningProgress") -> None:
        """Show how far the run has come, unless the last time is very recent."""
        now = time.monotonic()
        between = SECONDS_BETWEEN_LINES if self._live is None else SECONDS_BETWEEN_REDRAWS
        if now - self._drawn < between:
            return
        self._drawn = now
        if self._live is None:
            tell(self._line(progress))
            return
        with heard_or_not():
            line = self._line(progress, self._console.width)
            self._live.update(Text(line, no_wrap=True), refresh=True)


def progress_line(progress: "Progress", width: int | None = None) -> str:
    """Say in one line how far a run has come, as much of it as fits."""
    parts = [
        f"generation {progress.generation + 1}/{progress.generations}",
        *([f"stage {progress.stage + 1}"] if progress.stage else []),
        f"best {progress.best_fitness:.2f}",
        f"{progress.counted.replace('_', ' ')} {_number(progress.wrong_bits, 2)}",
        f"{progress.species} species",
        *([counted(progress.workers, "worker")] if progress.workers else []),
        f"{clock(progress.seconds_left)} left",
        f"{_thousands(progress.rate)} sequence-timesteps/s",
    ]
    return _joined(parts, width)


def tuning_line(progress: "TuningProgress", width: int | None = None) -> str:
    """Say in one line how far a tuning has come, as much of it as fits."""
    bits, wrong_bits = progress.validation_bits, progress.validation_wrong_bits
    parts = [
        f"step {progress.step:,}/{progress.steps:,}",
        *([f"stage {progress.stage + 1}"] if progress.stage else []),
        f"bits {_number(progress.bits, 2)}",
        f"validation {_number(bits, 2)}",
        f"wrong bits {_number(wrong_bits, 2)}",
        counted(progress.sequences, "sequence"),
        f"{clock(progress.seconds_left)} left",
        f"{_number(progress.rate, 0)} sequences/s",
    ]
    return _joined(parts, width)


def _joined(parts: list[str], width: int | None) -> str:
    while width is not None and len("  ".join(parts)) > width:
        parts = parts[:-1]
    return "  ".join(parts)


def exam_table(rows: Sequence["ExamRow"]) -> Table:
    """Lay out how an exam went, a part a row."""
    extents = list(dict.fromkeys(key for row in rows for key in row.extent))
    own = list(dict.fromkeys(key for row in rows for key in row.measures))
    rewards = any(row.rewards for row in rows)
    bits = [] if rewards else ["wrong bits", "bits"]
    episodes = "lives" if rewards else "sequences"
    table = new_table("part", *extents, "rows", episodes, *bits, *own, "")
    for row in rows:
        table.add_row(
            row.name,
            *(span(row.extent.get(key)) for key in extents),
            str(told_rows(row.rows)),
            str(row.sequences),
            *(_number(number) for number in ([] if rewards else [row.wrong_bits, row.bits])),
            *(_number(row.measures.get(key, math.nan)) for key in own),
            ENDED[row.passed],
        )
    return table


def validation_facts(words: CostWords, parts: int, wrong: float, cost: float) -> str:
    """Say how a champion did on the validation set, by the two measures that chose it."""
    told = words.told(_number(wrong), _number(cost))
    return told if parts == 1 else f"{told}, {parts} parts added up"


def exam_json(rows: Sequence["ExamRow"]) -> str:
    """Write how an exam went as a JSON list of its parts; what is not finite is null."""
    told = [
        {
            "name": row.name,
            **row.extent,
            "rows": told_rows(row.rows),
            "sequences": row.sequences,
            "wrong_bits_per_sequence": row.wrong_bits,
            "bits_per_sequence": row.bits,
            "measures": row.measures,
            "passed": row.passed,
        }
        for row in rows
    ]
    return json.dumps(finite(told), indent=2, allow_nan=False)


def series_table(outcomes: Mapping[int, "Outcome"]) -> Table:
    """Lay out the runs of a series, a seed a row."""
    table = new_table(
        "seed", "solved", "generations", "restarts", "sittings", "seconds", "topology"
    )
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


def _way(status: "Status") -> str:
    only_tuned = status.generation < 1 and (status.tunings or status.being_tuned)
    return "gradients alone" if only_tuned else status.strategy


def _tuned(status: "Status") -> str:
    births, time = counted(status.tunings, "birth"), clock(status.tuning_seconds)
    ended = f"{births} by gradients, {time}" if status.tunings else ""
    under_way = f"birth {status.being_tuned}, not to its end" if status.being_tuned else ""
    if (at := status.tuning) is not None:
        bits = "?" if at.validation_bits is None else _number(at.validation_bits, 2)
        under_way += f": step {at.step:,} of {at.steps:,}, {bits} bits of validation"
    return "; ".join(filter(None, (ended, under_way)))


def show_status(status: "Status") -> None:
    """Print how far a run has come, a fact a line, and what may be done with it."""
    champion, run, done = status.champion, str(status.path), status.generation + 1
    words = cost_words(status.task, rewards=status.rewards)
    last = status.processes[-1] if status.processes else None
    told = last.told if last else {}
    by = [status.backend, *(counted(told[kind], kind[:-1]) for kind in ("threads", "workers")
                            if told.get(kind))]  # fmt: skip
    facts = {
        "run": run,
        "state": f"{status.state} after {done:,} of {counted(status.generations, 'generation')}",
        "task": f"{status.environment or status.task} by {_way(status)}, seed {status.seed}",
        "births": f"{status.births:,}, {status.species} species alive",
        "tuned": _tuned(status),
        "stage": f"{status.stage + 1} of {status.stages}",
        "time": _time(status),
        "champion": "none yet" if champion is None else
        f"birth {champion.birth}, {champion.topology}",
        "validation": "" if champion is None else
        validation_facts(words, status.parts, champion.wrong_bits, champion.bits),
        "exam": "not sat yet" if not status.sittings else
        f"{counted(status.sittings, 'sitting')}, {'' if status.passed else 'not '}passed",
        "failures": f"{counted(status.failures, 'machine')} in the last generation"
        if status.failures else "",
        "checkpoint": "none yet" if status.checkpoint is None else
        f"after {counted(status.checkpoint + 1, 'generation')}",
        "computed by": ", ".join(by),
        "processes": "" if last is None else
        f"{len(status.processes)}, the last since {last.started}: "
        f"{as_typed(told.get('command') or [])}",
    }  # fmt: skip
    show_facts({name: fact for name, fact in facts.items() if fact})
    if status.events:
        print("last events")
    for event in status.events:
        show_facts({f"after {event.generation + 1:,}": f"{event.kind}: {event.told}"}, indent=2)
    print(next_steps.of_run(status.path, status.state))


def status_json(status: "Status") -> str:
    """Write how far a run has come as JSON."""
    return json.dumps(_plainly(status), indent=2, allow_nan=False)


def runs_json(statuses: Mapping[Path, "Status | str"]) -> str:
    """Write how far runs have come as a JSON list; of one that cannot be read, the `error`."""
    told = [
        {"path": str(path), "error": status} if isinstance(status, str) else _plainly(status)
        for path, status in statuses.items()
    ]
    return json.dumps(told, indent=2, allow_nan=False)


def show_runs(statuses: Mapping[Path, "Status | str"]) -> None:
    """Print the runs of a folder, a run a row, and below why others cannot be read."""
    table = new_table("run", "state", "generations", "time", "wrong")
    unread = {path.name: told for path, told in statuses.items() if isinstance(told, str)}
    for path, status in statuses.items():
        if isinstance(status, str):
            continue
        champion = status.champion
        tuned = ", tuned" if status.tunings or status.being_tuned else ""
        table.add_row(
            path.name,
            status.state,
            f"{status.generation + 1}/{status.generations}{tuned}",
            clock(status.seconds + status.tuning_seconds),
            "none yet" if champion is None else _number(champion.wrong_bits),
        )
    if table.row_count:
        show_table(table)
    show_facts(unread)


def _plainly(status: "Status") -> object:
    return finite({**asdict(status), "path": str(status.path)})


def _time(status: "Status") -> str:
    if status.state != "running" or status.being_tuned:
        return clock(status.seconds)
    rate = f"{_thousands(status.rate)} sequence-timesteps/s"
    return f"{clock(status.seconds)}, {clock(status.seconds_left)} left, {rate}"


def wires_table(rows: Sequence["WireRow"]) -> Table:
    """Lay out the wires of a machine."""
    table = new_table("wire", "from", "to", "shape", "activation", "range", "feeds")
    for row in rows:
        shape = f"{row.shape[0]} x {row.shape[1]}"
        table.add_row(row.name, row.source, row.target, shape, row.activation, row.range, row.feeds)
    return table


def summary(outcome: "Outcome") -> str:
    """Say in a few sentences how a run ended, and where it was not solved, how far it came."""
    ending = "solved" if outcome.solved else "not solved"
    if outcome.interrupted:
        ending = "interrupted"
    return (
        f"{outcome.path}: {ending} after {counted(outcome.generation + 1, 'generation')}, "
        f"{outcome.seconds:.1f} s, {counted(outcome.restarts, 'restart')}, "
        f"{counted(outcome.sittings, 'sitting')} of the exam. Champion: {outcome.topology}."
        f"{_reached(outcome)}{_failures(outcome)}"
    )


def _reached(outcome: "Outcome") -> str:
    if outcome.solved or outcome.validated is None:
        return ""
    told = validation_facts(outcome.words, outcome.parts, *outcome.validated)
    return f" On the validation set it has {told}."


def _failures(outcome: "Outcome") -> str:
    if outcome.failure is None:
        return ""
    return (f" Scoring failed in {counted(outcome.failing, 'generation')}, "
            f"the last time: {in_one_line(outcome.failure)}")  # fmt: skip


def tuning_summary(tuned: "Tuned") -> str:
    """Say in a few sentences how a tuning ended."""
    from evo_ntm.tuning.journal import divergence

    done = f"{counted(tuned.steps, 'step')}, {counted(tuned.sequences, 'sequence')}"
    begun = f"{tuned.path}: birth {tuned.parent} tuned for {done}, {tuned.seconds:.1f} s"
    costs = "from {} bits and {} wrong a sequence of the validation set to {} and {}".format(
        *(_number(value) for value in (*tuned.before, *tuned.after))
    )
    parts = [f"{begun}, {costs}" if tuned.kept else begun]
    if tuned.diverged is not None:
        parts.append(f"Diverged: {divergence(tuned.diverged)}")
    if tuned.interrupted:
        parts.append("Interrupted")
    elif tuned.child is None:
        parts.append(f"Nothing is kept, as nothing did better than birth {tuned.parent}")
    else:
        sat = counted(tuned.sittings, "sitting")
        ending = "solved" if tuned.solved else "not solved"
        champion = ", the champion" if tuned.champion else ""
        parts.append(f"Kept as birth {tuned.child}{champion}: {ending}, {sat} of the exam")
    return ". ".join(parts) + "."


def clock(seconds: float) -> str:
    """Write seconds as h:mm:ss or m:ss."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _number(value: float, digits: int = 3) -> str:
    if not math.isfinite(value):
        return "?"
    if isinstance(value, int):
        return f"{value:,}"
    text = f"{value:.{digits}f}"
    return "0" if text.strip("-0.") == "" and value == 0 else text


def _thousands(value: float) -> str:
    if not math.isfinite(value):
        return "?"
    return f"{value / 1e6:.2f}M" if value >= 1e6 else f"{value / 1e3:.0f}k"
