"""How a run ended, read back from its rows."""

from dataclasses import dataclass
from pathlib import Path

from evo_ntm.evolution.engine import FAILURE
from evo_ntm.evolution.exam import ExamRow, read_rows
from evo_ntm.experiment.tasks import CostWords
from evo_ntm.runs.run import CHAMPION
from evo_ntm.runs.store import open_run, refuse_written


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `rows` are those of the last sitting that was passed, else of the last."""

    path: Path
    solved: bool
    rows: tuple[ExamRow, ...]
    generation: int
    seconds: float
    topology: str
    validated: tuple[float, float] | None
    """How the champion did on the validation set, by the two measures that chose it."""
    parts: int
    """Of the validation set, which are added up."""
    words: CostWords
    sittings: int
    restarts: int
    interrupted: bool
    failing: int = 0
    """In how many generations scoring failed, in a worker or in an episode."""
    failure: str | None = None
    """Why it did the last time."""


def outcome(path: Path) -> Outcome:
    """Read back how a run ended. Raises RunError where the folder holds no run."""
    run = open_run(path)
    facts = run.facts()
    sittings = run.rows("SELECT * FROM sittings ORDER BY solved, number")
    restarts = run.rows("SELECT count(*) AS count FROM events WHERE kind = 'restart'")[0]["count"]
    failures = run.rows(
        "SELECT generation, told FROM events WHERE kind = ? ORDER BY rowid", FAILURE
    )
    rows = read_rows(sittings[-1]["rows"]) if sittings else ()
    champion = next(iter(run.rows(CHAMPION)), None)
    return Outcome(
        path=path,
        solved=any(sitting["solved"] for sitting in sittings),
        rows=rows,
        generation=run.generation(),
        seconds=facts.get("seconds", 0.0),
        topology=champion["topology"] if champion else "none yet",
        validated=(champion["wrong_bits"], champion["bits"]) if champion else None,
        parts=len(run.experiment.exam.validation),
        words=run.words,
        sittings=len(sittings),
        restarts=restarts,
        interrupted=facts.get("interrupted", True),
        failing=len({failure["generation"] for failure in failures}),
        failure=failures[-1]["told"] if failures else None,
    )


def finished(path: Path) -> Outcome | None:
    """Tell how a run ended, None where it was interrupted.

    Raises RunError where the folder holds no run that can be read, or one that is still written.
    """
    ended = outcome(path)
    if not ended.interrupted:
        return ended
    refuse_written(path)
    return None
