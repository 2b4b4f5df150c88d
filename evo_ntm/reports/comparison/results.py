"""What runs came to: found in folders, and read from their rows, also while they are written."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evo_ntm.errors import EvoNTMError, RunError
from evo_ntm.evolution.exam import ExamRow, read_rows
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.tasks import CostWords
from evo_ntm.runs.limits import with_limits
from evo_ntm.runs.run import ROWS, in_words
from evo_ntm.runs.snapshot import snapshot
from evo_ntm.runs.store import is_unfinished, is_written, open_run

State = Literal["solved", "not solved", "interrupted", "running"]
Measure = Literal["evaluations", "timesteps", "seconds"]

MEASURES: tuple[Measure, ...] = ("evaluations", "timesteps", "seconds")
COMPUTED = ("evo_ntm", "torch", "platform", "device", "backend", "threads", "workers")

TOTALS = """
SELECT count(*) AS generations, coalesce(sum(scored), 0) AS evaluations,
    coalesce(sum(timesteps), 0) AS timesteps, coalesce(max(seconds), 0.0) AS seconds
FROM generations
"""
RESTARTS = "SELECT count(*) AS restarts FROM events WHERE kind = 'restart'"
# Evolution alone is compared: neither what a gradient made of its outcome, nor who computed that.
SITTINGS = """
SELECT solved, rows FROM sittings WHERE birth NOT IN (SELECT birth FROM tunings) ORDER BY number
"""
PROCESSES = """
SELECT told FROM processes
WHERE generation <= (SELECT coalesce(max(number), 0) FROM generations) ORDER BY number
"""
# The least that was wrong so far, wherever it became less.
LEARNED = """
WITH spent AS (
    SELECT number, sum(scored) OVER (ORDER BY number) AS evaluations FROM generations
), looks AS (
    SELECT evaluations, wrong_bits,
        min(wrong_bits) OVER (ORDER BY generation ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            AS before
    FROM validations JOIN spent ON number = generation
)
SELECT evaluations, wrong_bits FROM looks WHERE before IS NULL OR wrong_bits < before
ORDER BY evaluations
"""
TUNING = "tuning"  # the fact that a run has from its beginning where gradients alone made it


@dataclass(frozen=True)
class Result:
    """What a run came to, and what it cost until then.

    All is of evolution alone: what was tuned afterwards is left out. An evaluation is a genome that
    is scored on the episodes of a generation; the validation set and the exam are none. Time is in
    sequence-timesteps and in seconds, the latter with all that was done between. `exam` is the last
    sitting's, empty where none was sat; `learned` are the evaluations after which less was wrong in
    the validation set than ever before, and how much; `computed` tells where and with what, as
    provenance does. `tuned` tells whether a gradient went on from there. `words` are for what is
    counted.
    """

    path: Path
    seed: int
    state: State
    generations: int
    evaluations: int
    timesteps: int
    seconds: float
    restarts: int
    sittings: int
    exam: tuple[ExamRow, ...]
    computed: Mapping[str, str]
    words: CostWords
    tuned: bool = False
    learned: tuple[tuple[float, float], ...] = ()

    @property
    def solved(self) -> bool:
        """Tell whether the exam was passed."""
        return self.state == "solved"

    @property
    def ended(self) -> bool:
        """Tell whether it is known how the run ends: its exam is passed or its budget spent."""
        return self.state in ("solved", "not solved")

    def cost(self, measure: Measure) -> float:
        """Tell what the run cost."""
        return float(getattr(self, measure))


@dataclass(frozen=True)
class Found:
    """A run, with what it is a run of. `brought` are the parts of somebody's own toolbox."""

    result: Result
    experiment: Experiment
    brought: tuple[str, ...]
    edited: str | None = None


def find(paths: Sequence[Path]) -> tuple[list[Found], list[str]]:
    """Read every run among paths and in folders among them, each once, and what is to be told.

    That is which of them cannot be read, and which have another experiment than they began with.

    Raises RunError where a path is no run, nor a folder with any that can be read.
    """
    found: dict[Path, Found] = {}
    unread: list[str] = []
    for path in paths:
        if (path / ROWS).is_file() or not path.is_dir():
            found.setdefault(path.resolve(), read(path))
            continue
        runs = _runs_in(path)
        complaints = []
        for run in runs:
            try:
                if run.resolve() not in found:
                    found[run.resolve()] = read(run)
            except EvoNTMError as error:
                complaints.append(f"left out: {error}")
        if len(complaints) == len(runs):
            why = complaints[0].removeprefix("left out: ") if runs else f"there is no {ROWS} in it"
            raise RunError(f"{path}: expected a run or a folder with runs, but {why}")
        unread += complaints
    edited = [f"{each.result.path} {each.edited}" for each in found.values() if each.edited]
    return list(found.values()), [*unread, *edited]


def read(path: Path) -> Found:
    """Read what a run came to. Raises RunError where there is none, or none that evolved."""
    with snapshot(open_run(path)) as run, in_words(path / ROWS):
        experiment, facts = with_limits(run, run.experiment), run.facts()
        words = run.words
        sittings = run.rows(SITTINGS)
        exam = read_rows(sittings[-1]["rows"]) if sittings else ()
        totals: dict[str, Any] = dict(run.rows(TOTALS)[0])
        restarts = run.rows(RESTARTS)[0]["restarts"]
        learned = tuple((row["evaluations"], row["wrong_bits"]) for row in run.rows(LEARNED))
        tunings = run.rows("SELECT count(*) AS tunings FROM tunings")[0]["tunings"]
        processes = [json.loads(row["told"]) for row in run.rows(PROCESSES)]
        edited = run.edited()
    if TUNING in facts and totals["evaluations"] == 1:
        raise RunError(f"{path}: expected a run that evolved, but gradients alone made it")
    ended = not facts.get("interrupted", True)
    if ended:  # then the last exam is in it, too
        totals["seconds"] = float(facts.get("seconds", totals["seconds"]))
    solved = any(row["solved"] for row in sittings)
    result = Result(
        path=path,
        seed=experiment.evolve.seed,
        state=_state(path, solved=solved, ended=ended),
        **totals,
        restarts=restarts,
        sittings=len(sittings),
        exam=exam,
        computed=_computed(processes),
        tuned=tunings > 0,
        learned=learned,
        words=words,
    )
    return Found(result, experiment, tuple(facts.get("toolbox", ())), edited)


def _state(path: Path, *, solved: bool, ended: bool) -> State:
    if solved:  # also where the process was killed before it could say that the run has ended
        return "solved"
    if ended:
        return "not solved"
    return "running" if is_written(path) else "interrupted"


def _computed(processes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Tell where all processes of a run computed and with what, each thing once."""
    told: dict[str, list[str]] = {name: [] for name in COMPUTED}
    for process in processes:
        for name, came in {**process.get("versions", {}), **process}.items():
            if name in told and came is not None and str(came) not in told[name]:
                told[name].append(str(came))
    return {name: ", ".join(came) for name, came in told.items()}


def _runs_in(folder: Path) -> list[Path]:
    """List the runs that lie in a folder, seeds in their order."""
    try:
        there = [path for path in folder.iterdir() if not is_unfinished(path)]
        runs = [path for path in there if (path / ROWS).is_file()]
    except OSError as error:
        raise RunError(f"{folder}: cannot be read: {error.strerror}") from error
    return sorted(runs, key=lambda path: [
        (int(part), "") if part.isdecimal() else (0, part)
        for part in re.split("([0-9]{1,18})", path.name)
    ])  # fmt: skip
