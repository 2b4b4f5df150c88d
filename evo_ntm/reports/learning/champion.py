"""A published machine that evolved and was tuned then, by all sequences that it took to make it."""

import csv
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from evo_ntm.errors import ReportError
from evo_ntm.experiment import Experiment, parse
from evo_ntm.genome.files import PUBLISHED, read_card
from evo_ntm.reports.card import LINE
from evo_ntm.reports.claims import read_claims

Points = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Champion:
    """What evolution and gradients cost: sequences that were answered, and bits a sequence.

    `evolved` has the line's births on the sequences of their generations, by what all machines of
    the population had answered until then; `tuned` the validation set, its parts added up, after
    `answered` sequences of evolution and those of the tuning.
    """

    name: str
    answered: int
    evolved: Points
    tuned: Points


def read_champion(folder: Path, experiment: Experiment) -> Champion:
    """Read a published folder, whose validation set has to be that of an experiment.

    Raises ReportError where it is of another one, did not evolve, or was not tuned then.
    """
    claims = read_claims(folder)
    if not claims.get("tuning") or not claims.get("generations"):
        which = "was tuned" if claims.get("tuning") else "evolved"
        raise ReportError(f"{folder}: expected a machine that evolved and was tuned then, "
                          f"but it only {which}")  # fmt: skip
    told = read_card(folder / PUBLISHED).get("experiment")
    own = None if told is None else parse(told, str(folder), tasks=None, of_a_run=True)
    if own is None or _asked(own) != _asked(experiment):
        raise ReportError(f"{folder}: expected a machine that was held against the validation set "
                          f"of this training of {experiment.task}, but it was another")  # fmt: skip
    answered, looks = int(claims["answered"]), claims["tuning"]["curve"]
    return Champion(
        name=claims["name"],
        answered=answered,
        evolved=_line(folder / LINE, answered, int(claims["generations"])),
        tuned=tuple((answered + int(look["sequences"]), float(look["bits"])) for look in looks
                    if look["bits"] is not None),
    )  # fmt: skip


def _asked(experiment: Experiment) -> tuple[object, ...]:
    return experiment.task, experiment.with_, experiment.exam.validation


def _line(path: Path, answered: int, generations: int) -> Points:
    """Read what the births of the line cost, each after its share of what evolution answered."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [(int(row["generation"]), float(row["fitness"])) for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise ReportError(f"{path}: expected the line of a genome, but {error}") from error
    return tuple(
        (round(answered * (generation + 1) / generations), -fitness)
        for generation, fitness in rows
        if generation < generations and isfinite(fitness)
    )
