"""The loop of training: some steps down, a look at validation and exam, and again.

Every sequence derives from the seed, its purpose and the number of the step, so that a tuning that
is gone on with from any place goes the way that it would have gone.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite, nan
from statistics import median

from evo_ntm.evolution.evaluate import Map
from evo_ntm.evolution.exam import Questions
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.school import School, Sitting, Validated
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.finetune import Finetune
from evo_ntm.genome import Genome
from evo_ntm.seeds import derive
from evo_ntm.tasks import Episodes, draw, sequences
from evo_ntm.training import Descent, Slope
from evo_ntm.training.descent import parameters
from evo_ntm.training.schedules import rate
from evo_ntm.tuning.place import Best, Mark, Place, Point, Sat

OPERATOR = "finetune"
STRAYS = 10  # steps in a row whose gradient is too long for a number: more are no accident
PROGRESS = 0.25  # by which a mark must fall for another sitting, as each is a try


@dataclass(frozen=True)
class Look:
    """What one turn of the loop leaves behind: the place to go on from, and what was just found.

    `met` counts the sequences of this turn, and `lasted` its seconds.
    """

    place: Place
    point: Point
    validated: Validated
    sitting: Sitting | None
    opened: tuple[int, ...]
    met: int
    lasted: float


@dataclass(frozen=True)
class Lesson:
    """All that a tuning follows from, but for where it stands."""

    experiment: Experiment
    settings: Finetune
    school: School
    descent: Descent
    spread: Map

    @property
    def seed(self) -> int:
        """Give the seed of the sequences."""
        told = self.settings.seed
        return self.experiment.evolve.seed if told is None else told

    def met(self, step: int, stage: int) -> tuple[Episodes, int]:
        """Make the sequences of a step, counted from 0, and draw the rows of its memory."""
        shown = stage if self.settings.curriculum else -1
        fewest, most = self.settings.rows or self.experiment.rows_of(shown)
        rows = int(derive(self.seed, f"{OPERATOR} rows", step).integers(fewest, most + 1))
        stream, curriculum = derive(self.seed, OPERATOR, step), self.school.curriculum
        if self.settings.curriculum:
            drawn = curriculum.episodes(stream, stage, self.settings.batch)
        else:
            drawn = draw(curriculum.stages[shown], stream, self.settings.batch)
        return sequences(drawn, "learn by gradients"), rows


def tune(lesson: Lesson, genome: Genome, since: Place | None = None) -> Iterator[Look]:
    """Train a genome until the exam is passed or a budget is spent, look after look.

    The first look is at the genome as it came, which is never the best. `since` is a place of the
    same tuning, after which the looks are those that followed it then. What is best is so by
    validation; after one has passed the exam, only among those that have. The exam is sat where
    validation is passed, and again where the mark has fallen by a quarter, or at the end. A step
    whose gradient is too long to be a number is left out, as the way of one sequence through the
    memory may be chaotic. Where cost or genes are no numbers any more, or many such steps follow
    one another, it ends.
    """
    begun = time.monotonic()
    if since is None:
        standing = lesson.descent.begin(parameters(genome, lesson.settings).genes)
        stage = 0 if lesson.settings.curriculum else len(lesson.school.curriculum.stages) - 1
        since = Place(standing, stage, 0, 0.0, None, (), (), diverged=None, over=False)
        look = _look(lesson, since, [], begun)
        yield look
        since = look.place
    begun = time.monotonic() - since.seconds
    while not since.over:
        turned, met = time.monotonic(), since.sequences
        since, slopes = _descend(lesson, since, begun)
        look = _look(lesson, since, slopes, begun, turned, since.sequences - met)
        yield look
        since = look.place


def _descend(lesson: Lesson, place: Place, begun: float) -> tuple[Place, list[Slope]]:
    """Go step by step until it is time to look, or there is no way on."""
    settings, standing = lesson.settings, place.standing
    slopes, strayed = list[Slope](), place.strayed
    while True:
        episodes, rows = lesson.met(standing.step, place.stage)
        number = standing.step + 1
        after, slope = lesson.descent.step(standing, episodes, rows)
        strayed = 0 if slope.steady else strayed + 1
        if strayed > STRAYS or not (slope.steady or _only_too_steep(slope)):
            place = replace(place, diverged=number, over=True)
            break
        standing = after
        if slope.steady:
            slopes.append(slope)
        late = settings.minutes is not None and time.monotonic() - begun > 60 * settings.minutes
        if number == settings.steps or late:
            place = replace(place, over=True)
        if place.over or number % settings.validate_every == 0:
            break
    taken = standing.step - place.standing.step
    sequences = place.sequences + taken * settings.batch
    return replace(place, standing=standing, sequences=sequences, strayed=strayed), slopes


def _only_too_steep(slope: Slope) -> bool:
    """Tell whether a cost was a number, and its gradient was none."""
    return isfinite(float(slope.bits)) and not isfinite(float(slope.norm))


def _look(
    lesson: Lesson,
    place: Place,
    slopes: list[Slope],
    begun: float,
    turned: float | None = None,
    met: int = 0,
) -> Look:
    """Hold what a tuning has come to against the validation set, and perhaps the exam."""
    school, spread, step = lesson.school, lesson.spread, place.standing.step
    individual = Individual(lesson.descent.genome(place.standing), operators=(OPERATOR,))
    validated = school.validate(step, individual, spread)
    best, sitting, sittings = place.best, None, place.sittings
    if step and isfinite(validated.validation.bits):
        best = _better(best, _best(school, validated, individual, step))
    if best is not None:
        if _may_sit(place, best):
            sitting = _examine(lesson, best)
            sittings = (*sittings, Sat(best.step, best.mark, sitting.solved, sitting.rows))
        if place.solved and not (sitting and sitting.solved):
            best = place.best  # for that one has passed
    stage, opened = place.stage, list[int]()
    while lesson.settings.curriculum and school.opens(stage, individual, spread):
        stage += 1
        opened.append(stage)
    now = time.monotonic()
    solved = sitting is not None and sitting.solved
    point = Point(
        step=step,
        sequences=place.sequences,
        seconds=round(now - begun, 3),
        stage=place.stage,
        bits=_mean([float(slope.bits) for slope in slopes]),
        wrong_bits=_mean([float(slope.wrong_bits) for slope in slopes]),
        norm=median([float(slope.norm) for slope in slopes]) if slopes else nan,
        rate=rate(lesson.settings, max(step - 1, 0)),
        validation_bits=validated.validation.bits,
        validation_wrong_bits=validated.validation.wrong_bits,
        sat=None if sitting is None else sitting.solved,
    )
    place = replace(
        place,
        stage=stage,
        seconds=now - begun,
        best=best,
        sittings=sittings,
        curve=(*place.curve, point),
        over=place.over or (solved and lesson.settings.early_stop),
    )
    return Look(place, point, validated, sitting, tuple(opened), met, now - (turned or begun))


def _may_sit(place: Place, best: Best) -> bool:
    """Tell whether the best so far may sit the exam, and whether that is worth a try."""
    if not best.passed:
        return False
    if not place.sittings:
        return True
    untried = best.step not in [sitting.step for sitting in place.sittings]
    return untried and (place.over or _clearly(best.mark, place.sittings[-1].mark))


def _examine(lesson: Lesson, best: Best) -> Sitting:
    descent = lesson.descent
    genome = Genome(descent.topology, best.genes, descent.encoding)
    return lesson.school.examine(Individual(genome, operators=(OPERATOR,)), lesson.spread)


def _best(school: School, validated: Validated, individual: Individual, step: int) -> Best:
    validation = validated.validation
    return Best(individual.genome.genes, step, mark(school.validation, validated), validation.bits,
                validation.wrong_bits, validated.passed, validated.rows)  # fmt: skip


def _better(before: Best | None, now: Best) -> Best:
    return now if before is None or now.mark < before.mark else before


def mark(parts: tuple[Questions, ...], validated: Validated) -> Mark:
    """Give a mark, the less the better: by the measures that the parts limit, then by bits."""
    limited = 0.0
    for part, row in zip(parts, validated.rows, strict=True):
        taken = {**row.measures, "bits": row.bits, "wrong_bits": row.wrong_bits}
        limited += sum(taken[name] for name in part.part.at_most or {})
    return limited, validated.validation.bits


def _clearly(now: Mark, before: Mark) -> bool:
    """Tell whether a mark has fallen by enough."""
    return now <= before and any(
        new <= (1 - PROGRESS) * old and new < old for new, old in zip(now, before, strict=True)
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else nan
