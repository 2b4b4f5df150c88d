"""A genetic algorithm: tournaments, elites, crossover by unit, mutation with inherited step sizes.

Everybody is scored anew each generation, elites too, on the generation's common episodes. A
species is a topology (controller and heads); a young one is granted places of its own, so that a
new head has time to prove itself (after the speciation of Stanley and Miikkulainen, 2002).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from deap import base, tools

from evo_ntm.evolution.evaluate import Rows, Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.strategy import Event, Found, Validation, Vary
from evo_ntm.experiment.genetic import Genetic as Settings
from evo_ntm.genome.adapter import from_deap
from evo_ntm.genome.variation import cross, perturb
from evo_ntm.seeds import Generator, derive

Population = list[Individual]


class Genetic:
    """A population in which everybody is an individual of their own.

    `toolbox` may hold a DEAP user's own `select`, `mate` and `mutate`; what it lacks is DEAP's
    tournament, crossover by whole unit, and Gaussian mutation.
    """

    def __init__(
        self, settings: Settings, *, found: Found, vary: Vary, toolbox: base.Toolbox
    ) -> None:
        self._settings, self._seed = settings, settings.seed
        self._found, self._vary = found, vary
        self._select: Callable[..., Population] = getattr(toolbox, "select", self._tournament)
        self._mate: Callable[..., Any] = _own(toolbox, "mate") or cross
        self._scored: Population = []
        self._born: dict[object, int] = {}
        self._start(0)

    def species(self) -> int:
        """Count the topologies alive."""
        return len({individual.topology.species_key for individual in self._population})

    def best(self) -> Individual:
        """Give the fittest of the generation last scored."""
        return self._scored[0]

    def generate(self, generation: int) -> Sequence[Rows]:
        """Give the whole population, elites included."""
        return self._population

    def update(self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]) -> list[Event]:
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
        if validation.bits < self._best_bits:
            self._best_bits, self._progress = validation.bits, validation.generation
        patience = self._settings.patience
        if validation.generation - self._progress < patience:
            return []
        self._start(validation.generation + 1)
        return [Event(validation.generation, "restart", f"no progress for {patience} generations")]

    def _start(self, generation: int) -> None:
        self._best_bits, self._progress = np.inf, generation
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
        age = self._settings.species_age
        born = {key: self._born[key] for key in species}
        return [
            members
            for key, members in species.items()
            if born[key] > oldest and generation - born[key] < age
        ]

    def _children(
        self, parents: Population, count: int, generation: int, first: int
    ) -> Population:
        chosen = self._select(parents, 2 * count) if count > 0 else []
        slots = range(first, first + count)
        return [
            self._child(one, other, derive(self._seed, "child", generation, slot))
            for slot, one, other in zip(slots, chosen[::2], chosen[1::2], strict=True)
        ]

    def _child(self, parent: Individual, other: Individual, generator: Generator) -> Individual:
        """Cross with the share of crossovers, then let one operator at it."""
        child = parent
        if other is not parent and float(generator.random()) < self._settings.crossover:
            fitter, second = sorted((parent, other), key=lambda i: i.fitness, reverse=True)
            genome = self._mate(fitter.genome, second.genome, generator=generator)
            child = Individual(genome, operators=("cross",), parents=(fitter.born, second.born),
                               sigma=fitter.sigma)  # fmt: skip
        return self._mutated(child, generator)

    def _mutated(self, individual: Individual, generator: Generator) -> Individual:
        """Let one operator, drawn by share, at a parent or at a fresh crossing of two."""
        crossed = individual.number is None
        sigma = (individual.sigma or self._settings.sigma) * self._drift(individual, generator)
        genome, operator = self._vary(individual.genome, generator, sigma=sigma) or (
            perturb(individual.genome, generator=generator, sigma=sigma), "perturb")  # fmt: skip
        return Individual(
            genome,
            operators=(*individual.operators, operator) if crossed else (operator,),
            parents=individual.parents if crossed else (individual.born,),
            sigma=sigma,
        )

    def _drift(self, individual: Individual, generator: Generator) -> float:
        """Draw the factor by which a child's step size differs (Schwefel, 1981)."""
        rate = 1 / np.sqrt(2 * np.sqrt(individual.genome.genes.size))
        return float(np.exp(rate * float(generator.normal())))

    def _tournament(self, individuals: Population, count: int) -> Population:
        chosen: Population = tools.selTournament(individuals, count, self._settings.tournament)
        return chosen


def _own(toolbox: base.Toolbox, alias: str) -> Callable[..., Any] | None:
    """Take a DEAP user's in-place operator, made to give new genomes."""
    function = getattr(toolbox, alias, None)
    return None if function is None else from_deap(function)
