"""How often each operator was tried, what came of it, and how often it is on the trunk."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from evo_ntm.experiment import Experiment
from evo_ntm.reports.chapters import OperatorUse
from evo_ntm.reports.parameters import parameters
from evo_ntm.reports.pedigree import NOBODY, Floats, Pedigree
from evo_ntm.reports.phylogeny import children


def tell_operators(
    pedigree: Pedigree, trunk: Sequence[int], experiment: Experiment
) -> tuple[OperatorUse, ...]:
    """Count what came of every operator, also of those that were never tried, the busiest first.

    `trunk` are the numbers of its births.
    """
    primary = pedigree.primary
    ranks = standing(pedigree)
    risen = (primary != NOBODY) & (ranks > ranks[primary])
    fertile = children(pedigree) > 0
    on_trunk = np.zeros(len(pedigree), dtype=bool)
    on_trunk[pedigree.places(trunk)] = True
    names = {
        *experiment.evolve.operators,
        *(name for recipe in pedigree.recipes for name in recipe),
    }
    uses = []
    for name in names:
        by = np.array([name in recipe for recipe in pedigree.recipes])[pedigree.recipe]
        attempts, steps = int(by.sum()), int((by & on_trunk).sum())
        share = steps / max(int(on_trunk.sum()), 1)
        uses.append(
            OperatorUse(
                name=name,
                parameters=parameters(experiment, [name]),
                attempts=attempts,
                successes=int((by & risen).sum()),
                had_children=int((by & fertile).sum()),
                on_trunk=steps,
                enrichment=share / (attempts / len(pedigree)) if attempts else None,
            )
        )
    return tuple(sorted(uses, key=lambda use: (-use.attempts, use.name)))


def standing(pedigree: Pedigree) -> Floats:
    """Tell of every birth which share of those of its generation it stood above [N].

    It stands above half of its equals, itself included.
    """
    ranks = np.empty(len(pedigree))
    for begin, end in pairwise(pedigree.begins):
        fitness = pedigree.fitness[begin:end]
        _, place, counts = np.unique(fitness, return_inverse=True, return_counts=True)
        above = np.cumsum(counts) - counts / 2
        ranks[begin:end] = above[place] / max(end - begin, 1)
    return ranks
