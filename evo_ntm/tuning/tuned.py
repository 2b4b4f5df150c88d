"""What is told of a tuning: how far it has come, and how it ended."""

from dataclasses import dataclass
from math import nan
from pathlib import Path

from evo_ntm.evolution.exam import ExamRow, passed
from evo_ntm.experiment.finetune import Finetune
from evo_ntm.tuning.loop import Look


@dataclass(frozen=True)
class Progress:
    """How far a tuning has come, once a look.

    Costs are a sequence: of those met since the look before, and of the validation set. `rate` is
    in sequences a second.
    """

    step: int
    steps: int
    sequences: int
    stage: int
    bits: float
    wrong_bits: float
    validation_bits: float
    validation_wrong_bits: float
    rate: float
    seconds: float
    seconds_left: float


@dataclass(frozen=True)
class Tuned:
    """How a tuning ended.

    `child` is None where it left none: interrupted, or diverged before anything did better.
    `steps`, `sequences` and `seconds` are those of the whole tuning, `kept` the step of the child.
    `before` and `after` are bits and wrong bits a sequence of the validation set. `rows` are those
    of the last sitting of the exam that was passed, else of the last one, or of the validation set
    where it was not sat.
    """

    path: Path
    parent: int
    child: int | None
    champion: bool
    topology: str
    steps: int
    sequences: int
    seconds: float
    kept: int
    before: tuple[float, float]
    after: tuple[float, float]
    sittings: int
    solved: bool
    rows: tuple[ExamRow, ...]
    diverged: int | None
    interrupted: bool

    @property
    def passed(self) -> bool | None:
        """Tell whether the exam was passed; None where all of it is only reported."""
        if self.sittings and not self.solved:
            return passed(self.rows)
        return self.solved


def progress(settings: Finetune, look: Look) -> Progress:
    """Tell how far a tuning has come."""
    point = look.point
    left = (settings.steps - point.step) * point.seconds / point.step if point.step else nan
    if settings.minutes is not None:
        left = min(left, 60 * settings.minutes - point.seconds)
    return Progress(
        step=point.step,
        steps=settings.steps,
        sequences=point.sequences,
        stage=point.stage,
        bits=point.bits,
        wrong_bits=point.wrong_bits,
        validation_bits=point.validation_bits,
        validation_wrong_bits=point.validation_wrong_bits,
        rate=look.met / max(look.lasted, 1e-9),
        seconds=point.seconds,
        seconds_left=nan if left != left else max(left, 0.0),
    )
