"""A DEAP user's own strategy: a toolbox with `generate` and `update`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from deap import base, tools

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State
from evo_ntm.evolution.strategy import Event, Validation
from evo_ntm.genome import Genome


class Own:
    """Asks the toolbox for genes, one sequence of numbers an individual, and tells its fitness.

    Topology and encoding are the founder's. The individuals of the toolbox need a `fitness` of one
    value, to be maximised. Raises ExperimentError where they have another, or where there are none.
    """

    def __init__(self, toolbox: base.Toolbox, *, founder: Genome) -> None:
        self._toolbox, self._founder = toolbox, founder
        self._asked: list[Any] = []
        self._population: list[Individual] = []

    def species(self) -> int:
        """Count the topologies: always one."""
        return 1

    def figures(self) -> Mapping[str, float]:
        """Give nothing: the toolbox keeps its own log."""
        return {}

    def best(self) -> Individual:
        """Give the fittest of the generation last scored."""
        fittest: Individual = tools.selBest(self._population, 1)[0]
        return fittest

    def generate(self, generation: int) -> Sequence[Rows]:
        """Ask for genes, and make individuals of them."""
        self._asked = list(self._toolbox.generate())
        if not self._asked:
            raise ExperimentError("toolbox: expected `generate` to give individuals, but got none")
        self._population = [
            Individual(self._founder.with_genes(np.asarray(genes)), operators=("generate",))
            for genes in self._asked
        ]
        return self._population

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Tell the fitness."""
        for genes, individual in zip(self._asked, self._population, strict=True):
            weights = tuple(genes.fitness.weights)
            if len(weights) != 1 or weights[0] <= 0:
                raise ExperimentError(
                    "toolbox: expected individuals with one fitness, to be maximised, as of the "
                    f"weights (1.0,), but came {weights}"
                )
            genes.fitness.values = individual.fitness.values
        self._toolbox.update(self._asked)
        return []

    def reflect(self, validation: Validation) -> list[Event]:
        """Leave it to the toolbox."""
        return []

    def state(self) -> None:
        """Tell nothing: what the toolbox has learned is its own."""

    def restore(self, state: State) -> None:
        """Refuse. Raises ExperimentError."""
        raise ExperimentError(
            "toolbox: a run with `generate` and `update` of one's own cannot be resumed, "
            "as nobody but the toolbox knows what it has learned"
        )
