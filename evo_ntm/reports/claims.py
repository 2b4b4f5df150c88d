"""What the card of a published genome claims, read back and held against what is measured."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isclose, isfinite
from pathlib import Path
from typing import Any

from evo_ntm.errors import ReportError, in_words
from evo_ntm.evolution.exam import ExamRow, passed
from evo_ntm.experiment import Experiment
from evo_ntm.genome import Genome
from evo_ntm.reports.card import CARD, VERSION

ROUNDING, NOTHING = 0.01, 0.001
"""How far other processors and versions of torch may come out apart: in proportion, or by this."""


def read_claims(folder: Path) -> dict[str, Any]:
    """Read the card of a published genome. Raises ReportError where there is none."""
    path = folder / CARD
    try:
        told = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ReportError(f"{path}: expected the card of a genome, but there is none") from error
    except (OSError, ValueError) as error:
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
    apart = [(name, claims.get(name)) for name in known if claims.get(name) != known[name]]
    try:
        asked = [(claim["name"], claim["rows"], claim["sequences"]) for claim in claims["exam"]]
        if asked != [(row.name, row.rows, row.sequences) for row in rows]:
            return Verdict(False, f"{path} is of another exam")
        apart += [
            (f"{row.name}, {name}", said)
            for claim, row in zip(claims["exam"], rows, strict=True)
            for name, said, measured in _pairs(claim, row)
            if not _alike(said, measured)
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{path}: expected a card with an exam, but it has none") from error
    if not apart:
        return Verdict(True, f"{path} says the same of genome and exam")
    told = (f"{name.replace('_', ' ')}: {in_words(said)}" for name, said in apart)
    return Verdict(False, f"{path} says otherwise: {'; '.join(told)}")


def _pairs(claim: Mapping[str, Any], row: ExamRow) -> Iterator[tuple[str, Any, float | None]]:
    """Give the name of everything that was measured, what is claimed of it, and what it is."""
    yield "passed", claim["passed"], row.passed
    yield "wrong bits", claim["wrong_bits"], row.wrong_bits
    yield "bits", claim["bits"], row.bits
    for name, measured in row.measures.items():
        yield name, claim["measures"].get(name), measured


def _alike(said: object, measured: float | None) -> bool:
    if measured is None or isinstance(measured, bool):
        return said is measured
    if not isfinite(measured):
        return said is None  # as cards say it
    near = partial(isclose, rel_tol=ROUNDING, abs_tol=NOTHING)
    return isinstance(said, int | float) and near(said, measured)
