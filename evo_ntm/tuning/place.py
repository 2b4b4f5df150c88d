"""Where a tuning stands: all that the rest of it follows from, as words and tensors of a file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo_ntm.evolution.exam import ExamRow, read_rows
from evo_ntm.evolution.state import Tensors, Words, exact
from evo_ntm.runs.database import as_json
from evo_ntm.training import Descent, Standing

Mark = tuple[float, float]
BEST = "best genes"
NUMBERS = ("bits", "wrong_bits", "validation_bits", "validation_wrong_bits", "norm", "rate")


@dataclass(frozen=True)
class Point:
    """A point of the learning curve: what was found when a tuning was looked at.

    `bits` and `wrong_bits` a sequence are those of all sequences since the point before, each fresh
    when it was met; NaN where there were none. `norm` is the median length of their gradients,
    unclipped, and `rate` the last step size. `sat` tells whether the exam was passed, None where
    it was not sat.
    """

    step: int
    sequences: int
    seconds: float
    stage: int
    bits: float
    wrong_bits: float
    norm: float
    rate: float
    validation_bits: float
    validation_wrong_bits: float
    sat: bool | None


@dataclass(frozen=True)
class Best:
    """The genes that did best on the validation set, and how; less is a better mark."""

    genes: NDArray[np.float32]
    step: int
    mark: Mark
    bits: float
    wrong_bits: float
    passed: bool
    rows: tuple[ExamRow, ...]


@dataclass(frozen=True)
class Sat:
    """One sitting of the exam by what a tuning had come to after some steps."""

    step: int
    mark: Mark
    solved: bool
    rows: tuple[ExamRow, ...]


@dataclass(frozen=True)
class Place:
    """Where a tuning stands after a look.

    `stage` is that of the next steps. `sequences` counts all that were met, `seconds` those spent,
    `strayed` the steps since the last whose gradient was a number. `diverged` is the step, from 1,
    at which cost, gradient or genes were no numbers any more.
    """

    standing: Standing
    stage: int
    sequences: int
    seconds: float
    best: Best | None
    sittings: tuple[Sat, ...]
    curve: tuple[Point, ...]
    diverged: int | None
    over: bool
    strayed: int = 0

    @property
    def solved(self) -> bool:
        """Tell whether the exam was passed."""
        return any(sitting.solved for sitting in self.sittings)

    @property
    def rows(self) -> tuple[ExamRow, ...]:
        """Tell of the last sitting that was passed, as who has passed is kept, else of the last.

        Where none was sat they are those of the best on the validation set.
        """
        if self.sittings:
            return max(self.sittings, key=lambda sitting: (sitting.solved, sitting.step)).rows
        return self.best.rows if self.best is not None else ()

    @property
    def words(self) -> dict[str, Any]:
        """Tell as JSON all but the tensors."""
        return {
            "step": self.standing.step,
            "stage": self.stage,
            "sequences": self.sequences,
            "seconds": self.seconds,
            "best": None if self.best is None else _words(self.best),
            "sittings": [_words(sitting) for sitting in self.sittings],
            "curve": [_point(point) for point in self.curve],
            "diverged": self.diverged,
            "over": self.over,
            "strayed": self.strayed,
        }

    @property
    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give the genes, what the optimiser remembers, and the best genes."""
        best = {} if self.best is None else {BEST: self.best.genes}
        return {**self.standing.tensors(), **best}


def read_place(words: Words, tensors: Tensors, descent: Descent) -> Place:
    """Read a place back from its words and tensors."""
    told = dict(tensors)
    genes = told.pop(BEST, None)
    best = words["best"]
    return Place(
        standing=descent.restore(told, words["step"]),
        stage=words["stage"],
        sequences=words["sequences"],
        seconds=words["seconds"],
        best=None if best is None or genes is None else Best(genes=genes, **_read(best)),
        sittings=tuple(Sat(**_read(each)) for each in words["sittings"]),
        curve=tuple(_read_point(each) for each in words["curve"]),
        diverged=words["diverged"],
        over=words["over"],
        strayed=words.get("strayed", 0),  # version 0.1 had none
    )


def _words(told: Best | Sat) -> dict[str, Any]:
    plain = {
        name: exact(value) if isinstance(value, float) else value
        for name, value in vars(told).items()
        if name not in ("genes", "rows", "mark")
    }
    rows = as_json([asdict(row) for row in told.rows])
    return {**plain, "mark": [exact(value) for value in told.mark], "rows": rows}


def _read(words: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: float(words[name]) for name in ("bits", "wrong_bits") if name in words}
    mark = tuple(map(float, words["mark"]))
    return {**words, **numbers, "mark": mark, "rows": read_rows(words["rows"])}


def _point(point: Point) -> dict[str, Any]:
    return {**vars(point), **{name: exact(getattr(point, name)) for name in NUMBERS}}


def _read_point(words: Mapping[str, Any]) -> Point:
    return Point(**{**words, **{name: float(words[name]) for name in NUMBERS}})
