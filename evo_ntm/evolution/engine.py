"""The one loop of evolution: generate, evaluate, update, validate, tell.

DEAP's toolbox is where the parts meet: `generate`, `evaluate`, `update` and `map`, and for the
genetic algorithm `select`, `mate` and `mutate`. Who registers their own is heard.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np
from deap import base, tools

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.breeding import found, operators_of, structural, vary
from evo_ntm.evolution.checkpoint import Checkpoint
from evo_ntm.evolution.cma import CMA, founders
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Map, Scores, heard, score
from evo_ntm.evolution.evolution_strategy import EvolutionStrategy
from evo_ntm.evolution.genetic import Genetic
from evo_ntm.evolution.hardest import with_hardest
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.neat import NEAT
from evo_ntm.evolution.own import Own
from evo_ntm.evolution.practice import practise
from evo_ntm.evolution.school import School, Sitting, school
from evo_ntm.evolution.strategy import RESTART, Event, Strategy, Validation
from evo_ntm.evolution.workers import backend_of
from evo_ntm.experiment import Experiment
from evo_ntm.experiment.evolution import Evolution
from evo_ntm.experiment.evolution_strategy import EvolutionStrategy as EvolutionStrategySettings
from evo_ntm.experiment.genetic import Genetic as GeneticSettings
from evo_ntm.experiment.neat import NEAT as NEATSettings
from evo_ntm.machine import Backend
from evo_ntm.seeds import derive, reseed_globals
from evo_ntm.tasks import Task

FAILURE = "failure"
QUANTILES = {"worst": 0, "lower": 0.25, "median": 0.5, "upper": 0.75, "best": 1}


@dataclass(frozen=True)
class Generation:
    """What one turn of the loop leaves behind.

    `individuals` are all who were scored by themselves, `births` the new ones among them.
    `seconds` are counted since the run began, `lasted` is how many of them were this turn's.
    There is a checkpoint as often as the experiment asks for one, at the end, and where genomes
    could not be scored.
    """

    number: int
    births: tuple[Individual, ...]
    individuals: tuple[Individual, ...]
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
    checkpoint: Checkpoint | None

    @property
    def unscored(self) -> str | None:
        """Say why something could not be scored, None where all was."""
        return next((event.text for event in self.events if event.kind == FAILURE), None)


def evolve(
    experiment: Experiment,
    task: Task,
    spread: Map,
    toolbox: base.Toolbox | None = None,
    since: Checkpoint | None = None,
    backend: Backend | None = None,
    lasts: Collection[int] = (),
) -> Iterator[Generation]:
    """Evolve generation after generation, until the exam is passed or a budget is spent.

    `spread` is a map over chunks of work: that of `workers.Local`, or of a cluster. `since` is a
    checkpoint of the same experiment, after which the generations are those that followed it then.
    `backend` is that of the workers, if these are not of this process. `lasts` are the
    generations that were the last until a run was given other limits. Raises ExperimentError and
    TaskError, before anything is computed, where experiment, task and toolbox do not go together.
    """
    toolbox = _toolbox(toolbox or base.Toolbox(), experiment.evolve, spread)
    strategy = strategy_of(experiment, task, toolbox)
    lessons = school(experiment, task, backend or backend_of(experiment.run))
    if since is not None:
        lessons.require(since.stage)
        _restore(strategy, since, experiment.evolve.strategy)
    return _generations(experiment, lessons, strategy, toolbox, since, lasts)


def _restore(strategy: Strategy, since: Checkpoint, name: str) -> None:
    """Let a strategy go on from a checkpoint. Raises ExperimentError where that is of another."""
    try:
        strategy.restore(since.strategy)
    except (KeyError, TypeError, ValueError) as error:  # it is whole: its hash is
        raise ExperimentError("evolve.strategy: expected that of the checkpoint to go on from, but "
                              f"came {name}") from error  # fmt: skip


def strategy_of(experiment: Experiment, task: Task, toolbox: base.Toolbox) -> Strategy:
    """Make the strategy that an experiment asks for, or that a DEAP user brought."""
    settings = experiment.evolve
    founding = partial(found, experiment, task)
    if hasattr(toolbox, "generate"):
        return Own(toolbox, founder=founding(derive(settings.seed, "founder")))
    operators = operators_of(experiment)
    if isinstance(settings, GeneticSettings):
        return Genetic(settings, found=founding, operators=operators, toolbox=toolbox)
    if isinstance(settings, NEATSettings):
        return NEAT(settings, found=founding, operators=operators)
    if isinstance(settings, EvolutionStrategySettings):
        varying = partial(vary, structural(operators))
        return EvolutionStrategy(settings, found=founding, vary=varying)
    return CMA(settings, begin=founders(founding, settings.seed))


def _generations(
    experiment: Experiment,
    lessons: School,
    strategy: Strategy,
    toolbox: base.Toolbox,
    since: Checkpoint | None,
    lasts: Collection[int],
) -> Iterator[Generation]:
    settings, every = experiment.evolve, experiment.run.checkpoint_every
    begun, first = time.monotonic(), 0
    stage, born, scored, mark = 0, 0, 0, None
    if since is not None:
        if since.ended:
            return
        begun, first = begun - since.seconds, since.generation + 1
        stage, born, scored, mark = since.stage, since.births, since.scored, since.mark
    for generation in count(first):
        turned = time.monotonic()
        reseed_globals(settings.seed, "generate", generation)
        jobs, reasons = strategy.generate(generation), list[str]()
        spread = partial(heard, toolbox.map, reasons)
        trial = lessons.trial(experiment, generation, stage)
        looked = 0
        if settings.hardest is not None and settings.chosen_among(stage):
            trial, looked = with_hardest(trial, settings.hardest, settings.seed, generation, jobs,
                                         spread)  # fmt: skip
        posed, practised = practise(experiment, lessons, generation, stage, trial, jobs, spread)
        scores = toolbox.evaluate(posed, trial, spread)
        births = _record(jobs, scores, generation, count(born + 1))
        born += len(births)
        # Not before scoring: others in this process draw from the same generators.
        reseed_globals(settings.seed, "deap", generation)
        events = strategy.update(generation, jobs, scores)

        fitness = np.concatenate([part.fitness for part in scores])
        scored += len(fitness)
        ends = bool(settings.spent(generation + 1, time.monotonic() - begun, scored))
        best, opened = strategy.best(), stage
        validation, sitting, crowned, taken = None, None, None, dict[str, float]()
        if ends or generation in lasts or (generation + 1) % settings.validate_every == 0:
            validated = lessons.validate(generation, best, spread)
            validation = validated.validation._replace(stage=stage)
            if settings.progress_in == "stage" or lessons.follows(stage):
                taken = lessons.taken(stage, best, spread)
            if settings.progress_in == "stage":
                standing = lessons.standing(stage, taken, experiment.patience_in(stage))
                validation = validation._replace(standing=standing)
            if validated.passed:
                sitting = lessons.examine(best, spread)
            came = validation.wrong_bits, validation.bits
            if mark is None or validated.passed or came < mark:
                mark, crowned = came, best
            events = [*events, *strategy.reflect(validation)]
        if any(event.kind == RESTART for event in events):
            opened = 0  # who begins anew has learned nothing yet
        elif validation is not None and lessons.curriculum.opens(stage, taken):
            opened = stage + 1
            events = [*events, Event(generation, "stage", f"stage {opened + 1} opens")]

        now, solved = time.monotonic(), sitting is not None and sitting.solved
        over = ends or solved
        # What could not be scored would come out otherwise another time: it is not replayed.
        keeps = over or bool(reasons) or (generation + 1) % every == 0
        state = strategy.state() if keeps else None
        events = [*events, *(Event(generation, FAILURE, told) for told in dict.fromkeys(reasons))]
        yield Generation(
            number=generation,
            births=births,
            individuals=tuple(job for job in jobs if isinstance(job, Individual)),
            scored=len(fitness),
            timesteps=len(fitness) * trial.steps + practised + looked,
            failures=sum(part.failures for part in scores),
            species=strategy.species(),
            stage=stage,
            rows=trial.rows,
            statistics={**_STATISTICS.compile(fitness), **strategy.figures()},
            best=best,
            validation=validation,
            champion=crowned,
            sitting=sitting,
            events=tuple(events),
            seconds=now - begun,
            lasted=now - turned,
            checkpoint=state and Checkpoint(generation, opened, born, scored, now - begun, mark,
                                            over, state),
        )  # fmt: skip
        if over:
            return
        stage = opened


def _toolbox(toolbox: base.Toolbox, settings: Evolution, spread: Map) -> base.Toolbox:
    """Fill in what the user's toolbox leaves open. Raises ExperimentError where it is no use."""
    if hasattr(toolbox, "evaluate"):
        raise ExperimentError(
            "toolbox: expected no `evaluate`, as scoring is the task's; give your own as task=..."
        )
    if hasattr(toolbox, "generate") != hasattr(toolbox, "update"):
        has = "generate" if hasattr(toolbox, "generate") else "update"
        raise ExperimentError(f"toolbox: expected `generate` and `update`, but came only `{has}`")
    for name in ("select", "mate", "mutate"):
        if hasattr(toolbox, name) and not isinstance(settings, GeneticSettings):
            raise ExperimentError(
                f"toolbox: expected no `{name}`, as the strategy is {settings.strategy}; "
                "it is heard by the strategy genetic"
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
        job.worths = None if result.worths is None else result.worths[0]
        if job.number is None:
            job.number, job.generation = next(numbers), generation
            births.append(job)
    return tuple(births)


def _statistics() -> tools.Statistics:
    statistics = tools.Statistics()
    for name, share in QUANTILES.items():
        statistics.register(name, np.quantile, q=share, method="nearest")
    return statistics


_STATISTICS = _statistics()
