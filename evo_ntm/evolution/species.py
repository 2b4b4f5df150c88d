"""Species by compatibility: who is near whom, and how many children each species may have.

Source: Stanley and Miikkulainen (2002), sections 3.3 and 3.4. Innovation numbers have no order
here, so that excess genes are disjoint like the others, which had the same weight anyhow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from evo_ntm.evolution.individual import Individual
from evo_ntm.genome import Genome

STEP = 1.1  # by which the threshold follows the number of species

Numbers = NDArray[np.float64]


@dataclass
class Species:
    """Individuals near each other, the fittest first, and who was the fittest the time before.

    `since` is the generation of the last progress, or that in which the species came about.
    """

    number: int
    champion: Individual
    since: int
    members: list[Individual] = field(default_factory=list)


class Distances:
    """Genomes laid side by side by the keys of their genes, so that distances are quick."""

    def __init__(self, genomes: Sequence[Genome], *, disjoint: float, difference: float) -> None:
        self._weights = disjoint, difference
        codes = [genome.code for genome in genomes]  # held, or an identity would name another one
        keys = {id(code): code.keys for code in codes}
        every = np.unique(np.concatenate(list(keys.values())))
        columns = {which: np.searchsorted(every, own) for which, own in keys.items()}
        self._there = np.zeros((len(genomes), every.size), dtype=bool)
        self._genes = np.zeros((len(genomes), every.size), dtype=np.float32)
        for row, (genome, code) in enumerate(zip(genomes, codes, strict=True)):
            self._there[row, columns[id(code)]] = True
            self._genes[row, columns[id(code)]] = genome.genes
        self._counts = self._there.sum(1)

    def of(self, place: int) -> Numbers:
        """Tell how far every genome is from one of them."""
        disjoint, difference = self._weights
        both = self._there & self._there[place]
        shared = both.sum(1)
        apart = self._counts + self._counts[place] - 2 * shared
        moved = (np.abs(self._genes - self._genes[place]) * both).sum(1, dtype=np.float64)
        most = np.maximum(np.maximum(self._counts, self._counts[place]), 1)
        found: Numbers = disjoint * apart / most + difference * moved / np.maximum(shared, 1)
        return found


def gather(
    ranked: Sequence[Individual],
    elder: Sequence[Species],
    *,
    threshold: float,
    generation: int,
    first: int,
    disjoint: float,
    difference: float,
) -> list[Species]:
    """Give everyone, the fittest first, to the eldest species that is near, or else to a new one.

    So species merge as the threshold rises. They are known by who was their fittest the time
    before; new ones are numbered from `first` on. Those without members are left out.
    """
    genomes = [*(one.genome for one in ranked), *(species.champion.genome for species in elder)]
    distances = Distances(genomes, disjoint=disjoint, difference=difference)
    found = [Species(each.number, each.champion, each.since) for each in elder]
    whose = np.full(len(ranked), -1)

    def joined(place: int, number: int) -> None:
        away = distances.of(place)[: len(ranked)]
        whose[(whose < 0) & (away < threshold)] = number

    for number in range(len(found)):
        joined(len(ranked) + number, number)
    for place, individual in enumerate(ranked):
        if whose[place] < 0:
            found.append(Species(first + len(found) - len(elder), individual, generation))
            joined(place, len(found) - 1)
            whose[place] = len(found) - 1
    for individual, number in zip(ranked, whose.tolist(), strict=True):
        found[number].members.append(individual)
    return [species for species in found if species.members]


def progressed(species: Species, alive: set[int], *, generation: int, share: float) -> bool:
    """Tell whether a newcomer costs less, by a share, than who was the fittest of its species.

    Both were scored in this generation, on the same episodes; the fitness of different generations
    is never compared.
    """
    best, before = species.members[0], species.champion
    if best.generation != generation:
        return False
    if before.number not in alive or before is best:
        return True
    return bool(-best.fitness.values[0] < (1 - share) * -before.fitness.values[0])


def adjusted(threshold: float, count: int, wanted: int) -> float:
    """Let the threshold follow how many species there are and should be."""
    if count == wanted:
        return threshold
    return threshold * STEP if count > wanted else threshold / STEP


def places(species: Sequence[Species], count: int) -> list[int]:
    """Share places among species by the mean fitness of their members, above the worst of all.

    That is explicit fitness sharing: everyone's fitness divided by the size of the species.
    """
    fitness = [[one.fitness.values[0] for one in each.members] for each in species]
    finite = [value for values in fitness for value in values if isfinite(value)]
    worst = min(finite, default=0.0)
    means = np.array(
        [
            sum(value - worst for value in values if isfinite(value)) / len(values)
            for values in fitness
        ]
    )
    if not means.sum() > 0:
        means = np.ones(len(species))
    exact = count * means / means.sum()
    whole = np.floor(exact).astype(int)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: count - int(whole.sum())]] += 1
    return [int(each) for each in whole]
