"""Everything fixed that a run is held against: curriculum, gates, validation set and exam."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.evaluate import Map, Trial
from evo_ntm.evolution.exam import (
    SEED,
    ExamRow,
    Questions,
    answer,
    ask,
    check_measures,
    passed,
    prepare,
)
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.strategy import Standing, Validation
from evo_ntm.experiment import Experiment
from evo_ntm.machine import Backend
from evo_ntm.seeds import derive
from evo_ntm.tasks import Curriculum, Gate, Task, costs, draw
from evo_ntm.tasks.hosting import changed

GATE_SEQUENCES = 64


@dataclass(frozen=True)
class Sitting:
    """One sitting of the exam: who sat it, and how it went."""

    individual: Individual
    rows: tuple[ExamRow, ...]

    @property
    def solved(self) -> bool:
        """Tell whether every part passed."""
        return passed(self.rows) is True


@dataclass(frozen=True)
class Validated:
    """A validation, part by part."""

    validation: Validation
    rows: tuple[ExamRow, ...]

    @property
    def passed(self) -> bool:
        """Tell whether the exam may be sat."""
        return passed(self.rows) is not False


@dataclass(frozen=True)
class School:
    """Everything fixed that a run is held against: curriculum, gates, validation set and exam."""

    backend: Backend
    curriculum: Curriculum
    gates: tuple[Trial, ...]
    validation: tuple[Questions, ...]
    exam: tuple[Questions, ...]

    def trial(self, experiment: Experiment, generation: int, stage: int) -> Trial:
        """Make the common trial of a generation: fresh episodes, and rows drawn for everybody."""
        seed, (fewest, most) = experiment.evolve.seed, experiment.rows_of(stage)
        rows = int(derive(seed, "rows", generation).integers(fewest, most + 1))
        stream = derive(seed, "episodes", generation)
        episodes = self.curriculum.episodes(stream, stage, experiment.evolve.episodes)
        task, epsilon = self.curriculum.stages[stage], experiment.machine.epsilon
        each = experiment.evolve.by_episode
        return Trial(task, episodes, rows, epsilon, self.backend, each)

    def require(self, stage: int) -> None:
        """Raise ExperimentError where the curriculum does not go as far as a stage."""
        if stage >= (stages := len(self.curriculum.stages)):
            raise ExperimentError(f"curriculum: expected at least {stage + 1} stages, as the run "
                                  f"has come to that one, but there are {stages}")  # fmt: skip

    def follows(self, stage: int) -> bool:
        """Tell whether another stage follows."""
        return stage < len(self.curriculum.stages) - 1

    def opens(self, stage: int, individual: Individual, spread: Map) -> bool:
        """Tell whether an individual opens the next stage."""
        return self.follows(stage) and self.curriculum.opens(
            stage, self.taken(stage, individual, spread)
        )

    def taken(self, stage: int, individual: Individual, spread: Map) -> dict[str, float]:
        """Measure an individual in a stage, always on the same episodes."""
        return answer([self.gates[stage]], individual.genome, spread)

    def standing(
        self, stage: int, taken: Mapping[str, float], patience: int | None = None
    ) -> Standing:
        """Tell by the two costs of its task how an individual does that took this in a stage."""
        first, second = (taken[name] for name in costs(self.curriculum.stages[stage]))
        return Standing(stage, first, second, patience)

    def validate(self, generation: int, individual: Individual, spread: Map) -> Validated:
        """Hold an individual against the validation set."""
        rows = ask(self.validation, individual.genome, spread)
        first, second = costs(self.curriculum.stages[-1])
        return Validated(
            Validation(generation, individual, _sum(rows, first), _sum(rows, second)), rows
        )

    def examine(self, individual: Individual, spread: Map) -> Sitting:
        """Let an individual sit the exam; parts that are only reported follow once it is passed."""
        deciding = [part for part in self.exam if part.decides]
        rows = ask(deciding, individual.genome, spread)
        if passed(rows) is False:
            return Sitting(individual, rows)
        reported = [part for part in self.exam if not part.decides]
        told = iter(rows), iter(ask(reported, individual.genome, spread))
        return Sitting(individual, tuple(next(told[not part.decides]) for part in self.exam))


def _sum(rows: Sequence[ExamRow], measure: str) -> float:
    """Add up a measure over all parts."""
    told = [{**row.measures, "wrong_bits": row.wrong_bits, "bits": row.bits} for row in rows]
    return sum(each[measure] for each in told)


def school(experiment: Experiment, task: Task, backend: Backend) -> School:
    """Prepare the fixed episodes of an experiment. Raises TaskError where the task has no such."""
    epsilon = experiment.machine.epsilon
    stages = [changed(task, stage.with_) for stage in experiment.curriculum] or [task]
    trials = tuple(
        Trial(stage, draw(stage, derive(SEED, "gate", slot=number), GATE_SEQUENCES),
              experiment.rows_of(number)[1], epsilon, backend)
        for number, stage in enumerate(stages)
    )  # fmt: skip
    until = [stage.until or {} for stage in experiment.curriculum][:-1]
    for number, each in enumerate(until):
        check_measures(each, trials[number], f"stage {number + 1} of the curriculum")
    gates = tuple(tuple(Gate(*gate) for gate in each.items()) for each in until)
    validation, exam = (
        prepare(parts, task, purpose, epsilon=epsilon, backend=backend)
        for parts, purpose in (
            (experiment.exam.validation, "validation"),
            (experiment.exam.parts, "exam"),
        )
    )
    told = list(enumerate(experiment.curriculum))
    larger = frozenset(number for number, stage in told if stage.rows)
    alone = frozenset(number for number, stage in told if stage.alone)
    curriculum = Curriculum(tuple(stages), gates, larger, alone)
    return School(backend, curriculum, trials, validation, exam)
