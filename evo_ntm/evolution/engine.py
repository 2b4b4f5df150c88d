"""The one loop of evolution: generate, evaluate, update, validate, tell.

DEAP's toolbox is where the parts meet: `generate`, `evaluate`, `update` and `map`, and for the
genetic algorithm `select`, `mate` and `mutate`. Who registers their own is heard.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np
from deap import base, tools

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.breeding import found, operators_of, structural, vary
from evo_ntm.evolution.cma import CMA
from evo_ntm.evolution.evaluate import Map, Rows, Scores, score
from evo_ntm.evolution.evolution_strategy import EvolutionStrategy
from evo_ntm.evolution.genetic import Genetic
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.own import Own
from evo_ntm.evolution.school import School, Sitting, school
from evo_ntm.evolution.strategy import Event, Strategy, Validation
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.cma import CMA as CMASettings
from evo_ntm.experiment.evolution_strategy import EvolutionStrategy as EvolutionStrategySettings
from evo_ntm.seeds import derive, reseed_globals
from evo_ntm.tasks import KnownTask


@dataclass(frozen=True)
class Generation:
    """What one turn of the loop leaves behind."""

    number: int
    births: tuple[Individual, ...]
    scored: int
    timesteps: int
    failures: int
    species: int
    stage: int
    rows: int
    statistics: Mapping[str, float]
    best: Individual
    validation: Validation | None
    champion: Individual | None
    sitting: Sitting | None
    events: tuple[Event, ...]
    seconds: float
    lasted: float


def strategy_of(experiment: Experiment, task: KnownTask, toolbox: base.Toolbox) -> Strategy:
    """Make the strategy that an experiment asks for, or that a DEAP user brought."""
    settings = experiment.evolve
    founding = partial(found, experiment, task)
    if hasattr(toolbox, "generate") and hasattr(toolbox, "update"):
        return Own(toolbox, founder=founding(derive(settings.seed, "founder")))
    if isinstance(settings, CMASettings):
        return CMA(settings, found=founding)
    operators = operators_of(experiment)
    if isinstance(settings, EvolutionStrategySettings):
        return EvolutionStrategy(settings, found=founding, vary=partial(vary, structural(operators)))
    return Genetic(settings, found=founding, vary=partial(vary, operators), toolbox=toolbox)


def evolve(
    experiment: Experiment, task: KnownTask, spread: Map, toolbox: base.Toolbox | None = None
) -> Iterator[Generation]:
    """Evolve generation after generation, until the exam is passed or a budget is spent.

    `spread` is a map over chunks of work: that of `workers.Local`, or of a cluster. Raises
    ExperimentError where the toolbox holds an `evaluate`, which is the task's business.
    """
    toolbox = _toolbox(toolbox or base.Toolbox(), spread)
    strategy = strategy_of(experiment, task, toolbox)
    return _generations(experiment, school(experiment, task), strategy, toolbox)


def _generations(
    experiment: Experiment, lessons: School, strategy: Strategy, toolbox: base.Toolbox
) -> Iterator[Generation]:
    settings, stage, numbers = experiment.evolve, 0, count(1)
    champion: Validation | None = None
    begun, scored_genomes = time.monotonic(), 0
    for generation in range(settings.generations):
        since = time.monotonic()
        reseed_globals(settings.seed, "deap", generation)
        trial = lessons.trial(experiment, generation, stage)
        jobs = strategy.generate(generation)
        scores = toolbox.evaluate(jobs, trial, toolbox.map)
        births = _record(jobs, scores, generation, numbers)
        events = strategy.update(generation, jobs, scores)

        best = strategy.best()
        validated, sitting, crowned = None, None, None
        last = generation == settings.generations - 1
        if (generation + 1) % settings.validate_every == 0 or last:
            validated = lessons.validate(generation, best, toolbox.map)
            validation = validated.validation
            if champion is None or _better(validation, champion):
                champion, crowned = validation, validation.individual
            if validated.passed:
                sitting = lessons.examine(validation.individual, toolbox.map)
                champion, crowned = validation, validation.individual
            if lessons.opens(stage, validation.individual):
                stage += 1
                events = [*events, Event(generation, "stage", f"stage {stage + 1} opens")]
            events = [*events, *strategy.reflect(validation)]

        fitness = np.concatenate([part.fitness for part in scores])
        scored_genomes += len(fitness)
        yield Generation(
            number=generation,
            births=births,
            scored=len(fitness),
            timesteps=len(fitness) * trial.steps,
            failures=sum(part.failures for part in scores),
            species=strategy.species(),
            stage=stage,
            rows=trial.rows,
            statistics=_STATISTICS.compile(fitness),
            best=best,
            validation=validated.validation if validated else None,
            champion=crowned,
            sitting=sitting,
            events=tuple(events),
            seconds=time.monotonic() - begun,
            lasted=time.monotonic() - since,
        )
        if sitting is not None and sitting.solved:
            return
        if settings.minutes is not None and time.monotonic() - begun > 60 * settings.minutes:
            return
        if settings.evaluations is not None and scored_genomes >= settings.evaluations:
            return


def _toolbox(toolbox: base.Toolbox, spread: Map) -> base.Toolbox:
    """Fill in what the user's toolbox leaves open."""
    if hasattr(toolbox, "evaluate"):
        raise ExperimentError(
            "toolbox: expected no `evaluate`, as scoring is the task's; give your own as task=..."
        )
    filled = base.Toolbox()
    filled.__dict__.update(toolbox.__dict__)
    filled.register("evaluate", score)
    if filled.map.func is map:  # DEAP's default, which a pool replaces
        filled.register("map", spread)
    return filled


def _record(
    jobs: Sequence[Rows], scores: Sequence[Scores], generation: int, numbers: Iterator[int]
) -> tuple[Individual, ...]:
    """Give every individual its fitness, and the new ones a number: these are the births."""
    births = []
    for job, result in zip(jobs, scores, strict=True):
        if not isinstance(job, Individual):
            continue
        job.fitness.values = (float(result.fitness[0]),)
        job.measures = {name: float(values[0]) for name, values in result.measures.items()}
        if job.number is None:
            job.number, job.generation = next(numbers), generation
            births.append(job)
    return tuple(births)


def _better(one: Validation, other: Validation) -> bool:
    return (one.wrong_bits, one.bits) < (other.wrong_bits, other.bits)


def _statistics() -> tools.Statistics:
    statistics = tools.Statistics()
    for name, share in (("worst", 0), ("lower", 0.25), ("median", 0.5), ("upper", 0.75), ("best", 1)):
        statistics.register(name, np.quantile, q=share, method="nearest")
    return statistics


_STATISTICS = _statistics()
