"""A published machine that evolved and was tuned then, by all sequences that it took to make it."""

import csv
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from evo_ntm.errors import ReportError
from evo_ntm.experiment import Experiment, parse
from evo_ntm.genome.files import PUBLISHED, read_card, read_genome
from evo_ntm.reports.card import CARD, LINE
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
    read_genome(folder / PUBLISHED)  # before anything is trained beside it
    told = read_card(folder / PUBLISHED).get("experiment")
    own = None if told is None else parse(told, str(folder), tasks=None, of_a_run=True)
    if own is None or _asked(own) != _asked(experiment):
        raise ReportError(f"{folder}: expected a machine that was held against the validation set "
                          f"of this training of {experiment.task}, but it was another")  # fmt: skip
    try:
        answered, generations = int(claims["answered"]), int(claims["generations"])
        looks = ((int(look["sequences"]), look["bits"]) for look in claims["tuning"]["curve"])
        tuned = tuple((answered + met, float(bits)) for met, bits in looks if bits is not None)
        name = str(claims["name"])
    except (KeyError, TypeError, ValueError) as error:
        raise ReportError(f"{folder / CARD}: expected what evolution and a tuning took, but came "
                          f"another layout") from error  # fmt: skip
    if not tuned:
        raise ReportError(f"{folder / CARD}: expected the curve of a tuning, but it is empty")
    return Champion(name, answered, _line(folder / LINE, answered, generations), tuned)


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
