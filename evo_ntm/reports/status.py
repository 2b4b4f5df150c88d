"""How far a run has come, from its rows alone: also while another process writes it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evo_ntm.errors import EvoNTMError
from evo_ntm.runs.run import ROWS, Run
from evo_ntm.runs.store import is_written, open_run

LAST_EVENTS = 5

CHAMPION = """
SELECT birth, wrong_bits, bits, topologies.told AS topology FROM validations
JOIN births ON birth = births.number JOIN topologies ON topology = topologies.number
WHERE champion ORDER BY validations.generation DESC LIMIT 1
"""


@dataclass(frozen=True)
class Champion:
    """The last champion, by its validation."""

    birth: int
    wrong_bits: float
    bits: float
    topology: str


@dataclass(frozen=True)
class Status:
    """How far a run has come. `checkpoint` is the generation that it would go on after."""

    path: Path
    state: Literal["running", "interrupted", "solved", "not solved"]
    generation: int
    generations: int
    births: int
    seconds: float
    stage: int
    species: int
    champion: Champion | None
    sittings: int
    checkpoint: int | None
    backend: str
    events: tuple[str, ...]


def status(path: Path) -> Status:
    """Tell how far a run has come. Raises RunError where the folder holds none."""
    run = open_run(path)
    facts, generation = run.facts(), run.generation()
    last = run.rows("SELECT * FROM generations WHERE number = ?", generation)
    sittings = run.rows("SELECT solved FROM sittings")
    champions = run.rows(CHAMPION)
    question = "SELECT generation, told FROM events ORDER BY rowid DESC LIMIT ?"
    events = reversed(run.rows(question, LAST_EVENTS))
    return Status(
        path=path,
        state=_state(run, facts.get("interrupted", True), any(row["solved"] for row in sittings)),
        generation=generation,
        generations=run.experiment.evolve.generations,
        births=run.rows("SELECT max(number) AS number FROM births")[0]["number"] or 0,
        seconds=last[0]["seconds"] if last else 0.0,
        stage=last[0]["stage"] if last else 0,
        species=last[0]["species"] if last else 0,
        champion=Champion(**dict(champions[0])) if champions else None,
        sittings=len(sittings),
        checkpoint=run.rows("SELECT max(generation) AS g FROM checkpoints")[0]["g"],
        backend=str(facts.get("backend", "unknown")),
        events=tuple(f"generation {row['generation']}: {row['told']}" for row in events),
    )


def statuses(folder: Path) -> dict[Path, Status | str]:
    """Tell of every run in a folder how far it has come, or why it cannot be read."""
    told: dict[Path, Status | str] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if (path / ROWS).is_file():
            try:
                told[path] = status(path)
            except EvoNTMError as error:
                told[path] = str(error)
    return told


def _state(
    run: Run, interrupted: bool, solved: bool
) -> Literal["running", "interrupted", "solved", "not solved"]:
    if interrupted:
        return "running" if is_written(run.folder) else "interrupted"
    return "solved" if solved else "not solved"
