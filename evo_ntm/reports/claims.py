"""What the card of a published genome claims, read back and held against what is measured."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import isclose, isfinite
from pathlib import Path
from typing import Any

from evo_ntm.errors import ReportError, in_words
from evo_ntm.evolution.exam import ExamRow, passed
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.reports.card import CARD, VERSION
from evo_ntm.runs.database import as_json

ROUNDING, NOTHING = 0.01, 0.001
"""How far other processors and versions of torch may come out apart: in proportion, or by this."""


def read_claims(folder: Path) -> dict[str, Any]:
    """Read the card of a published genome. Raises ReportError where there is none."""
    path = folder / CARD
    try:
        told = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ReportError(f"{path}: expected the card of a genome, but there is none") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ReportError(f"{path}: expected the card of a genome, but {error}") from error
    version = told.get("version") if isinstance(told, dict) else None
    if version != VERSION:
        raise ReportError(f"{path}: expected a card of version {VERSION}, but came {version!r}")
    claims: dict[str, Any] = told
    return claims


@dataclass(frozen=True)
class Verdict:
    """Whether a card holds, and in words what is otherwise where it does not."""

    holds: bool
    told: str


def held_against(
    folder: Path, genome: Genome, experiment: Experiment, rows: Sequence[ExamRow]
) -> Verdict:
    """Say whether a genome and its exam are as the card in a published folder claims.

    What is told of how it came about is not measured, and so not held against anything. Raises
    ReportError where there is no card that could be.
    """
    claims, path = read_claims(folder), folder / CARD
    if (claimed := claims.get("genome")) != genome.id:
        return Verdict(False, f"{path} is of another genome, {in_words(claimed)}")
    known = {
        "topology": str(genome.topology),
        "encoding": genome.encoding,
        "weights": genome.weights.size,
        "task": experiment.task,
        "task_hash": experiment.task_hash,
        "seed": experiment.evolve.seed,
        "passed": passed(rows),
    }
    apart = [(name, claims.get(name), measured) for name, measured in known.items()
             if not _same(claims.get(name), measured)]  # fmt: skip
    try:
        asked = [(claim["name"], claim["rows"], claim["sequences"]) for claim in claims["exam"]]
        if asked != [(row.name, row.rows, row.sequences) for row in rows]:
            return Verdict(False, f"{path} is of another exam")
        apart += [
            (f"{row.name}, {name}", said, measured)
            for claim, row in zip(claims["exam"], rows, strict=True)
            for name, said, measured in _pairs(claim, row)
            if not _alike(said, measured)
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{path}: expected a card with the rows of an exam, but came other "
                          "ones") from error  # fmt: skip
    if not apart:
        return Verdict(True, f"{path} says the same of genome and exam")
    told = (f"{name.replace('_', ' ')}: {in_words(said)}, but it is {in_words(measured)}"
            for name, said, measured in apart)  # fmt: skip
    return Verdict(False, f"{path} says otherwise: {'; '.join(told)}")


def _pairs(claim: Mapping[str, Any], row: ExamRow) -> Iterator[tuple[str, Any, Any]]:
    """Give the name of everything that was measured, what is claimed of it, and what it is."""
    yield "extent", claim["extent"], json.loads(as_json(row.extent))
    yield "passed", claim["passed"], row.passed
    yield "wrong bits", claim["wrong_bits"], row.wrong_bits
    yield "bits", claim["bits"], row.bits
    for name in {**row.measures, **claim["measures"]}:
        yield name, claim["measures"].get(name), row.measures.get(name)


def _same(said: object, known: object) -> bool:
    return type(said) is type(known) and said == known


def _alike(said: object, measured: object) -> bool:
    """Tell whether a claim is what was measured, or as near as another processor may come."""
    if isinstance(measured, bool) or not isinstance(measured, int | float):
        return _same(said, measured)
    if not isfinite(measured):
        return said is None  # as cards say it
    if isinstance(said, bool) or not isinstance(said, int | float):
        return False
    with suppress(OverflowError):  # of a whole number that no machine has
        return isclose(said, measured, rel_tol=ROUNDING, abs_tol=NOTHING)
    return False
