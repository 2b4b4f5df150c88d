"""NEAT: species that share fitness, crossover by innovation, graphs that grow from little.

Source: Stanley and Miikkulainen (2002). Everybody is scored anew each generation, elites too, on
the generation's common episodes, so a species makes progress where a newcomer beats its elder then.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from math import ceil

import numpy as np
from deap import tools

from evo_ntm.evolution.breeding import Choice, vary
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.species import Species, adjusted, gather, places, progressed
from evo_ntm.evolution.state import State, exact, pack, unpack
from evo_ntm.evolution.strategy import Event, Found, Patience, Validation, restart
from evo_ntm.experiment.neat import NEAT as Settings
from evo_ntm.experiment.operators import Perturb
from evo_ntm.genome import Genome
from evo_ntm.genome.bounds import Inapplicable
from evo_ntm.genome.variation import cross, perturb, some
from evo_ntm.seeds import Generator, derive
from evo_ntm.topology import Graph

Population = list[Individual]


class NEAT:
    """A population in species, each of which has children of its own."""

    _population: Population
    _patience: Patience
    _species: list[Species]
    _threshold: float
    _next: int

    def __init__(
        self, settings: Settings, *, found: Found, operators: Mapping[str, Choice]
    ) -> None:
        self._settings, self._seed, self._found = settings, settings.seed, found
        self._vary = partial(vary, operators or {"perturb": Choice(1.0, perturb, inherits=True)})
        moving = settings.operators.get("perturb")
        told = moving if isinstance(moving, Perturb) else Perturb()
        self._few, self._alike = told.few, told.alike or 0.0
        trained = settings.operators.get("finetune")
        self._trained = trained.share if trained else 0.0
        self._scored: Population = []
        self._start(0)

    def species(self) -> int:
        """Count the species alive."""
        return len(self._species)

    def figures(self) -> Mapping[str, float]:
        """Give the threshold, and of graphs the median numbers of nodes and connections."""
        told = {"threshold": self._threshold}
        graphs = [one.topology.controller.graph for one in self._population]
        drawn = [graph for graph in graphs if isinstance(graph, Graph)]
        if drawn:
            told["nodes"] = float(np.median([len(graph.nodes) for graph in drawn]))
            told["connections"] = float(np.median([len(graph.connections) for graph in drawn]))
        return told

    def best(self) -> Individual:
        """Give the fittest of the generation last scored."""
        return self._scored[0]

    def generate(self, generation: int) -> Sequence[Rows]:
        """Give the whole population, elites included."""
        return self._population

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Sort everyone into species, and let each have children by its shared fitness."""
        settings = self._settings
        self._scored = tools.selBest(self._population, len(self._population))
        self._speciate(generation)
        living = self._living(generation)
        kept: Population = []
        families = []
        for species, room in zip(living, places(living, settings.population), strict=True):
            first = species.members[0] is self._scored[0]
            if room and (first or len(species.members) >= settings.elite_from):
                kept.append(species.members[0])
                room -= 1
            families += [species] * room
        if self._scored[0] not in kept:  # whose species was too small for a place
            kept.append(self._scored[0])
            families = families[: settings.population - len(kept)]
        children = [
            self._child(species, generation, derive(self._seed, "child", generation, slot))
            for slot, species in enumerate(families)
        ]
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
        """Tell the population, the patience, and the species with who was their fittest."""
        packed = pack([*self._population, *(species.champion for species in self._species)])
        words = {
            "individuals": packed.words,
            "patience": self._patience.words(),
            "species": [[species.number, species.since] for species in self._species],
            "threshold": exact(self._threshold),
            "next": self._next,
        }
        return State(words, packed.tensors)

    def restore(self, state: State) -> None:
        """Go on with that population."""
        words = state.words
        everyone = unpack(State(words["individuals"], state.tensors))
        size = len(everyone) - len(words["species"])
        self._population, champions = everyone[:size], everyone[size:]
        self._patience = self._patience.restored(words["patience"])
        self._species = [
            Species(number, champion, since)
            for (number, since), champion in zip(words["species"], champions, strict=True)
        ]
        self._threshold, self._next = float(words["threshold"]), words["next"]

    def _start(self, generation: int) -> None:
        settings = self._settings
        self._patience = Patience(settings.patience, generation, settings.progress)
        self._species, self._threshold, self._next = [], settings.threshold, 1
        self._population = [
            self._founder(derive(self._seed, "founder", generation, slot))
            for slot in range(settings.population)
        ]

    def _founder(self, generator: Generator) -> Individual:
        genome = self._found(generator)
        genes = generator.normal(genome.genes.size) * np.float32(self._settings.start)
        return Individual(self._within(genome.with_genes(genes)), operators=("found",))

    def _speciate(self, generation: int) -> None:
        settings = self._settings
        found = gather(
            self._scored,
            self._species,
            threshold=self._threshold,
            generation=generation,
            first=self._next,
            disjoint=settings.disjoint,
            difference=settings.difference,
        )
        self._next = max(self._next, 1 + max(species.number for species in found))
        alive = {one.born for one in self._scored}
        for species in found:
            if progressed(species, alive, generation=generation, share=settings.progress):
                species.since = generation
            species.champion = species.members[0]
        self._species = found
        self._threshold = adjusted(self._threshold, len(found), settings.species)

    def _living(self, generation: int) -> list[Species]:
        """List the species that may have children: the others made no progress for too long."""
        return [
            species
            for species in self._species
            if generation - species.since < self._settings.stagnation
            or species.members[0] is self._scored[0]
        ]

    def _child(self, species: Species, generation: int, generator: Generator) -> Individual:
        """Cross with the share of crossovers, then let one operator at it.

        What an operator adds does nothing yet: a step right after it wakes it.
        """
        settings = self._settings
        parents = species.members[: ceil(settings.survival * len(species.members))]
        parent, other = (parents[int(generator.integers(0, len(parents)))] for _ in range(2))
        crossed = None
        if parent is not other and float(generator.random()) < settings.crossover:
            crossed = self._crossed(parent, other, generator)
        others = [] if crossed or other is parent else [other.genome]
        genome = crossed.genome if crossed else parent.genome
        bred = self._vary(genome, *others, generator=generator)
        operators = crossed.operators if crossed else ()
        born = crossed.parents if crossed else (parent.born,)
        if bred is None or bred.operator == "perturb":
            genome, operators = self._moved(genome, generator), (*operators, "perturb")
        else:
            genome = self._moved(bred.genome, generator)
            operators = (*operators, bred.operator, "perturb")
            born = born if bred.parents == 1 else (parent.born, other.born)
        if self._trained and float(generator.random()) < self._trained:
            operators = (*operators, "finetune")
        return Individual(self._within(genome), operators=operators, parents=born)

    def _crossed(
        self, parent: Individual, other: Individual, generator: Generator
    ) -> Individual | None:
        fitter, second = sorted((parent, other), key=lambda one: one.fitness, reverse=True)
        try:
            genome = cross(fitter.genome, second.genome, generator=generator)
        except Inapplicable:
            return None
        return Individual(genome, operators=("cross",), parents=(fitter.born, second.born))

    def _moved(self, genome: Genome, generator: Generator) -> Genome:
        """Move few genes or many, by small steps or large; both are drawn by their logarithm.

        How often it moves all genes instead, `few` of the operator `perturb` says.
        """
        settings = self._settings
        span = settings.sigma / settings.least_sigma
        sigma = settings.sigma * span ** -float(generator.random())
        if self._few is None or float(generator.random()) < self._few:
            chance = some(genome, generator)
        else:
            chance = 1.0
        told = {"sigma": sigma, "chance": chance, "alike": self._alike}
        return perturb(genome, generator=generator, **told)

    def _within(self, genome: Genome) -> Genome:
        limit = self._settings.largest
        return genome.with_genes(np.clip(genome.genes, -limit, limit))
