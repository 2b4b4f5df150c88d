"""A search: a distribution about a mean in one topology, and how it moves.

Samples are antithetic and the update follows the gradient of centred ranks (Salimans et al., 2017)
by Adam (Kingma and Ba, 2015). The mean is averaged over the last generations (Polyak and Juditsky,
1992): the one that is sampled about goes on wandering once there is little left to gain, and its
average does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evo_ntm.evolution.cohort import Samples
from evo_ntm.evolution.individual import Individual
from evo_ntm.evolution.state import State, exact
from evo_ntm.genome import Genome
from evo_ntm.genome.graft import shared

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Adam:
    """The moments of the gradient. Source: Kingma and Ba (2015), algorithm 1."""

    first: Vector
    second: Vector
    steps: int = 0

    def step(self, gradient: Vector) -> tuple["Adam", Vector]:
        """Take in a gradient; give the direction to go, a learning rate of 1."""
        steps = self.steps + 1
        first = 0.9 * self.first + 0.1 * gradient
        second = 0.999 * self.second + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**steps), second / (1 - 0.999**steps)
        return Adam(first, second, steps), unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)


@dataclass(frozen=True)
class Search:
    """A species: its average as an individual, the mean to sample about, and how it moves."""

    individual: Individual
    mean: Vector
    average: Vector
    adam: Adam
    rate: float
    founded: int
    record: tuple[float, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def genome(self) -> Genome:
        """Give the average as a genome."""
        return self.individual.genome


VECTORS = ("mean", "average", "first", "second")


def search_state(search: Search) -> State:
    """Tell all of a search but its individual."""
    words = {
        "rate": search.rate,
        "founded": search.founded,
        "steps": search.adam.steps,
        "record": [exact(fitness) for fitness in search.record],
        "figures": {name: exact(value) for name, value in search.figures.items()},
    }
    adam = search.adam
    vectors = search.mean, search.average, adam.first, adam.second
    return State(words, dict(zip(VECTORS, vectors, strict=True)))


def restored_search(state: State, individual: Individual) -> Search:
    """Read a search back."""
    words = state.words
    mean, average, first, second = (np.array(state.tensors[name]) for name in VECTORS)
    return Search(
        individual,
        mean,
        average,
        Adam(first, second, words["steps"]),
        words["rate"],
        words["founded"],
        tuple(map(float, words["record"])),
        {name: float(value) for name, value in words["figures"].items()},
    )


def begin(individual: Individual, rate: float, generation: int) -> Search:
    """Begin a search at an individual."""
    mean = individual.genome.genes.astype(np.float64)
    nothing = np.zeros_like(mean)
    return Search(individual, mean, mean, Adam(nothing, nothing), rate, generation)


def follow_gradient(
    search: Search, samples: Samples, fitness: Vector, averaging: int = 1, times: float = 1.0
) -> Search:
    """Move the mean along the gradient that the ranks of its samples suggest.

    The average follows it over about `averaging` generations. The step is `times` its usual size
    once Adam's second moment has forgotten coarser samples, whose gradients were smaller: until
    then, some thousand generations, steps are longer. At once was slower in one of two trials, and
    no better in the other.
    """
    noise = samples.noise.astype(np.float64)
    ranks = centred_ranks(fitness)
    pulls = ranks[: samples.pairs] - ranks[samples.pairs :]
    gradient = pulls @ noise / (samples.pairs * samples.sigma)
    adam, direction = search.adam.step(gradient)
    step = times * search.rate * direction
    mean = search.mean + step
    average = search.average + (mean - search.average) / averaging
    if samples.alike:  # of which both halves are to have as many
        pulls, noise = (np.concatenate([told[::2], told[1::2]]) for told in (pulls, noise))
    figures = {
        "step": float(np.linalg.norm(step)),
        "agreement": agreement(pulls, noise),
        "norm": float(np.linalg.norm(mean)),
    }
    child = Individual(
        search.genome.with_genes(average),
        operators=("follow_gradient",),
        parents=(search.individual.born,),
    )
    return replace(search, individual=child, mean=mean, average=average, adam=adam, figures=figures)


def agreement(pulls: Vector, noise: NDArray[np.float64]) -> float:
    """Measure the signal in a gradient: the cosine of what two halves of the samples suggest."""
    half = len(pulls) // 2
    one, other = pulls[:half] @ noise[:half], pulls[half:] @ noise[half:]
    lengths = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / lengths) if lengths > 0 else 0.0


def centred_ranks(fitness: Vector) -> Vector:
    """Rank from -1/2, the worst, to 1/2, the best; equals keep the order of the samples."""
    ranks = np.empty(len(fitness))
    ranks[np.argsort(fitness, kind="stable")] = np.arange(len(fitness))
    return ranks / max(len(fitness) - 1, 1) - 0.5


def as_practised(search: Search) -> Search:
    """Take a challenger to where training led it, which was while its samples were scored."""
    if "finetune" not in search.individual.operators:
        return search
    genes = search.genome.genes.astype(np.float64)
    return replace(search, mean=genes, average=genes)


def grafted(parent: Search, child: Genome) -> Adam:
    """Hand the moments down, gene by gene; new genes begin with none."""
    mine, theirs = shared(child, parent.genome)
    first, second = np.zeros((2, child.genes.size))
    first[mine], second[mine] = parent.adam.first[theirs], parent.adam.second[theirs]
    return Adam(first, second, parent.adam.steps)
