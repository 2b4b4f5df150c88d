"""What a machine cost while it was trained, and what its exam came to, over one seed or several."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, nan

from evo_ntm.errors import RunError
from evo_ntm.evolution.exam import ExamRow
from evo_ntm.runs.run import Run

TUNING = "SELECT birth, sequences, curve FROM tunings ORDER BY birth DESC LIMIT 1"


@dataclass(frozen=True)
class Course:
    """One training, look after look, and the exam of what was kept of it.

    `bits` a sequence are those of all sequences since the look before, each fresh when it was met,
    or at the end, where few have come since, since the look before that; `validation` is what the
    parts of the validation set cost, added up. NaN stands for what is not known. `kept` is how many
    sequences the birth had met that sat the exam. `diverged` says where the training left the
    numbers, if it did.
    """

    seed: int
    weights: int
    sequences: tuple[int, ...]
    bits: tuple[float, ...]
    validation: tuple[float, ...]
    kept: int
    exam: tuple[ExamRow, ...]
    diverged: str = ""

    def below(self, bits: float) -> int | None:
        """Count the sequences up to the first look that found no more bits; None if none did."""
        looks = zip(self.sequences, self.bits, strict=True)
        return next((sequences for sequences, cost in looks if cost <= bits), None)


@dataclass(frozen=True)
class Learner:
    """A kind of machine, by its name, and its trainings, one for each seed.

    `place` is that among all kinds, by which figures tell them apart.
    """

    name: str
    courses: tuple[Course, ...]
    place: int = 0

    def spread(self, of: Callable[[Course], Sequence[float]]) -> list[tuple[int, list[float]]]:
        """Give the values of all seeds at each number of sequences, as far as they are finite."""
        found: dict[int, list[float]] = {}
        for course in self.courses:
            for sequences, value in zip(course.sequences, of(course), strict=True):
                if isfinite(value):
                    found.setdefault(sequences, []).append(value)
        return sorted(found.items())

    def part(self, name: str) -> list[ExamRow]:
        """Give the rows of one part of the exam, a seed each."""
        return [row for course in self.courses for row in course.exam if row.name == name]


def last_trained(run: Run) -> int | None:
    """Find the birth that was trained last in a run; None where none was."""
    rows = run.rows(TUNING)
    return rows[0]["birth"] if rows else None


def read_course(run: Run, exam: Sequence[ExamRow]) -> Course:
    """Read how the last training of a run went. Raises RunError where there was none."""
    rows = run.rows(TUNING)
    if not rows:
        raise RunError(f"{run.folder}: expected a run in which something was trained, "
                       "but nothing was")  # fmt: skip
    curve, experiment = json.loads(rows[0]["curve"]), run.experiment
    seed = experiment.finetune.seed
    ends = run.rows("SELECT told FROM events WHERE kind = 'diverged'")
    return Course(
        seed=experiment.evolve.seed if seed is None else seed,
        weights=run.genome(rows[0]["birth"]).weights.size,
        sequences=tuple(point["sequences"] for point in curve),
        bits=_pooled(
            [point["sequences"] for point in curve], [_number(point["bits"]) for point in curve]
        ),
        validation=tuple(_number(point["validation_bits"]) for point in curve),
        kept=rows[0]["sequences"],
        exam=tuple(exam),
        diverged=ends[-1]["told"] if ends else "",
    )


def _pooled(sequences: Sequence[int], bits: Sequence[float]) -> tuple[float, ...]:
    """Let the last mean take in the one before where it is of less than half as many sequences."""
    if len(bits) < 3:
        return tuple(bits)
    before, met = sequences[-2] - sequences[-3], sequences[-1] - sequences[-2]
    if 2 * met >= before:
        return tuple(bits)
    return (*bits[:-1], (before * bits[-2] + met * bits[-1]) / (before + met))


def _number(told: float | None) -> float:
    return nan if told is None else float(told)
