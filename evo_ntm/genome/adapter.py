"""DEAP's operators, which change lists in place and draw from global generators, as ours."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from evo_ntm.errors import GenomeError
from evo_ntm.genome.genome import Genome
from evo_ntm.genome.graft import shared
from evo_ntm.genome.variation import Operator, parents_needed
from evo_ntm.seeds import Generator


def from_deap(function: Callable[..., Any], **parameters: Any) -> Operator:
    """Make an operator of one of DEAP's: `mutate(individual)` or `mate(individual, individual)`.

    Its own parameters are given as to `toolbox.register`. An individual is a plain list of the
    genes. The second parent is first grafted onto the first one's topology: genes that it lacks
    are the first one's. Of two children the first is kept. The global generators are seeded from
    ours for the call, and set back after it. Raises GenomeError where the function takes neither
    one individual nor two.
    """
    bound = partial(function, **parameters)
    name = getattr(function, "__name__", "operator")
    individuals = parents_needed(bound)

    def mutate(genome: Genome, *, generator: Generator) -> Genome:
        with _seeded(generator):
            (child,) = bound(genome.genes.tolist())
        return genome.with_genes(child)

    def mate(genome: Genome, other: Genome, *, generator: Generator) -> Genome:
        here, there = shared(genome, other)
        grafted = genome.genes.copy()
        grafted[here] = other.genes[there]
        with _seeded(generator):
            child, _ = bound(genome.genes.tolist(), grafted.tolist())
        return genome.with_genes(child)

    if individuals not in (1, 2):
        raise GenomeError(f"expected an operator on one individual or two, but {name} takes "
                          f"{individuals}; give its other parameters by name")  # fmt: skip
    operator = mutate if individuals == 1 else mate
    operator.__name__, operator.__doc__ = name, function.__doc__
    return operator


@contextmanager
def _seeded(generator: Generator) -> Iterator[None]:
    before, numpy_before = random.getstate(), np.random.get_state()
    word = int(generator.words(1)[0])
    random.seed(word)
    np.random.seed(word % 2**32)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)
