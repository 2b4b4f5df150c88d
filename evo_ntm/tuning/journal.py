"""What a tuning leaves in a run: the place to go on from, and at its end the child, as a birth."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from math import inf, nan
from typing import Any

from evo_ntm.errors import EvoNTMError
from evo_ntm.evolution.engine import QUANTILES
from evo_ntm.evolution.evaluate import Trial, score
from evo_ntm.evolution.individual import Individual
from evo_ntm.genome import Genome
from evo_ntm.journal import birth_row, sitting_row
from evo_ntm.runs.disk import allowed
from evo_ntm.runs.log import Level, Log
from evo_ntm.runs.recorder import Recorder
from evo_ntm.runs.run import Run
from evo_ntm.tuning.assignment import FACT, PLACE, Assignment, publish, under_way
from evo_ntm.tuning.loop import OPERATOR, Lesson, Look, mark
from evo_ntm.tuning.place import Best, Place
from evo_ntm.tuning.tuned import Progress, Tuned, progress

SECONDS_BETWEEN_PLACES = 1.0


def keep_diary(
    recorder: Recorder,
    assignment: Assignment,
    lesson: Lesson,
    looks: Iterator[Look],
    log: Log,
    *,
    since: Place | None = None,
    on_look: Callable[[Progress], None] | None = None,
) -> Tuned:
    """Follow a tuning look by look, and record the child at its end. Ctrl-C interrupts it.

    `since` is where it stood before the first of these looks. Raises RunError where the disk does
    not allow it.
    """
    place, told, tuned = since, time.monotonic(), None
    with log.within(recorder.run.folder), _ending(log):
        try:
            for look in looks:
                place, heard = look.place, progress(lesson.settings, look)
                now = time.monotonic()
                if place.over or now - told >= SECONDS_BETWEEN_PLACES:
                    publish(recorder, assignment, place)
                    log.tell("tuning", **asdict(replace(heard, stage=heard.stage + 1)))
                    told = now
                if on_look is not None:
                    on_look(heard)
            assert place is not None, "a tuning looks at least once"
            tuned = _record(recorder, assignment, lesson, place)
        except KeyboardInterrupt:
            if place is not None and under_way(recorder.run):  # its end may be recorded by now
                publish(recorder, assignment, place)
            raise
    return tuned or _told(recorder.run, assignment, lesson, place, None, interrupted=True)


@contextmanager
def _ending(log: Log) -> Iterator[None]:
    """Take Ctrl-C for an end, and tell of whatever end it is."""
    ending: tuple[str, Level] = "ended", "info"
    try:
        yield
    except KeyboardInterrupt:
        ending = "interrupted", "warning"
    except Exception as error:
        with suppress(EvoNTMError):  # a full disk takes no line about itself
            log.tell("stopped", "error", told=str(error))
        raise
    log.tell(*ending)


def record_founder(
    recorder: Recorder, assignment: Assignment, lesson: Lesson, genome: Genome, asked: Genome
) -> None:
    """Record the founder of a run that is only tuned: the one birth of its one generation.

    It is scored as `asked`, the genome with as many bits as the task has. Where it passes
    validation it sits the exam, or a child that fails could outdo it.
    """
    founder = Individual(genome, operators=(assignment.comes_by,))
    trial = _give_birth(lesson, founder, assignment.parent, 0, asked=asked)
    validated = lesson.school.validate(0, founder, lesson.spread)
    sitting = lesson.school.examine(founder, lesson.spread) if validated.passed else None
    (fitness,) = founder.fitness.values
    with recorder.whole():
        recorder.record("births", [birth_row(founder)])
        recorder.bear(founder.born, founder.genome, founder.operators)
        recorder.record("generations", [{
            "number": 0,
            "rows": trial.rows,
            "stage": 0,
            "scored": 1,
            "timesteps": trial.steps,
            "failures": int(fitness == -inf),
            "species": 1,
            "statistics": dict.fromkeys(QUANTILES, fitness),
            "seconds": 0.0,
            "survivors": [],
        }])  # fmt: skip
        recorder.keep(founder.born, founder.genome)
        recorder.record("validations", [{
            "generation": 0,
            "birth": founder.born,
            "wrong_bits": validated.validation.wrong_bits,
            "bits": validated.validation.bits,
            "champion": 1,
        }])  # fmt: skip
        if sitting is not None:
            recorder.record("sittings", [sitting_row(sitting.rows, 0, founder.born)])
        recorder.record("events", [_event(0, assignment.comes_by, assignment.origin)])
        recorder.fact("interrupted", False)  # for there is nothing that could evolve further
    recorder.commit()


def _record(recorder: Recorder, assignment: Assignment, lesson: Lesson, place: Place) -> Tuned:
    """Record what came of a tuning, all at once, and that it is not under way any more.

    What diverged leaves a child only where that did better than its parent, or passed the exam.
    """
    if place.diverged is not None and not place.solved:
        place = replace(place, best=_if_better(recorder.run, lesson, place.best, assignment.parent))
    run, best, child = recorder.run, place.best, None
    champion = False
    if best is not None:
        child = Individual(_genome(lesson, best), operators=(OPERATOR,),
                           parents=(assignment.parent,))  # fmt: skip
        _give_birth(lesson, child, assignment.birth, assignment.generation,
                    stage=place.stage)  # fmt: skip
        champion = _outdoes(run, lesson, place, best)
    with recorder.whole():
        if best is not None and child is not None:
            _record_child(recorder, assignment, place, best, child, champion)
        if place.diverged is not None:
            told = divergence(place.diverged)
            recorder.record("events", [_event(assignment.generation, "diverged", told)])
        recorder.fact(FACT, None)
    recorder.commit()
    with allowed(run.folder):
        (run.folder / PLACE).unlink(missing_ok=True)
    return _told(run, assignment, lesson, place, child, champion)


def _record_child(
    recorder: Recorder,
    assignment: Assignment,
    place: Place,
    best: Best,
    child: Individual,
    champion: bool,
) -> None:
    number, generation = child.born, assignment.generation
    recorder.record("births", [birth_row(child)])
    recorder.bear(number, child.genome, child.operators)
    if champion:
        recorder.keep(number, child.genome)
    recorder.record("validations", [{
        "generation": generation,
        "birth": number,
        "wrong_bits": best.wrong_bits,
        "bits": best.bits,
        "champion": int(champion),
    }])  # fmt: skip
    sittings = [sitting_row(each.rows, generation, number) for each in place.sittings]
    recorder.record("sittings", sittings)
    kept = next(point for point in place.curve if point.step == best.step)
    recorder.record("tunings", [{
        "birth": number,
        "steps": kept.step,
        "sequences": kept.sequences,
        "seconds": kept.seconds,
        "settings": assignment.settings.model_dump(mode="json"),
        "curve": [asdict(point) for point in place.curve],
    }])  # fmt: skip


def _outdoes(run: Run, lesson: Lesson, place: Place, best: Best) -> bool:
    """Tell whether the child outdoes the champion: at the exam, or else on the validation set.

    Of a champion that never sat it, it is not known how it would do there.
    """
    champion = run.champion()
    (passed,) = run.rows("SELECT max(solved) AS solved FROM sittings WHERE birth = ?", champion)
    if passed["solved"] is not None and passed["solved"] != place.solved:
        return place.solved
    return _if_better(run, lesson, best, champion) is not None


def _if_better(run: Run, lesson: Lesson, best: Best | None, birth: int) -> Best | None:
    """Give the best unless a birth of the run is as good on the validation set."""
    if best is None:
        return None
    individual = Individual(run.genome(birth), operators=())
    validated = lesson.school.validate(0, individual, lesson.spread)
    return best if best.mark < mark(lesson.school.validation, validated) else None


def _genome(lesson: Lesson, best: Best) -> Genome:
    return Genome(lesson.descent.topology, best.genes, lesson.descent.encoding)


def _told(
    run: Run,
    assignment: Assignment,
    lesson: Lesson,
    place: Place | None,
    child: Individual | None,
    champion: bool = False,
    *,
    interrupted: bool = False,
) -> Tuned:
    best = place.best if place else None
    sittings = place.sittings if place else ()
    curve = place.curve if place else ()
    unknown = nan, nan
    return Tuned(
        path=run.folder,
        parent=assignment.parent,
        child=None if child is None else child.born,
        champion=champion,
        topology=str(lesson.descent.topology),
        steps=curve[-1].step if curve else 0,
        sequences=curve[-1].sequences if curve else 0,
        seconds=curve[-1].seconds if curve else 0.0,
        kept=best.step if best else 0,
        before=(curve[0].validation_bits, curve[0].validation_wrong_bits) if curve else unknown,
        after=(best.bits, best.wrong_bits) if best else unknown,
        sittings=len(sittings),
        solved=bool(place and place.solved),
        rows=place.rows if place else (),
        diverged=place.diverged if place else None,
        interrupted=interrupted,
    )


def divergence(step: int) -> str:
    """Say that a tuning left the numbers."""
    return f"cost, gradient or genes were no numbers any more in step {step}"


def _give_birth(
    lesson: Lesson,
    individual: Individual,
    number: int,
    generation: int,
    *,
    stage: int = 0,
    asked: Genome | None = None,
) -> Trial:
    """Number an individual, and score it as the evolution of that generation would have."""
    trial = lesson.school.trial(lesson.experiment, generation, stage)
    posed = individual if asked is None else Individual(asked, operators=())
    (scores,) = score([posed], trial, lesson.spread)
    individual.fitness.values = (float(scores.fitness[0]),)
    individual.measures = {name: float(values[0]) for name, values in scores.measures.items()}
    individual.number, individual.generation = number, generation
    return trial


def _event(generation: int, kind: str, told: str) -> dict[str, Any]:
    return {"generation": generation, "kind": kind, "told": told}
