"""An individual: a genome in a population, with the fitness that DEAP's tools look at."""

import numpy as np
from deap import base
from numpy.typing import NDArray

from evo_ntm.genome import Encoding, Genome
from evo_ntm.topology import Topology


class Fitness(base.Fitness):  # type: ignore[misc]
    """A fitness to be maximised, as DEAP knows it."""

    weights = (1.0,)


class Individual:
    """A genome and how it came about. DEAP's selections and its Statistics work on it as it is.

    `operators` and `parents` say who made it of whom; the first parent is the primary one. Its
    `number` and `generation`, those of its birth, are given by the engine when it is first scored,
    and kept for life; fitness, measures and `worths`, what each episode was worth where that is
    told, are those of the last scoring.
    """

    def __init__(
        self,
        genome: Genome,
        *,
        operators: tuple[str, ...],
        parents: tuple[int, ...] = (),
        sigma: float | None = None,
    ) -> None:
        self.genome = genome
        self.operators = operators
        self.parents = parents
        self.sigma = sigma
        self.number: int | None = None
        self.generation: int | None = None
        self.fitness = Fitness()
        self.measures: dict[str, float] = {}
        self.worths: NDArray[np.float64] | None = None

    @property
    def born(self) -> int:
        """Give the number of the birth, which every scored individual has."""
        assert self.number is not None, "an individual is numbered when it is scored"
        return self.number

    @property
    def topology(self) -> Topology:
        """Give the genome's topology."""
        return self.genome.topology

    @property
    def encoding(self) -> Encoding:
        """Give the genome's encoding."""
        return self.genome.encoding

    def __len__(self) -> int:
        return 1

    def rows(self) -> NDArray[np.float32]:
        """Give the genes as the one row of a matrix."""
        return self.genome.genes[None]
