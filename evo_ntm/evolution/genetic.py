"""A genetic algorithm: tournaments, elites, crossover by unit, mutation with inherited step sizes.

Everybody is scored anew each generation, elites too, on the generation's common episodes; some
parents are chosen by single ones of these, if that is wanted. A species is a topology (controller
and heads); a young one is granted places of its own, so that a new head has time to prove itself
(after the speciation of Stanley and Miikkulainen, 2002).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import cycle, islice

import numpy as np
from deap import base, tools

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.breeding import Bred, Choice, vary
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.lexicase import deviation, lexicase
from evo_ntm.evolution.state import State, pack, unpack
from evo_ntm.evolution.strategy import Event, Found, Patience, Validation, restart
from evo_ntm.experiment.genetic import Genetic as Settings
from evo_ntm.genome import Genome
from evo_ntm.genome.adapter import from_deap
from evo_ntm.genome.bounds import Inapplicable
from evo_ntm.genome.variation import cross, perturb
from evo_ntm.seeds import Generator, derive

LEXICASE = "lexicase"
Population = list[Individual]


class Genetic:
    """A population in which everybody is an individual of their own.

    `toolbox` may hold a DEAP user's own `select(individuals, count)`, and `mate` and `mutate` that
    change lists of genes in place. What it lacks is DEAP's tournament, crossover by whole unit, and
    the operator `perturb`, whose share an own `mutate` takes over.
    """

    _population: Population
    _patience: Patience
    _born: dict[object, int]

    def __init__(
        self,
        settings: Settings,
        *,
        found: Found,
        operators: Mapping[str, Choice],
        toolbox: base.Toolbox,
    ) -> None:
        self._settings, self._seed, self._found = settings, settings.seed, found
        self._scored: Population = []
        self._select: Callable[..., Population] = getattr(toolbox, "select", self._tournament)
        self._mate = from_deap(toolbox.mate) if hasattr(toolbox, "mate") else cross
        self._mutate = from_deap(toolbox.mutate) if hasattr(toolbox, "mutate") else None
        if self._mutate is not None:
            others = {name: choice for name, choice in operators.items() if name != "perturb"}
            share = operators["perturb"].share if "perturb" in operators else 1.0
            operators = {**others, "mutate": Choice(share, self._mutate)}
        self._vary = partial(vary, operators)
        trained = settings.operators.get("finetune")
        self._trained = trained.share if trained else 0.0
        self._start(0)

    def species(self) -> int:
        """Count the topologies alive."""
        return len({individual.topology.species_key for individual in self._population})

    def figures(self) -> Mapping[str, float]:
        """Give the median step size of the population."""
        sizes = [individual.sigma or self._settings.sigma for individual in self._population]
        return {"sigma": float(np.median(sizes))}

    def best(self) -> Individual:
        """Give the fittest of the generation last scored."""
        return self._scored[0]

    def generate(self, generation: int) -> Sequence[Rows]:
        """Give the whole population, elites included."""
        return self._population

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Choose who lives on and who has children."""
        settings = self._settings
        self._scored = tools.selBest(self._population, len(self._population))
        young = self._young(generation)
        kept = self._scored[: settings.elites]
        kept += [species[0] for species in young if species[0] not in kept]
        places = settings.population - len(kept)
        children: Population = []
        for species in young:
            room = min(settings.species_size, places - len(children))
            children += self._children(species, room, generation, len(children))
        children += self._children(self._scored, places - len(children), generation, len(children))
        self._population = kept + children
        return []

    def reflect(self, validation: Validation) -> list[Event]:
        """Begin anew after a long stall, keeping nobody."""
        generation, patience = validation.generation, self._patience.after(validation)
        self._patience = patience
        if not patience.ended(generation):
            return []
        self._start(generation + 1)
        return [restart(generation, patience)]

    def state(self) -> State:
        """Tell the population, the patience, and when each species was first seen."""
        packed = pack(self._population)
        born = [[key, generation] for key, generation in self._born.items()]
        words = {"individuals": packed.words, "patience": self._patience.words(), "born": born}
        return State(words, packed.tensors)

    def restore(self, state: State) -> None:
        """Go on with that population."""
        words = state.words
        self._population = unpack(State(words["individuals"], state.tensors))
        self._patience = self._patience.restored(words["patience"])
        self._born = {_hashable(key): generation for key, generation in words["born"]}

    def _start(self, generation: int) -> None:
        settings = self._settings
        self._patience = Patience(settings.patience, generation, settings.progress)
        self._born = {}
        self._population = [
            Individual(
                self._found(derive(self._seed, "founder", generation, slot)),
                operators=("found",),
                sigma=self._settings.sigma,
            )
            for slot in range(self._settings.population)
        ]

    def _young(self, generation: int) -> list[Population]:
        """List the species that are still granted places, each with its fittest first."""
        species: dict[object, Population] = {}
        for individual in self._scored:
            species.setdefault(individual.topology.species_key, []).append(individual)
        for key in species:
            self._born.setdefault(key, generation)
        oldest = min(self._born[key] for key in species)
        youngest = max(oldest, generation - self._settings.species_age)
        return [members for key, members in species.items() if self._born[key] > youngest]

    def _children(self, parents: Population, count: int, generation: int, first: int) -> Population:
        if count <= 0:
            return []
        chosen = self._parents(parents, 2 * count, derive(self._seed, LEXICASE, generation, first))
        return [
            self._child(one, other, derive(self._seed, "child", generation, first + slot))
            for slot, (one, other) in enumerate(zip(chosen[::2], chosen[1::2], strict=True))
        ]

    def _parents(self, individuals: Population, count: int, generator: Generator) -> Population:
        """Choose parents in pairs, those of some children by single episodes."""
        settings = self._settings.lexicase
        worths = [one.worths for one in individuals if one.worths is not None]
        chosen: Population = []
        if settings is not None and len(worths) == len(individuals):
            each = np.stack(worths)
            slack = np.zeros(each.shape[1]) if settings.within == "ties" else deviation(each)
            some = 2 * round(settings.share * count / 2)
            numbers = lexicase(each, slack, some, generator=generator)
            chosen = [individuals[number] for number in numbers]
        if not (left := count - len(chosen)):
            return chosen
        selected = self._select(individuals, left)
        if not selected:
            raise ExperimentError("toolbox: expected `select` to choose parents, but it chose none")
        return chosen + list(islice(cycle(selected), left))  # who selects the best finds fewer

    def _child(self, parent: Individual, other: Individual, generator: Generator) -> Individual:
        """Cross with the share of crossovers, then let one operator at it."""
        others = [] if other is parent else [other]
        crossed = None
        if others and float(generator.random()) < self._settings.crossover:
            crossed = self._crossed(parent, other, generator)
        return self._mutated(crossed or parent, others, generator)

    def _crossed(
        self, parent: Individual, other: Individual, generator: Generator
    ) -> Individual | None:
        fitter, second = sorted((parent, other), key=lambda one: one.fitness, reverse=True)
        try:
            genome = self._mate(fitter.genome, second.genome, generator=generator)
        except Inapplicable:
            return None
        name = "cross" if self._mate is cross else "mate"
        parents = fitter.born, second.born
        return Individual(genome, operators=(name,), parents=parents, sigma=fitter.sigma)

    def _mutated(
        self, individual: Individual, others: Sequence[Individual], generator: Generator
    ) -> Individual:
        """Let one operator, drawn by share, at a parent or at a fresh crossing of two."""
        sigma = self._step(individual, generator)
        genomes = [one.genome for one in (individual, *others)]
        bred = self._vary(*genomes, generator=generator, sigma=sigma)
        bred = bred or self._perturbed(individual.genome, generator, sigma)
        if individual.number is None:
            operators, parents = (*individual.operators, bred.operator), individual.parents
        else:
            taken = (individual, *others)[: bred.parents]
            operators, parents = (bred.operator,), tuple(one.born for one in taken)
        if self._trained and float(generator.random()) < self._trained:
            operators = (*operators, "finetune")
        return Individual(bred.genome, operators=operators, parents=parents, sigma=sigma)

    def _perturbed(self, genome: Genome, generator: Generator, sigma: float) -> Bred:
        """Change the genes where no operator of the task file applies."""
        if self._mutate is not None:
            return Bred(self._mutate(genome, generator=generator), "mutate", 1)
        return Bred(perturb(genome, generator=generator, sigma=sigma), "perturb", 1)

    def _step(self, individual: Individual, generator: Generator) -> float:
        """Draw a step size: near the parent's (Schwefel, 1981), or anew, all scales alike."""
        settings, least = self._settings, self._settings.least_sigma
        if settings.most_sigma is not None:
            return float(least * (settings.most_sigma / least) ** float(generator.random()))
        rate = 1 / np.sqrt(2 * np.sqrt(individual.genome.genes.size))
        drift = float(np.exp(rate * float(generator.normal())))
        return max((individual.sigma or settings.sigma) * drift, least)

    def _tournament(self, individuals: Population, count: int) -> Population:
        chosen: Population = tools.selTournament(individuals, count, self._settings.tournament)
        return chosen


def _hashable(told: object) -> object:
    """Read the key of a species back from JSON, which has lists only."""
    return tuple(map(_hashable, told)) if isinstance(told, list | tuple) else told
