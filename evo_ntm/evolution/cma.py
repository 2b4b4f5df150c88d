"""CMA-ES as DEAP has it, for machines of up to 500 genes. The individual is the mean.

Source: Hansen and Ostermeier (2001); `deap.cma.Strategy`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from deap import cma
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from evo_ntm.errors import ExperimentError
from evo_ntm.evolution.cohort import Rows
from evo_ntm.evolution.evaluate import Scores
from evo_ntm.evolution.individual import Fitness, Individual
from evo_ntm.evolution.state import State, exact, pack, unpack
from evo_ntm.evolution.strategy import RESTART, Event, Found, Patience, Validation, restart
from evo_ntm.experiment.cma import CMA as Settings
from evo_ntm.genome import Encoding
from evo_ntm.seeds import derive, reseed_globals
from evo_ntm.topology import Topology

MOST_GENES = 500
LARGEST = 1e30  # well within float32, in which genes are kept
ADAPTED = ("centroid", "pc", "ps", "C", "diagD", "B", "BD")  # what DEAP's strategy calls them


class Point(np.ndarray[tuple[int], np.dtype[np.float64]]):
    """A sample of the strategy, with the fitness that DEAP looks at."""

    fitness: Fitness


@dataclass(frozen=True)
class Points:
    """The samples of one generation as rows."""

    topology: Topology
    encoding: Encoding
    points: tuple[Point, ...]

    def __len__(self) -> int:
        return len(self.points)

    def rows(self) -> NDArray[np.float32]:
        """Give the genes of all samples."""
        return np.array(self.points, dtype=np.float32)


class CMA:
    """One search by covariance matrix adaptation, begun anew when it stalls or breaks down.

    `begin` gives the first mean of a search, from a generation on.
    """

    _individual: Individual
    _scored: Individual
    _strategy: cma.Strategy
    _patience: Patience

    def __init__(self, settings: Settings, *, begin: Callable[[int], Individual]) -> None:
        self._settings, self._seed, self._begin = settings, settings.seed, begin
        self._start(0)

    def species(self) -> int:
        """Count the searches: always one."""
        return 1

    def figures(self) -> Mapping[str, float]:
        """Give the step size, and how much longer the longest axis is than the shortest."""
        return {"sigma": float(self._strategy.sigma), "condition": float(self._strategy.cond)}

    def best(self) -> Individual:
        """Give the mean last scored."""
        return self._scored

    def generate(self, generation: int) -> list[Rows]:
        """Give the mean and the samples about it."""
        reseed_globals(self._seed, "cma", generation)
        genome = self._individual.genome
        with threadpool_limits(1):
            points = tuple(self._strategy.generate(_point))
        return [self._individual, Points(genome.topology, genome.encoding, points)]

    def update(
        self, generation: int, jobs: Sequence[Rows], scores: Sequence[Scores]
    ) -> list[Event]:
        """Move the mean and adapt the covariance."""
        samples = jobs[1]
        assert isinstance(samples, Points)
        for point, fitness in zip(samples.points, scores[1].fitness, strict=True):
            point.fitness.values = (fitness,)
        self._scored = self._individual
        # On several threads the products of matrices would be summed in another order.
        with threadpool_limits(1), np.errstate(all="ignore"):
            self._strategy.update(list(samples.points))
        if not self._sound():
            self._start(generation + 1)
            return [Event(generation, RESTART, "the covariance has broken down")]
        self._individual = Individual(
            self._scored.genome.with_genes(self._strategy.centroid),
            operators=("recombine",),
            parents=(self._scored.born,),
        )
        return []

    def reflect(self, validation: Validation) -> list[Event]:
        """Begin anew at another founder after a long stall."""
        generation, patience = validation.generation, self._patience.after(validation)
        self._patience = patience
        if not patience.ended(generation):
            return []
        self._start(generation + 1)
        return [restart(generation, patience)]

    def state(self) -> State:
        """Tell the mean as an individual, and all that DEAP's strategy adapts.

        A matrix that lies column by column is told as it lies, for products of matrices are summed
        in another order where they lie otherwise.
        """
        search, packed = self._strategy, pack([self._individual])
        arrays = {name: np.asarray(getattr(search, name)) for name in ADAPTED}
        turned = [name for name, array in arrays.items() if not array.flags.c_contiguous]
        words = {
            "individuals": packed.words,
            "patience": self._patience.words(),
            "sigma": exact(search.sigma),
            "condition": exact(search.cond),
            "updates": search.update_count,
            "turned": turned,
        }
        lying = {name: array.T if name in turned else array for name, array in arrays.items()}
        return State(words, {**packed.tensors, **lying})

    def restore(self, state: State) -> None:
        """Go on with that search."""
        words = state.words
        (self._individual,) = unpack(State(words["individuals"], state.tensors))
        self._patience = self._patience.restored(words["patience"])
        genes = self._individual.genome.genes.astype(np.float64)
        search = cma.Strategy(genes, float(words["sigma"]), lambda_=self._settings.population)
        search.cond, search.update_count = float(words["condition"]), words["updates"]
        for name in ADAPTED:
            array = np.array(state.tensors[name], order="C")
            setattr(search, name, array.T if name in words["turned"] else array)
        self._strategy = search

    def _start(self, generation: int) -> None:
        self._individual = self._begin(generation)
        genome = self._individual.genome
        if genome.genes.size > MOST_GENES:
            raise ExperimentError(
                f"cma is for machines of up to {MOST_GENES} genes, but {genome.topology} has "
                f"{genome.genes.size}: use evolution_strategy, or a smaller machine"
            )
        self._patience = Patience(self._settings.patience, since=generation)
        with threadpool_limits(1):
            self._strategy = cma.Strategy(
                genome.genes.astype(np.float64),
                self._settings.sigma,
                lambda_=self._settings.population,
            )

    def _sound(self) -> bool:
        """Tell whether rounding has left a covariance to draw from: DEAP takes roots unasked."""
        reach = self._strategy.sigma * self._strategy.BD
        return all(np.abs(numbers).max() < LARGEST for numbers in (reach, self._strategy.centroid))


def founders(found: Found, seed: int) -> Callable[[int], Individual]:
    """Give a founder for every generation in which a search may begin."""
    return lambda generation: Individual(
        found(derive(seed, "founder", generation)), operators=("found",)
    )


def _point(genes: NDArray[np.float64]) -> Point:
    point = np.asarray(genes, dtype=np.float64).view(Point)
    point.fitness = Fitness()
    return point
