"""Fitness over the generations of a run, and what happened meanwhile."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from math import nan
from typing import Any

from evo_ntm.errors import ReportError
from evo_ntm.evolution.exam import read_rows
from evo_ntm.reports.chapters import Event, History, Look, Sitting
from evo_ntm.reports.pedigree import evenly
from evo_ntm.runs.run import Run

QUANTILES = ("worst", "lower", "median", "upper", "best")
MOST_POINTS = 2000
MOST_SITTINGS = 100

NUMBERS = "SELECT number FROM generations ORDER BY number"
GENERATIONS = """
SELECT number, rows, stage, statistics FROM generations
WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number
"""
LOOKS = "SELECT generation, birth, wrong_bits, bits, champion FROM validations ORDER BY generation"
SITTINGS = "SELECT generation, birth, solved, rows FROM sittings ORDER BY number"
EVENTS = "SELECT generation, kind, told FROM events ORDER BY rowid"


def tell_history(run: Run) -> History:
    """Tell how fitness went. Of many generations, looks or events some are told, evenly chosen.

    Champions are always told of, and so are the last sittings of the exam. Raises ReportError where
    no generation is over yet, RunError.
    """
    numbers = [row["number"] for row in run.rows(NUMBERS)]
    if not numbers:
        raise ReportError(
            f"{run.folder}: expected a generation that is over, but there is none yet"
        )
    chosen = _some(numbers)
    rows = run.rows(GENERATIONS, json.dumps(chosen))
    told = [_numbers(row["statistics"]) for row in rows]
    figures = list(dict.fromkeys(name for each in told for name in each if name not in QUANTILES))
    looks = [Look(row["generation"], row["birth"], row["wrong_bits"], row["bits"],
                  bool(row["champion"])) for row in run.rows(LOOKS)]  # fmt: skip
    others = {*_some([look.generation for look in looks if not look.champion])}
    sittings = run.rows(SITTINGS)[-MOST_SITTINGS:]
    return History(
        generations=tuple(row["number"] for row in rows),
        quantiles={name: tuple(each.get(name, nan) for each in told) for name in QUANTILES},
        figures={name: tuple(each.get(name, nan) for each in told) for name in figures},
        stages=tuple(row["stage"] for row in rows),
        rows=tuple(row["rows"] for row in rows),
        looks=tuple(look for look in looks if look.champion or look.generation in others),
        sittings=tuple(
            Sitting(row["generation"], row["birth"], bool(row["solved"]),
                    tuple(asdict(part) for part in read_rows(row["rows"])))
            for row in sittings
        ),
        events=tuple(Event(**dict(row)) for row in _some(run.rows(EVENTS))),
        words=run.words,
    )  # fmt: skip


def _some(several: Sequence[Any]) -> list[Any]:
    return [several[place] for place in evenly(len(several), MOST_POINTS)]


def _numbers(told: str) -> dict[str, float]:
    """Read statistics back; null stands for what was not finite."""
    found = json.loads(told)
    return {name: nan if value is None else float(value) for name, value in found.items()}
