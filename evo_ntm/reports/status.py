"""How far a run has come, from its rows alone: also while another process writes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, Literal

from evo_ntm.errors import EvoNTMError
from evo_ntm.experiment.tasks import OF_LIVES
from evo_ntm.runs.limits import with_limits
from evo_ntm.runs.log import read_log
from evo_ntm.runs.run import CHAMPION, ROWS, Run
from evo_ntm.runs.store import is_unfinished, is_written, open_run

LAST_EVENTS = 5
LAST_GENERATIONS = 20  # that a pace is taken from


@dataclass(frozen=True)
class Champion:
    """The last champion, by its validation."""

    birth: int
    wrong_bits: float
    bits: float
    topology: str


@dataclass(frozen=True)
class Event:
    """Something worth telling, and the generation that it happened in."""

    generation: int
    kind: str
    told: str


@dataclass(frozen=True)
class Process:
    """One that wrote to the run; `told` is its provenance."""

    started: str
    told: Mapping[str, Any]


@dataclass(frozen=True)
class Tuning:
    """How far a tuning has come that has not ended: None bits where it answers no numbers."""

    step: int
    steps: int
    validation_bits: float | None


@dataclass(frozen=True)
class Status:
    """How far a run has come. `generation` is the last on disk, counted from 0, or -1.

    `passed` tells whether any machine of it has passed the exam, `being_tuned` the birth whose
    tuning has not ended, `tuning` how far that has come, `checkpoint` the generation that it would
    go on after. `parts` are those of the validation set, which are added up. `rate` is in
    sequence-timesteps a second of the last generations; `stage` is counted from 0.
    """

    path: Path
    state: Literal["running", "interrupted", "solved", "not solved"]
    task: str
    environment: str | None
    rewards: bool
    strategy: str
    seed: int
    generation: int
    generations: int
    births: int
    tunings: int
    tuning_seconds: float
    being_tuned: int | None
    tuning: Tuning | None
    seconds: float
    seconds_left: float
    rate: float
    stage: int
    stages: int
    species: int
    failures: int
    champion: Champion | None
    parts: int
    sittings: int
    passed: bool
    checkpoint: int | None
    backend: str
    processes: tuple[Process, ...]
    events: tuple[Event, ...]


def status(path: Path) -> Status:
    """Tell how far a run has come. Raises RunError where the folder holds none."""
    run = open_run(path)
    experiment, facts, generation = run.experiment, run.facts(), run.generation()
    settings = with_limits(run, experiment).evolve
    lasts = "SELECT * FROM generations ORDER BY number DESC LIMIT ?"
    last = run.rows(lasts, LAST_GENERATIONS)
    sittings = run.rows("SELECT solved FROM sittings")
    passed = any(row["solved"] for row in sittings)
    champions = run.rows(CHAMPION)
    question = "SELECT generation, kind, told FROM events ORDER BY rowid DESC LIMIT ?"
    events = reversed(run.rows(question, LAST_EVENTS))
    (tunings,) = run.rows("SELECT count(*) AS count, total(seconds) AS seconds FROM tunings")
    processes = run.rows("SELECT started, told FROM processes ORDER BY number")
    seconds = last[0]["seconds"] if last else 0.0
    lasted = seconds - last[-1]["seconds"] if last else 0.0
    steps = sum(row["timesteps"] for row in last[:-1])
    state = state_of(run, facts.get("interrupted", True), passed)
    goes_on = state in ("running", "interrupted")
    return Status(
        path=path,
        state=state,
        task=experiment.task,
        environment=experiment.environment,
        rewards=run.words is OF_LIVES,
        strategy=settings.strategy,
        seed=settings.seed,
        generation=generation,
        generations=settings.generations,
        births=run.rows("SELECT max(number) AS number FROM births")[0]["number"] or 0,
        tunings=tunings["count"],
        tuning_seconds=tunings["seconds"],
        being_tuned=(facts.get("tuning") or {}).get("parent"),
        tuning=_tuning(run) if facts.get("tuning") else None,
        seconds=seconds,
        seconds_left=settings.seconds_left(generation + 1, seconds) if last and goes_on else nan,
        rate=steps / lasted if lasted > 0 else nan,
        stage=last[0]["stage"] if last else 0,
        stages=max(len(experiment.curriculum), 1),
        species=last[0]["species"] if last else 0,
        failures=last[0]["failures"] if last else 0,
        champion=Champion(**dict(champions[0])) if champions else None,
        parts=len(experiment.exam.validation),
        sittings=len(sittings),
        passed=passed,
        checkpoint=run.rows("SELECT max(generation) AS g FROM checkpoints")[0]["g"],
        backend=str(facts.get("backend", "unknown")),
        processes=tuple(Process(row["started"], json.loads(row["told"])) for row in processes),
        events=tuple(Event(**dict(row)) for row in events),
    )


def _tuning(run: Run) -> Tuning | None:
    """Find what the process that tunes last told of it; None where it told nothing yet."""
    kinds = ("tuning", "began")
    lines = (told for told in reversed(read_log(run)) if told.get("kind") in kinds)
    told: dict[str, Any] = next(lines, {})
    try:
        bits = told["validation_bits"]
        return Tuning(int(told["step"]), int(told["steps"]), None if bits is None else float(bits))
    except (KeyError, TypeError, ValueError):
        return None


def statuses(folder: Path) -> dict[Path, Status | str]:
    """Tell of every run in a folder how far it has come, or why it cannot be read."""
    told: dict[Path, Status | str] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            if (path / ROWS).is_file() and not is_unfinished(path):
                told[path] = status(path)
        except EvoNTMError as error:
            told[path] = str(error)
        except OSError as error:
            told[path] = f"{path}: cannot be read: {error.strerror}"
    return told


def state_of(
    run: Run, interrupted: bool, solved: bool
) -> Literal["running", "interrupted", "solved", "not solved"]:
    """Tell whether a run goes on, or how it ended."""
    if interrupted or run.facts().get("tuning"):  # which is under way after evolution
        return "running" if is_written(run.folder) else "interrupted"
    return "solved" if solved else "not solved"
